/** `run`: makes a session and is itself the engine that drives it. */
import { readFileSync } from "node:fs";
import { taskFiles } from "../../core/command/renderings.ts";
import type { Contract } from "../../core/contract/contract.ts";
import { contractRendering, RENDERING_PATH } from "../../core/contract/rendering.ts";
import { NightshiftError } from "../../core/errors.ts";
import { event } from "../../core/events/index.ts";
import type { SessionId } from "../../core/ids.ts";
import type { SourcedContract } from "../../planning/contract-source.ts";
import { createSession, newSessionId } from "../../runtime/client.ts";
import type { ConfigFile, Settings } from "../../runtime/config.ts";
import { parseDuration } from "../../runtime/duration.ts";
import { isIsolated } from "../../runtime/registry.ts";
import {
  type SessionConfig,
  type SessionOptions,
  type SessionPolicy,
  sessionConfig,
} from "../../runtime/session-config.ts";
import { type CapFlags, type LimitFlags, limitPolicyOf, limitsOf } from "../budget-flags.ts";
import { carryOn, type DriveFlags } from "../carry-on.ts";
import { type CommandContext, openFor, type ProjectFlags, projectSettingsFor } from "../context.ts";
import { type ContextFlags, contextOf } from "../context-choice.ts";
import { type ContractFlags, contractOf, sealedBy } from "../contract-choice.ts";
import { checkDayCap } from "../day-cap.ts";
import { withFileFlags } from "../file-flags.ts";
import { Interruption } from "../interruption.ts";
import { furtherJudgesOf, judgeOf, judgeText } from "../judge-choice.ts";
import { checkModel, pricedModelOf } from "../model-choice.ts";
import type { Output } from "../output.ts";
import { type PeopleFlags, peoplePolicy } from "../people-flags.ts";
import {
  checkMetering,
  checkPresence,
  type ProgramChoice,
  type ProgramFlags,
  programOf,
} from "../program-choice.ts";
import { unseenFiles } from "../program-place.ts";
import { factLines, wrap } from "../render/text.ts";
import { type BeginFlags, type BeginPlace, beginnings, sandboxFor, warnOf } from "./begin.ts";

/** Flags of `run`. */
export interface RunFlags
  extends DriveFlags,
    BeginFlags,
    ContractFlags,
    ProgramFlags,
    ContextFlags,
    ProjectFlags,
    PeopleFlags,
    CapFlags,
    LimitFlags {
  readonly tools?: readonly string[];
  readonly system?: string;
  readonly title?: string;
  readonly idleTimeout?: number;
  readonly toolTimeout?: number;
  readonly maxFailures?: number;
  readonly steering?: SessionPolicy["steering"];
  readonly yes?: boolean;
  readonly detach?: boolean;
}

const TITLE_LENGTH_MAX = 80;

/** Everything that can be wrong is looked at before anything is made. */
export async function run(
  context: CommandContext,
  words: readonly string[],
  given: RunFlags,
): Promise<number> {
  const { output } = context;
  const settings = await projectSettingsFor(context, given);
  const flags = withFileFlags(given, settings);
  const text = promptOf(words);
  const agreed = await contractOf(flags, text, settings);
  const prompt = text === "" ? (agreed?.contract.goal ?? "") : text;
  if (prompt.trim() === "") throw emptyPrompt();
  const sandbox = await sandboxFor(flags, settings);
  const program = programOf(context, settings, flags, sandbox);
  const options = await optionsOf(context, settings, flags, { prompt, contract: agreed?.contract, program });
  const { maxCostPerDay } = settings;
  const capped = { ...flags, ...(maxCostPerDay !== undefined && { maxCostPerDay }) };
  if (program !== undefined) checkMetering(program, sandbox, capped);
  const config = sessionConfig(options);
  if (program !== undefined) await checkPresence(program, sandbox, config.sandbox.workspace, settings);
  const { agent, judge } = config;
  checkDayCap(settings, { agent });
  if (program === undefined) await checkModel(agent.model, settings);
  for (const each of [judge, ...(config.further_judges ?? [])])
    if (each !== undefined) await checkModel(each, settings);
  if (agent.fallback !== undefined) await checkModel(agent.fallback, settings);
  using interruption = new Interruption();
  await using harness = await openFor(settings);
  warnOf(sandbox, output);
  const sessionId = newSessionId(harness);
  const say = (text: string): void => output.note(...wrap(text, output.width));
  const seal = agreed === undefined ? [] : [sealedBy(harness, agreed)];
  const place = {
    sandbox,
    needsCheckout: agreed !== undefined,
    title: options.title ?? "",
    setup: agreed?.contract.setup,
    checkFolder: agreed?.contract.criteria.find(({ check }) => check !== null)?.check?.folder,
    contractFile: flags.contract,
    ...saidBy(agreed, program),
  };
  const begin = await beginnings(harness, sessionId, place, settings, flags, say);
  const question = event("user.message", { content: [{ type: "text", text: prompt }] });
  await createSession(harness, sessionConfig({ ...options, ...begin }), [...seal, question], sessionId);
  const unseen =
    program === undefined || !isIsolated(sandbox)
      ? []
      : unseenFiles(program.agent.argv, settings.workspace, begin.mounts ?? []);
  for (const remark of [...(agreed?.remarks ?? []), ...unseen]) say(remark);
  announce(output, { sessionId, settings, config, flags, agreed });
  if (flags.detach === true) {
    const { detach } = await import("../detach.ts");
    return await detach(context, harness, { sessionId, settings, flags });
  }
  return await carryOn(context, harness, sessionId, { after: 1, calls: [], interruption, flags });
}

