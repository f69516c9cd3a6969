/** Which program is to work, and whether what it asks of models can be metered. */
import { basename } from "node:path";
import type { CommandAgent } from "../core/command/state.ts";
import { NightshiftError } from "../core/errors.ts";
import type { EgressRule } from "../gateway/egress/contract.ts";
import type { Settings } from "../runtime/config.ts";
import { accessOf, type ModelConfig, missingKey, SCRIPTED } from "../runtime/providers.ts";
import { isIsolated } from "../runtime/registry.ts";
import { OUTPUT_TOKENS_STANDARD } from "../runtime/session-config.ts";
import { knownAgent, PROMPT_WORD } from "../worker/known-agents.ts";
import type { CommandContext } from "./context.ts";
import { type ModelFlags, modelOf } from "./model-choice.ts";
import { programInCheckout } from "./program-place.ts";

/** Flags about programs. */
export interface ProgramFlags extends ModelFlags {
  readonly worker?: "loop" | "command";
  /** What follows `--`. */
  readonly program?: readonly string[];
  readonly model?: string;
  readonly attemptTimeout?: number;
  readonly idleTimeout?: number;
  readonly stallAfter?: number;
  readonly allowModels?: readonly string[];
  readonly maxRequests?: number;
  readonly maxTokens?: number;
  readonly maxCost?: number;
  readonly maxAttemptCost?: number;
  readonly maxCriterionCost?: number;
  readonly maxCostPerDay?: number;
  readonly network?: readonly EgressRule[];
}

/** A program and the model that it may use. */
export interface ProgramChoice {
  readonly agent: CommandAgent;
  readonly model: ModelConfig;
}

const WALL_MS = 2 * 60 * 60_000;
const QUIET_MS = 10 * 60_000;
const FRUITLESS_MAX = 3;

/** Undefined for the built-in worker. @throws NightshiftError `E_USAGE`, `E_CONFIG`, `E_MODEL_UNKNOWN`, `E_MODEL_KEY_MISSING` */
export function programOf(
  context: CommandContext,
  settings: Settings,
  flags: ProgramFlags,
  sandbox: string,
): ProgramChoice | undefined {
  if (flags.worker !== "command") return undefined;
  const [said, ...rest] = flags.program ?? [];
  if (said === undefined || said === "") throw withoutProgram();
  const program = programInCheckout(said, settings.workspace, isIsolated(sandbox));
  const argv = [program, ...rest];
  const known = knownAgent(argv);
  const model =
    flags.model === undefined ? modelOfProgram(program, flags) : modelOf(context, settings, flags);
  const gateway =
    flags.model === undefined ? openGateway(settings, flags, known) : gatewayFor(model, settings);
  return {
    model,
    agent: {
      argv,
      prompt: argv.some((word) => word.includes(PROMPT_WORD)) ? "argument" : "stdin",
      ...(known !== undefined && { known }),
      wall_ms: flags.attemptTimeout ?? WALL_MS,
      quiet_ms: flags.idleTimeout ?? QUIET_MS,
      fruitless_max: flags.stallAfter ?? FRUITLESS_MAX,
      ...(gateway !== undefined && { gateway }),
    },
  };
}

/** A program that no sandbox of this machine could start is told before anything is made. @throws NightshiftError `E_TOOLCHAIN_MISSING` */
export async function checkPresence(
  { agent }: ProgramChoice,
  sandbox: string,
  workspace: string,
  { environment }: Settings,
): Promise<void> {
  const { expectProgram } = await import("../runtime/open-attempts.ts");
  await expectProgram(agent.argv, isIsolated(sandbox), workspace, environment);
}

