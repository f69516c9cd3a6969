/** `plan`: a model proposes a contract for a goal; a person looks at it and keeps it as a file for `run --contract`. */
import { existsSync, writeFileSync } from "node:fs";
import { relative, resolve } from "node:path";
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
import { systemChance, systemClock } from "../../runtime/system.ts";
import { isAgreed } from "../ask.ts";
import { type CommandContext, commandLine, type ProjectFlags, projectSettingsFor } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { Interruption } from "../interruption.ts";
import { checkModel, type ModelFlags, modelOf } from "../model-choice.ts";
import type { Output } from "../output.ts";
import { contractLines } from "../render/contract-lines.ts";
import { formatCost, formatCount, formatQuantity } from "../render/format.ts";
import { wrap } from "../render/text.ts";
import { textOf } from "../said.ts";

/** Flags of `plan`. */
export interface PlanFlags extends ProjectFlags, ModelFlags {
  readonly out?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const FILE_STANDARD = "nightshift.contract.json";

/** Everything that can be wrong is looked at before a model is asked. Exits with 4 when nobody accepted the plan. */
export async function plan(
  context: CommandContext,
  words: readonly string[],
  flags: PlanFlags,
): Promise<number> {
  const { output } = context;
  const goal = textOf(words);
  if (goal.trim() === "")
    throw new NightshiftError("E_USAGE", "the goal is empty", {
      hint: 'Say what is to be done: nightshift plan "add a --json flag to list"',
    });
  const settings = await projectSettingsFor(context, flags);
  const file = resolve(settings.workspace, flags.out ?? FILE_STANDARD);
  if (existsSync(file)) throw alreadyThere(file, settings);
  const model = modelOf(context, settings, flags);
  await checkModel(model, settings);
  using interruption = new Interruption();
  try {
    const proposed = await propose(output, goal, model, settings, interruption.signal);
    if (flags.json !== true) show(output, proposed, model);
    const isAccepted =
      flags.yes === true ||
      (flags.json !== true && (await isAgreed(output, questionOf(file, settings), interruption.signal)));
    if (isAccepted) keep(file, contractFileText(proposed.draft.contract), settings);
    report(output, proposed, { file: isAccepted ? file : null, model, settings, flags });
    return isAccepted ? EXIT.ok : EXIT.person;
  } catch (error) {
    if (interruption.exitCode === null) throw error;
    output.note("interrupted; nothing was written");
    return interruption.exitCode;
  }
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
  return await proposePlan(parts, { goal, folder: workspace }, signal);
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

function questionOf(file: string, { workspace }: Settings): string {
  return `keep this as ${relative(workspace, file)}?`;
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

function report(
  output: Output,
  { draft, requests, usage }: ProposedPlan,
  made: {
    readonly file: string | null;
    readonly model: ModelConfig;
    readonly settings: Settings;
    readonly flags: PlanFlags;
  },
): void {
  const { file, flags, settings, model } = made;
  if (flags.json === true) {
    const { contract, remarks, complaints } = draft;
    const cost = model.price === undefined ? {} : { cost_micro_usd: costMicroUsd(usage, model.price) };
    const used = { input_tokens: usage.inputTokens, output_tokens: usage.outputTokens };
    output.printJson({ file, contract, remarks, complaints, requests, usage: used, ...cost });
    return;
  }
  if (file === null) {
    output.note("not kept: accept it on a terminal, or with --yes");
    return;
  }
  const name = relative(settings.workspace, file);
  output.note(
    `kept as ${name}`,
    ...wrap(`next: ${commandLine(flags, "run", "--contract", name)}`, output.width),
  );
}
