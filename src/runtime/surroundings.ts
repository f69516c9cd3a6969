/** What commands find besides the files: toolchain and layer, and what a program that works by itself needs. */
import type { EventInput } from "../core/events/index.ts";
import type { SandboxState, SessionState } from "../core/state.ts";
import type { SandboxSpec } from "../sandbox/contract.ts";
import type { Files } from "./checkouts.ts";
import type { ProgramPlace, SessionAttempts } from "./session-attempts.ts";
import type { SessionLayers } from "./session-layers.ts";

/** Fields of a sandbox's specification, and what is to be said of how they came about. */
export type AllSurroundings = Pick<SandboxSpec, "gateway"> &
  Pick<ProgramPlace, "mounts" | "environment"> & { readonly facts: EventInput[] };

/** When they are asked for. */
interface FactsMoment {
  readonly state: SessionState;
  readonly signal: AbortSignal;
  readonly onFacts: (facts: readonly EventInput[]) => void;
}

/** For the sandbox that is about to be made. @throws NightshiftError as layers and toolchains do */
export async function surroundingsFor(
  { layers, attempts }: { readonly layers: SessionLayers | null; readonly attempts: SessionAttempts | null },
  sandbox: SandboxState,
  files: Files,
  moment: FactsMoment,
): Promise<AllSurroundings> {
  const around = await fromLayers(layers, sandbox, files, moment);
  return { ...withProgram(around, await attempts?.place()), facts: around.facts };
}

async function fromLayers(
  layers: SessionLayers | null,
  sandbox: SandboxState,
  files: Files,
  { state, signal, onFacts }: FactsMoment,
): ReturnType<SessionLayers["surroundings"]> {
  if (layers === null) return { mounts: [], environment: {}, facts: [] };
  try {
    return await layers.surroundings({ state, sandbox, files, signal });
  } finally {
    // Also of a set-up that failed, or was cut short in an earlier life of the harness.
    const news = layers.news(state);
    if (news.length > 0) onFacts(news);
  }
}

function withProgram(
  around: Pick<SandboxSpec, "mounts" | "environment">,
  program: ProgramPlace | undefined,
): Pick<SandboxSpec, "gateway"> & Pick<ProgramPlace, "mounts" | "environment"> {
  const { mounts = [], environment = {} } = around;
  if (program === undefined) return { mounts, environment };
  const sources = new Set(mounts.map(({ target }) => target));
  const path = environment.PATH ?? "/usr/local/bin:/usr/bin:/bin";
  return {
    mounts: [...mounts, ...program.mounts.filter(({ target }) => !sources.has(target))],
    environment: {
      ...environment,
      ...program.environment,
      ...(program.path.length > 0 && { PATH: [...program.path, path].join(":") }),
    },
    ...(program.gateway !== undefined && { gateway: program.gateway }),
  };
}