/** A cap that cannot be kept would be worse than none. @throws NightshiftError `E_CONFIG` */
export function checkMetering({ agent, model }: ProgramChoice, sandbox: string, flags: ProgramFlags): void {
  const caps = {
    ...moneyCaps(flags),
    "--max-tokens": flags.maxTokens,
    "--max-requests": flags.maxRequests,
  };
  const cap = Object.entries(caps).find(([, value]) => value !== undefined)?.[0];
  if (cap === undefined) return;
  const problem = unmetered(agent, sandbox, flags);
  if (problem !== undefined)
    throw new NightshiftError("E_CONFIG", `${cap} cannot be kept: ${problem}`, {
      hint: "Cap it with --max-attempts and --max-duration instead.",
    });
  const money = Object.entries(moneyCaps(flags)).find(([, value]) => value !== undefined)?.[0];
  const isForced = agent.gateway?.forced === true;
  if (money === undefined || (isForced && model.price !== undefined)) return;
  if (isForced)
    throw new NightshiftError("E_CONFIG", `${money} needs the price of ${model.provider}:${model.id}`, {
      hint: "Give it with --price input,output in dollars per million tokens; or cap with --max-tokens.",
    });
  throw new NightshiftError("E_CONFIG", `${money} needs to know which model is asked, and its price`, {
    hint: "Name it with --model, and its price with --price input,output; or cap with --max-attempts and --max-duration.",
  });
}

function moneyCaps({ maxCost, maxAttemptCost, maxCriterionCost, maxCostPerDay }: ProgramFlags): {
  readonly [flag: string]: number | undefined;
} {
  return {
    "--max-cost": maxCost,
    "--max-attempt-cost": maxAttemptCost,
    "--max-criterion-cost": maxCriterionCost,
    "--max-cost-per-day": maxCostPerDay,
  };
}

function unmetered(
  { gateway }: CommandAgent,
  sandbox: string,
  { network = [] }: ProgramFlags,
): string | undefined {
  if (gateway === undefined) return "what the program asks of models does not pass the gateway";
  if (!isIsolated(sandbox)) return `in the sandbox ${sandbox} the program can go around the gateway`;
  return network.length > 0 ? "with --network the program can go around the gateway" : undefined;
}

function withoutProgram(): NightshiftError {
  return new NightshiftError("E_USAGE", "there is no program to run", {
    hint: `Write its whole command behind --, for example: -- claude -p ${PROMPT_WORD}`,
  });
}

/** Nobody has named one: the program asks for what it likes. */
function modelOfProgram(program: string, { maxOutputTokens, price }: ProgramFlags): ModelConfig {
  if (price !== undefined)
    throw new NightshiftError("E_USAGE", "--price is that of a model, and there is no --model");
  const max_output_tokens = maxOutputTokens ?? OUTPUT_TOKENS_STANDARD;
  return { provider: "command", id: basename(program), max_output_tokens };
}

function gatewayFor(
  { provider, base_url }: ModelConfig,
  { file, environment }: Settings,
): CommandAgent["gateway"] {
  if (provider === SCRIPTED)
    throw new NightshiftError("E_USAGE", "a program cannot play a script: it needs a model that listens", {
      hint: "Serve the script with `nightshift model-server`, and pass its address with --base-url.",
    });
  const missing = missingKey(provider, environment, file);
  if (missing !== undefined)
    throw new NightshiftError("E_MODEL_KEY_MISSING", `${provider} needs a key, and ${missing} is not set`);
  const family = accessOf(provider, file).adapter === "anthropic" ? "anthropic" : "openai";
  return { [family]: { provider, ...(base_url !== undefined && { base_url }) }, forced: true };
}

/** Every family whose key is there. */
function openGateway(
  { environment, file }: Settings,
  { baseUrl, allowModels }: ProgramFlags,
  known: CommandAgent["known"],
): CommandAgent["gateway"] {
  const families = (["anthropic", "openai"] as const).filter(
    (family) => missingKey(family, environment, file) === undefined,
  );
  const own = known === "claude" ? "anthropic" : "openai";
  const entries = families.map((provider) => {
    const base_url =
      (families.length === 1 || provider === own ? baseUrl : undefined) ??
      file.providers?.[provider]?.base_url;
    return [provider, { provider, ...(base_url !== undefined && { base_url }) }] as const;
  });
  if (entries.length === 0) return undefined;
  return {
    ...Object.fromEntries(entries),
    forced: false,
    ...(allowModels !== undefined && { models: [...allowModels] }),
  };
}
