/** `plan`: a model proposes a contract for a goal; a person looks at it, keeps it as a file, and has it run. */
import { existsSync, writeFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import { contractHash } from "../../core/contract/contract.ts";
import { NightshiftError } from "../../core/errors.ts";
import { createRedactor } from "../../core/redact.ts";
import { costMicroUsd } from "../../model/price.ts";
import { complaintText } from "../../planning/contract-source.ts";
import type { ProposedPlan } from "../../planning/plan/contract.ts";
import { proposePlan } from "../../planning/plan/propose.ts";
import { contractFileText } from "../../planning/read/contract-file.ts";
import { type Settings, secretsOf } from "../../runtime/config.ts";
import { openModel } from "../../runtime/models.ts";
import type { ModelConfig } from "../../runtime/providers.ts";
import { placeInTree } from "../../runtime/state-folder.ts";
import { systemChance, systemClock } from "../../runtime/system.ts";
import { answerTo, isAgreed, isAsked } from "../ask.ts";
import { type CommandContext, commandLine, projectSettingsFor } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { Interruption } from "../interruption.ts";
import { checkModel, modelOf } from "../model-choice.ts";
import type { Output } from "../output.ts";
import { contractLines } from "../render/contract-lines.ts";
import { formatCost, formatCount, formatQuantity } from "../render/format.ts";
import { wrap } from "../render/text.ts";
import { textOf } from "../said.ts";
import { sandboxFor } from "./begin.ts";
import type { RunFlags } from "./run.ts";

/** Flags of `plan`: its own, and those of the session that comes of it. */
export interface PlanFlags extends RunFlags {
  readonly out?: string;
  readonly run?: boolean;
}

/** What a person makes of a plan. */
type Decision = "discarded" | "kept" | "run";

const FILE_STANDARD = "nightshift.contract.json";
/** Needs no session. */
const OWN_FLAGS: ReadonlySet<string> = new Set<keyof PlanFlags>([
  ...(["model", "baseUrl", "price", "maxOutputTokens", "state", "directory"] as const),
  ...(["out", "yes", "run", "ignoreProject", "json"] as const),
]);

/** Everything that can be wrong is looked at before a model is asked. Exits with 4 when nobody accepted the plan. */
export async function plan(
  context: CommandContext,
  words: readonly string[],
  flags: PlanFlags,
): Promise<number> {
  const { output } = context;
  const goal = textOf(words);
  checkSaid(goal, flags);
  const settings = await projectSettingsFor(context, flags);
  const file = resolve(settings.workspace, flags.out ?? FILE_STANDARD);
  if (existsSync(file)) throw alreadyThere(file, settings);
  const model = modelOf(context, settings, flags);
  await checkModel(model, settings);
  if (flags.run === true) await sandboxFor(flags, settings);
  if (flags.yes !== true && (flags.json === true || !isAsked()))
    throw new NightshiftError(
      "E_USAGE",
      "nobody is there to accept the plan, and a model would be paid for it",
      {
        hint: "Pass --yes to accept it unasked, or plan at a terminal, without --json.",
      },
    );
  const decision = await planned(output, { goal, file, model, settings, flags });
  if (typeof decision === "number") return decision;
  if (decision === "discarded") return EXIT.person;
  if (decision === "kept") return EXIT.ok;
  const { run } = await import("./run.ts");
  return await run(context, [], { ...flags, contract: relative(settings.workspace, file) });
}

/** @throws NightshiftError `E_USAGE` */
function checkSaid(goal: string, flags: PlanFlags): void {
  if (goal.trim() === "")
    throw new NightshiftError("E_USAGE", "the goal is empty", {
      hint: 'Say what is to be done: nightshift plan "add a --json flag to list"',
    });
  const unfit = Object.entries(flags).find(([name, value]) => value !== undefined && !OWN_FLAGS.has(name));
  if (unfit === undefined || flags.run === true) return;
  const name = unfit[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new NightshiftError("E_USAGE", `--${name} is for a session, and this only makes a plan`, {
    hint: "Pass --run, too, to run the plan once it is accepted.",
  });
}

interface Planning {
  readonly goal: string;
  readonly file: string;
  readonly model: ModelConfig;
  readonly settings: Settings;
  readonly flags: PlanFlags;
}

/** What became of it, or the exit code of whoever was interrupted. */
async function planned(output: Output, planning: Planning): Promise<Decision | number> {
  const { goal, file, model, settings, flags } = planning;
  using interruption = new Interruption();
  try {
    const proposed = await propose(output, goal, model, settings, interruption.signal);
    if (flags.json !== true) show(output, proposed, model);
    const decision = await decided(output, planning, interruption.signal);
    const { contract } = proposed.draft;
    if (decision !== "discarded") keep(file, contractFileText(contract, contractHash(contract)), settings);
    report(output, proposed, decision, planning);
    return decision;
  } catch (error) {
    if (interruption.exitCode === null) throw error;
    output.note("interrupted; nothing was written");
    return interruption.exitCode;
  }
}

async function decided(
  output: Output,
  { file, settings, flags }: Planning,
  signal: AbortSignal,
): Promise<Decision> {
  const accepted = flags.run === true ? "run" : "kept";
  if (flags.yes === true) return accepted;
  const question = `keep this as ${relative(settings.workspace, file)}`;
  if (accepted === "run")
    return (await isAgreed(output, `${question} and run it?`, signal)) ? "run" : "discarded";
  const said = await answerTo(output, `${question}? [y/N], or r to run it as well: `, signal);
  if (said === "r" || said === "run") return "run";
  return said === "y" || said === "yes" ? "kept" : "discarded";
}

async function propose(
  output: Output,
  goal: string,
  model: ModelConfig,
  settings: Settings,
  signal: AbortSignal,
): Promise<ProposedPlan> {
  const { environment, file, workspace } = settings;
  const adapter = await openModel(model, { environment, file, clock: systemClock });
  const redactor = createRedactor({ secrets: secretsOf(environment, file) });
  output.note(...wrap(`asking ${model.provider}:${model.id} for criteria ...`, output.width));
  const parts = {
    model: adapter,
    modelId: model.id,
    maxOutputTokens: model.max_output_tokens,
    clock: systemClock,
    nonce: systemChance.unique(16),
    redact: (text: string): string => redactor.redact(text),
    onTrouble: (text: string): void => output.note(...wrap(`not yet: ${text}`, output.width)),
  };
  return await proposePlan(parts, { goal, folder: placeInTree(workspace).root }, signal);
}

function show(output: Output, { draft, requests, usage }: ProposedPlan, { price }: ModelConfig): void {
  const { width } = output;
  output.print(...contractLines(draft.contract, width));
  for (const text of [...draft.remarks, ...draft.complaints.map(complaintText)])
    output.print("", ...wrap(`note: ${text}`, width));
  const tokens = `${formatCount(usage.inputTokens)} tokens in, ${formatCount(usage.outputTokens)} out`;
  const cost = price === undefined ? "" : `, ${formatCost(costMicroUsd(usage, price))}`;
  output.note("", ...wrap(`${formatQuantity(requests, "request")}, ${tokens}${cost}`, width));
}

function keep(file: string, text: string, settings: Settings): void {
  try {
    writeFileSync(file, text, { flag: "wx" });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") throw alreadyThere(file, settings);
    throw new NightshiftError("E_USAGE", `${file} cannot be written: ${code}`, {
      cause,
      hint: "Name a file in a folder that you may write to with --out.",
    });
  }
}

function alreadyThere(file: string, { workspace }: Settings): NightshiftError {
  return new NightshiftError("E_USAGE", `${relative(workspace, file)} is there already`, {
    hint: "Remove it, or name another file with --out.",
  });
}

/** Where a session follows, the one JSON value is that of the session. */
function report(
  output: Output,
  { draft, requests, usage }: ProposedPlan,
  decision: Decision,
  { file, model, settings, flags }: Planning,
): void {
  const name = relative(settings.workspace, file);
  if (decision === "run") output.note(`kept as ${name}`);
  else if (flags.json === true) {
    const { contract, remarks, complaints } = draft;
    const cost = model.price === undefined ? {} : { cost_micro_usd: costMicroUsd(usage, model.price) };
    const used = { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens };
    output.printJson({ file, contract, remarks, complaints, requests, usage: used, ...cost });
  } else if (decision === "discarded") output.note("not kept");
  else {
    const next = `next: ${commandLine(flags, "run", "--contract", name)}`;
    output.note(`kept as ${name}`, ...wrap(next, output.width));
  }
}
