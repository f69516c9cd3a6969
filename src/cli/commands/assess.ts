/** `assess`: is a contract worth its trouble here, and does the task say enough for one? */
import { NightshiftError } from "../../core/errors.ts";
import { type AssessmentReason, assessTask, type Fit } from "../../planning/assess.ts";
import { type DraftedContract, draftFrom } from "../../planning/contract-source.ts";
import { detectProject } from "../../planning/detect/detect.ts";
import { openFolder } from "../../planning/detect/folder.ts";
import { placeInTree } from "../../runtime/state-folder.ts";
import { type CommandContext, type ProjectFlags, projectSettingsFor } from "../context.ts";
import { type ContractFlags, contractOptions } from "../contract-choice.ts";
import { EXIT } from "../exit-codes.ts";
import { withFileFlags } from "../file-flags.ts";
import { contractLines } from "../render/contract-lines.ts";
import { factLines, wrap } from "../render/text.ts";
import { textOf } from "../said.ts";

/** Flags of `assess`: those of `run` that say what has to be met. */
export interface AssessFlags extends ProjectFlags, ContractFlags {
  readonly json?: boolean;
}

const HEADLINES: { readonly [fit in Fit]: string } = {
  fits: "a contract fits this task",
  overhead: "a contract is overhead for this task",
  underspecified: "this task does not say enough to be verified",
  refused: "this contract would be refused",
};

/** Exits with 2 when the contract would be refused. Runs nothing and asks no model. */
export async function assess(
  context: CommandContext,
  words: readonly string[],
  given: AssessFlags,
): Promise<number> {
  const { output } = context;
  const prompt = textOf(words);
  const settings = await projectSettingsFor(context, given);
  const flags = withFileFlags(given, settings);
  if (prompt.trim() === "" && flags.contract === undefined)
    throw new NightshiftError("E_USAGE", "there is nothing to assess", {
      hint: 'Say what is to be done, nightshift assess "fix the failing test", or pass --contract.',
    });
  const { workspace } = settings;
  const options = contractOptions(flags, prompt, workspace);
  // Nothing is kept of what is only looked at.
  const keepHeldOut = async (): Promise<string> => "0".repeat(64);
  const draft =
    options === undefined
      ? undefined
      : await draftFrom(options, placeInTree(workspace).root, { keepHeldOut });
  const facts = await detectProject(openFolder(workspace));
  const { fit, reasons } = assessTask({ prompt, draft, facts });
  const { tests } = facts;
  if (flags.json === true) {
    const { contract = null, source = null, remarks = [], complaints = [] } = draft ?? {};
    output.printJson({ assessment: fit, reasons, complaints, remarks, source, contract, tests });
  } else {
    output.print(...wrap(HEADLINES[fit], output.width));
    for (const reason of reasons) output.print("", ...reasonLines(reason, output.width));
    if (draft !== undefined) output.print("", ...contractLines(draft.contract, output.width));
    for (const warning of warningsOf(draft, reasons)) output.note(...wrap(warning, output.width));
    for (const remark of draft?.remarks ?? []) output.note(...wrap(remark, output.width));
  }
  return fit === "refused" ? EXIT.usage : EXIT.ok;
}

/** What the linter warns of, besides what speaks for the assessment. */
function warningsOf(
  draft: DraftedContract | undefined,
  reasons: readonly AssessmentReason[],
): readonly string[] {
  const told = new Set(reasons.map(({ code }) => code));
  return (draft?.complaints ?? [])
    .filter(({ code }) => !told.has(code))
    .map(({ criterion, message, fix }) => `${criterion === null ? "" : `${criterion}: `}${message}. ${fix}`);
}

function reasonLines({ message, next }: AssessmentReason, width: number): string[] {
  return [...factLines("because", message, width), ...factLines("next", next, width)];
}