/** What a person is told before anything is spent. */
function announce(
  output: Output,
  made: {
    readonly sessionId: SessionId;
    readonly settings: Settings;
    readonly config: SessionConfig;
    readonly flags: RunFlags;
    readonly agreed: SourcedContract | undefined;
  },
): void {
  const { sessionId, settings, config, flags, agreed } = made;
  const isGraded = agreed?.contract.criteria.some(({ rubric }) => rubric.length > 0) === true;
  const judge = isGraded
    ? factLines("judge", judgeText(config, settings.judgeModels.length > 0), output.width)
    : [];
  if (flags.json === true) output.note(`session ${sessionId}`, ...judge);
  else output.print(`session  ${sessionId}`, `state    ${settings.stateFolder}`, ...judge);
}

function promptOf(words: readonly string[]): string {
  const text = words.length === 1 && words[0] === "-" ? readFileSync(0, "utf8") : words.join(" ");
  return text.trim() === "" ? "" : text;
}

function saidBy(
  agreed: SourcedContract | undefined,
  program: ProgramChoice | undefined,
): Pick<BeginPlace, "renderings" | "deps"> {
  if (agreed === undefined) return {};
  const { contract } = agreed;
  const own = { path: RENDERING_PATH, text: contractRendering(contract), isForReading: true };
  return {
    deps: contract.deps,
    renderings: program === undefined ? [own] : [own, ...taskFiles(contract)],
  };
}

function emptyPrompt(): NightshiftError {
  return new NightshiftError("E_USAGE", "the prompt is empty", {
    hint: 'Say what is to be done: nightshift run "fix the failing test"',
  });
}

async function optionsOf(
  context: CommandContext,
  settings: Settings,
  flags: RunFlags,
  said: {
    readonly prompt: string;
    readonly contract: Contract | undefined;
    readonly program: ProgramChoice | undefined;
  },
): Promise<SessionOptions> {
  const { prompt, contract, program } = said;
  const { file } = settings;
  const tools = flags.tools ?? file.tools;
  const system = flags.system ?? file.system;
  const model = program?.model ?? (await pricedModelOf(context, settings, flags));
  const fallback =
    flags.fallbackModel === undefined
      ? undefined
      : await pricedModelOf(context, { ...settings, model: flags.fallbackModel }, {});
  const agent = { model, ...(fallback !== undefined && { fallback }) };
  const judge = contract === undefined ? undefined : await judgeOf(context, settings, agent);
  const furtherJudges = contract === undefined ? undefined : await furtherJudgesOf(context, settings);
  return {
    ...agent,
    ...(program !== undefined && { command: program.agent }),
    ...(contract !== undefined && { contract }),
    ...(judge !== undefined && { judge }),
    ...(furtherJudges !== undefined && { furtherJudges }),
    workspace: settings.workspace,
    title: flags.title ?? titleOf(prompt),
    ...(tools === undefined ? {} : { tools }),
    ...(system === undefined ? {} : { system }),
    limits: limitsOf(flags),
    policy: { ...policyOf(flags, file, contract !== undefined), ...contextOf(flags, file, model.id) },
  };
}

function policyOf(flags: RunFlags, file: ConfigFile, isUnattended: boolean): Partial<SessionPolicy> {
  const idleMs = flags.idleTimeout ?? parseDuration(file.idle_timeout ?? "");
  const toolMs = flags.toolTimeout ?? parseDuration(file.tool_timeout ?? "");
  const steering = flags.steering ?? file.steering;
  return {
    // This process leaves as soon as the session rests, and nobody would be there to end the sandbox later.
    sandbox_grace_ms: 0,
    ...(idleMs === undefined ? {} : { idle_timeout_ms: idleMs }),
    ...(toolMs === undefined ? {} : { tool_wall_ms: toolMs }),
    ...(steering === undefined ? {} : { steering }),
    ...peoplePolicy(flags, file),
    ...(flags.maxFailures === undefined ? {} : { model_failures_max: flags.maxFailures }),
    ...limitPolicyOf(flags, isUnattended),
  };
}

function titleOf(prompt: string): string {
  const line = prompt.trim().split("\n")[0] ?? "";
  return line.length > TITLE_LENGTH_MAX ? `${line.slice(0, TITLE_LENGTH_MAX - 1)}…` : line;
}
