/** The first event of a session, from what people say and defaults for the rest. */
import { isAbsolute } from "node:path";
import { contextProfileOf } from "../core/attempt/profiles.ts";
import type { CommandAgent } from "../core/command/state.ts";
import type { Contract } from "../core/contract/contract.ts";
import { ASK, HAND_OFF, SESSION_TOOLS } from "../core/contract/session-tools.ts";
import { contractText } from "../core/contract/tell.ts";
import { NightshiftError } from "../core/errors.ts";
import type { EventBody } from "../core/events/index.ts";
import type { Json } from "../core/text.ts";
import type { DependencyPolicy } from "../environment/contract.ts";
import type { EgressRule } from "../gateway/egress/contract.ts";
import type { Mount } from "../sandbox/contract.ts";
import { type ModelConfig, parseModelName } from "./providers.ts";

/** Everything that is fixed when a session is made. */
export type SessionConfig = EventBody<"session.created">;
/** How the harness treats a session. */
export type SessionPolicy = SessionConfig["policy"];

/** What may be said of a new session. */
export interface SessionOptions {
  /** `provider:model` of a known provider, or all of it, as an adapter of your own needs. */
  readonly model: string | ModelConfig;
  /** Asked as long as `model` may not be. */
  readonly fallback?: ModelConfig;
  /** Absolute path of the folder to work in. */
  readonly workspace: string;
  /** Names of tools; absent for all built-in ones, empty for none. */
  readonly tools?: readonly string[];
  /** Default: {@link SYSTEM_PROMPT}. */
  readonly system?: string;
  readonly title?: string;
  readonly agent?: string;
  /** Sandbox backend. Default: `process`, which is no isolation. */
  readonly sandbox?: string;
  /** Work on a checkout made from this commit, and not in the folder itself. */
  readonly base?: string;
  /** What the branch of verified work is called by; absent: there will be none. Needs a base. */
  readonly branch?: string;
  /** What commands may reach; nothing unless named. */
  readonly network?: readonly EgressRule[];
  /** A command whose toolchain and dependencies are to be there, as an argument vector. */
  readonly setup?: readonly string[];
  /** Where that runs, relative to the root of the workspace; absent for the root itself. */
  readonly setupFolder?: string;
  /** What happens when the agent's files ask for other dependencies than those. Default: `ask`. */
  readonly deps?: DependencyPolicy;
  /** Folders of the machine that commands see as well. */
  readonly mounts?: readonly Mount[];
  /** What has to be met: told to the agent, who also gets the tools to ask for a verdict. */
  readonly contract?: Contract;
  /** A program that works by itself, instead of the built-in worker; needs a contract. */
  readonly command?: CommandAgent;
  /** Grades rubrics; absent: the agent's own model. */
  readonly judge?: ModelConfig;
  /** They have to find met what the judge does. */
  readonly furtherJudges?: readonly ModelConfig[];
  readonly limits?: SessionConfig["limits"];
  readonly policy?: Partial<SessionPolicy>;
  readonly metadata?: SessionConfig["metadata"];
}

/** What an agent is told unless the user says something else. */
export const SYSTEM_PROMPT = [
  "You are an agent that works on its own, for hours if need be, in a folder on a real machine.",
  "Work in small steps and look at results before you go on. Prefer reading and searching to guessing.",
  "When a tool says that an outcome is unknown, look at the actual state before you decide what to do.",
  "When the task is done, run what proves it, then say briefly what you did and how it was verified.",
].join("\n");

/** Names of the built-in tools, in the order in which a model sees them. */
export const TOOL_NAMES = ["bash", "read", "write", "edit", "glob", "grep"] as const;

/** Output cap of one request, when nobody names one. */
export const OUTPUT_TOKENS_STANDARD = 16_384;

/** The policy of sessions that name none. */
export const STANDARD_POLICY: SessionPolicy = {
  steering: "enqueue",
  idle_timeout_ms: 10 * 60_000,
  sandbox_grace_ms: 5 * 60_000,
  tool_wall_ms: 10 * 60_000,
  model_failures_max: 10,
  no_contact_ms: 15 * 60_000,
};

/** @throws NightshiftError `E_MODEL_UNKNOWN`, `E_TOOL_UNKNOWN`, `E_CONFIG` for a relative folder, or a cap in money without a price */
export function sessionConfig(options: SessionOptions): SessionConfig {
  const { limits = {}, title, metadata = {} } = options;
  const model =
    typeof options.model === "string"
      ? { ...parseModelName(options.model), max_output_tokens: OUTPUT_TOKENS_STANDARD }
      : options.model;
  for (const each of [model, ...(options.fallback === undefined ? [] : [options.fallback])])
    checkPriced(each, limits);
  const context = options.policy?.context ?? contextProfileOf(model.id, "auto");
  return {
    ...(title === undefined ? {} : { title }),
    metadata,
    agent: {
      name: options.agent ?? "agent",
      ...(options.command === undefined ? { worker: "loop" } : programOf(options, options.command)),
      model,
      ...(options.fallback !== undefined && { fallback: options.fallback }),
      system: options.command === undefined ? systemOf(options) : "",
      tools: options.command === undefined ? toolsFor(options, context) : [],
    },
    ...(options.judge !== undefined && { judge: options.judge }),
    ...(options.furtherJudges !== undefined && { further_judges: [...options.furtherJudges] }),
    sandbox: sandboxOf(options),
    limits,
    policy: { ...STANDARD_POLICY, context, ...options.policy },
  };
}

