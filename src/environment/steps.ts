/** Runs the steps of a set-up in sandboxes of their own. */
import { posix } from "node:path";
import { NightshiftError } from "../core/errors.ts";
import type { ExecId, SandboxId } from "../core/ids.ts";
import type { ExecResult, Sandbox, SandboxSpec } from "../sandbox/contract.ts";
import { INNER_WORKSPACE } from "../sandbox/contract.ts";
import { quoted } from "../sandbox/shell-words.ts";
import { INNER_LAYER, type LayerPlan, type LayerStep, type LayerTools } from "./contract.ts";
import { noteSandbox } from "./store.ts";

/** Where a set-up happens. */
export interface SetUp {
  readonly plan: LayerPlan;
  readonly tools: LayerTools;
  /** Holds `work` and `layer`. */
  readonly place: string;
}

/** What PATH ends with in every sandbox. */
export const SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin";

const NO_CONTACT_MS = 30_000;
const STEP_MS_MAX = 30 * 60_000;
const OUTPUT_BYTES_MAX = 256 * 1024;
const SHOWN_LENGTH = 3000;

/** How the clients say that something is not what the lockfile promised. */
const TAMPERED =
  /EINTEGRITY|ERR_PNPM_TARBALL_INTEGRITY|Integrity check failed|DO NOT MATCH THE HASHES|YN0018|SECURITY ERROR|checksum for .* changed|checksum mismatch|failed to verify the checksum|Hash mismatch/i;

/** Runs them one after the other. @throws NightshiftError `E_LAYER_FAILED`, `E_SOURCE_REFUSED` */
export async function runSteps(
  setUp: SetUp,
  phase: "fetch" | "build",
  steps: readonly LayerStep[],
  egress: string | undefined,
): Promise<void> {
  if (steps.length === 0) return;
  const { plan, tools, place } = setUp;
  const id = `sbox_layer_${plan.key.slice(0, 16)}_${tools.chance.unique(12)}` as SandboxId;
  // Before it exists: whoever finds this place later ends it.
  noteSandbox(place, id);
  const spec = specFor(setUp, id, egress);
  const { handle, incarnation } = await tools.backend.provision(spec, tools.signal);
  try {
    const sandbox = await tools.backend.attach(handle, 1, tools.signal);
    try {
      for (const [index, step] of steps.entries()) {
        const execId = `${id}/${phase}/${index + 1}` as ExecId;
        check(plan, phase, step, await run(sandbox, incarnation, execId, step, tools));
      }
    } finally {
      sandbox.detach();
    }
  } finally {
    await tools.backend.destroy(id, handle);
  }
}

function specFor({ plan, place }: SetUp, id: SandboxId, egress: string | undefined): SandboxSpec {
  const { toolchain } = plan;
  return {
    id,
    workspace: `${place}/work`,
    mounts: [...toolchain.mounts, { source: `${place}/layer`, target: INNER_LAYER, access: "read-write" }],
    environment: {
      CI: "true",
      ...toolchain.environment,
      PATH: [...toolchain.path, SYSTEM_PATH].join(":"),
    },
    ...(egress === undefined ? {} : { egress }),
    noContactMs: NO_CONTACT_MS,
    options: {},
  };
}

async function run(
  sandbox: Sandbox,
  incarnation: string,
  execId: ExecId,
  step: LayerStep,
  { signal, onOutput }: LayerTools,
): Promise<ExecResult> {
  const reply = await sandbox.execute(
    {
      execId,
      incarnation,
      operation: "shell",
      input: { command: commandFor(step), timeout_ms: STEP_MS_MAX },
      limits: { wallMs: STEP_MS_MAX, outputBytes: OUTPUT_BYTES_MAX },
    },
    { signal, ...(onOutput === undefined ? {} : { onOutput }) },
  );
  if (reply.status === "finished") return reply.result;
  throw new NightshiftError("E_LAYER_FAILED", "the sandbox of a set-up was lost", { retryable: true });
}

/** The step as the shell has to be told it. */
function commandFor({ argv, folder, environment }: LayerStep): string {
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${quoted(value)}`);
  const command = ["exec", "env", ...settings, ...argv.map(quoted)].join(" ");
  return `cd ${quoted(posix.join(INNER_WORKSPACE, folder))} && ${command}`;
}

/** One word of a shell. */

function check(plan: LayerPlan, phase: string, { argv }: LayerStep, result: ExecResult): void {
  if (result.ending === "exited" && result.exitCode === 0) return;
  const how = result.ending === "exited" ? `exit ${result.exitCode}` : result.ending;
  const shown = result.output.slice(-SHOWN_LENGTH).trim();
  const command = argv.slice(0, 4).join(" ").slice(0, 200);
  const message = `the ${phase} step \`${command}\` of the ${plan.ecosystem} set-up ended with ${how}:\n${shown}`;
  const isTampered = phase === "fetch" && TAMPERED.test(result.output);
  throw new NightshiftError(isTampered ? "E_SOURCE_REFUSED" : "E_LAYER_FAILED", message, {
    data: { phase, ending: result.ending, exitCode: result.exitCode },
    ...(isTampered
      ? {
          hint: "What the registry served is not what the lockfile promises. Do not go on before you know why.",
        }
      : {}),
  });
}