/** Whoever names tools names `ask`, too, if the agent is to have it; under a contract it always does. */
function toolsOf({ tools, contract }: SessionOptions): string[] {
  const named = checkedTools(tools ?? [...TOOL_NAMES, ASK]);
  return contract === undefined ? named : [...new Set([...named, ASK, ...SESSION_TOOLS])];
}

function toolsFor(options: SessionOptions, context: NonNullable<SessionPolicy["context"]>): string[] {
  return [...toolsOf(options), ...(mayHandOff(options, context) ? [HAND_OFF] : [])];
}

/** Where nothing is known of the window, an agent without a contract is seldom asked for a handoff. */
function mayHandOff(
  { contract }: SessionOptions,
  { mode, window_tokens }: NonNullable<SessionPolicy["context"]>,
): boolean {
  return contract !== undefined || (mode !== "continue" && window_tokens !== undefined);
}

/** Nothing but a verdict ends the work of a program, so there has to be something to give one on. */
function programOf(
  { contract, judge }: SessionOptions,
  command: CommandAgent,
): Pick<SessionConfig["agent"], "worker" | "command"> {
  if (contract === undefined) {
    throw new NightshiftError(
      "E_USAGE",
      "a program's word is not believed, and nothing says when it is done",
      {
        hint: "Pass --check with the command that has to pass, or --contract with a file.",
      },
    );
  }
  if (judge === undefined && contract.criteria.some(({ rubric }) => rubric.length > 0)) {
    throw new NightshiftError("E_USAGE", "a rubric needs a judge, and a program is none", {
      hint: "Name one with --judge-model provider:model.",
    });
  }
  return { worker: "command", command };
}

/** A cap that nobody can count against would be worse than none. */
function checkPriced(model: ModelConfig, limits: SessionConfig["limits"]): void {
  const caps = [limits, limits.attempt, limits.criterion];
  if (model.price !== undefined || caps.every((each) => each?.cost_micro_usd === undefined)) return;
  throw new NightshiftError("E_CONFIG", `a cap in money needs the price of ${model.provider}:${model.id}`, {
    hint: "Give a price (--price input,output in dollars per million tokens), or cap tokens instead (--max-tokens).",
  });
}

function systemOf({ system = SYSTEM_PROMPT, contract }: SessionOptions): string {
  return contract === undefined ? system : `${system}\n\n${contractText(contract)}`;
}

function sandboxOf({
  sandbox,
  workspace,
  base,
  branch,
  network,
  setup,
  setupFolder = "",
  deps,
  mounts,
}: SessionOptions): SessionConfig["sandbox"] {
  const asJson = (list: readonly object[]): Json => JSON.parse(JSON.stringify(list)) as Json;
  if (!isAbsolute(workspace))
    throw new NightshiftError("E_CONFIG", `the workspace "${workspace}" is no absolute path`);
  return {
    backend: sandbox ?? "process",
    workspace,
    options: {
      ...(network !== undefined && network.length > 0 && { network: asJson(network) }),
      ...(setup !== undefined && setup.length > 0 && { setup: [...setup] }),
      ...(setupFolder !== "" && { setup_folder: setupFolder }),
      ...(deps !== undefined && { deps }),
      ...(mounts !== undefined && mounts.length > 0 && { mounts: asJson(mounts) }),
    },
    ...(base !== undefined && { checkout: { base, ...(branch !== undefined && { branch }) } }),
  };
}

/** What a session's commands may reach, as {@link sessionConfig} has written it. */
export function networkOf(options: SessionConfig["sandbox"]["options"]): readonly EgressRule[] {
  return (options.network ?? []) as unknown as readonly EgressRule[];
}

/** The command whose toolchain and dependencies a session needs, as {@link sessionConfig} has written it. */
export function setupOf(options: SessionConfig["sandbox"]["options"]): readonly string[] {
  return (options.setup ?? []) as readonly string[];
}

/** Where that command runs, relative to the workspace. */
export function setupFolderOf({ setup_folder: folder = "" }: SessionConfig["sandbox"]["options"]): string {
  return folder as string;
}

/** What happens when its files ask for other dependencies, as {@link sessionConfig} has written it. */
export function depsOf({ deps = "ask" }: SessionConfig["sandbox"]["options"]): DependencyPolicy {
  return deps as DependencyPolicy;
}

/** What a session's commands see of the machine besides, as {@link sessionConfig} has written it. */
export function mountsOf(options: SessionConfig["sandbox"]["options"]): readonly Mount[] {
  return (options.mounts ?? []) as unknown as readonly Mount[];
}

function checkedTools(tools: readonly string[]): string[] {
  const known: readonly string[] = [...TOOL_NAMES, ASK];
  const unknown = tools.find((name) => !known.includes(name));
  if (unknown === undefined) return [...tools];
  throw new NightshiftError("E_TOOL_UNKNOWN", `there is no tool "${unknown}"; there are ${known.join(", ")}`);
}
