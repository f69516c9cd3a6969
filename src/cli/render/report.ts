/**
 * The morning report: what may act on the reader first, then what was verified and by which events, what was not, what
 * it cost, what people were asked and have said, what the agent claimed and the log shows, and what went wrong on the
 * way. Every list is short, and says where the rest is.
 */
import { doubtOf, doubtText } from "../../core/contract/counting.ts";
import { spentText } from "../session-facts.ts";
import { restText } from "../standing.ts";
import { formatDuration, formatQuantity } from "./format.ts";
import {
  agreedSection,
  baseSection,
  criteriaSections,
  gapsSection,
  notesSection,
} from "./report/agreement.ts";
import { documentLines, type Form, type Item, MARKDOWN, type Section } from "./report/document.ts";
import { executingSection, filesSection } from "./report/files-sections.ts";
import type { ReportSource } from "./report/source.ts";
import {
  claimsSection,
  decisionsSection,
  nextSection,
  openSection,
  recoveriesSection,
  spendSection,
} from "./report/work.ts";

const WIDTH_STANDARD = 80;

/** Lines without control characters, which can be shown or kept as a file. @param width - of a terminal */
export function reportLines(
  source: ReportSource,
  form: Form = MARKDOWN,
  width: number = WIDTH_STANDARD,
): readonly string[] {
  const { state } = source;
  const title = state.config?.title ?? state.sessionId;
  return documentLines(form, title, sectionsOf(source, form), width);
}

function sectionsOf(source: ReportSource, form: Form): Section[] {
  return [
    headSection(source, form),
    executingSection(source, form),
    ...criteriaSections(source, form),
    gapsSection(source, form),
    notesSection(source, form),
    openSection(source, form),
    filesSection(source, form),
    claimsSection(source, form),
    agreedSection(source, form),
    decisionsSection(source, form),
    spendSection(source, form),
    recoveriesSection(source, form),
    baseSection(source, form),
    nextSection(source, form),
  ];
}

function headSection({ state, work, account, head, now }: ReportSource, form: Form): Section {
  const { contract, sessionId } = state;
  const branch = state.branch?.published;
  const doubt = contract && doubtOf(contract, now);
  const took = work.endedAt - work.startedAt;
  const commit = contract?.given?.commit;
  const isKeepOnly = account.preflight?.criteria.every(({ role }) => role === "keep") ?? false;
  const isNothingToDo = state.stopReason?.type === "already_green";
  const isGoalOpen = isKeepOnly && (account.preflight?.criteria.length ?? 0) > 0 && !isNothingToDo;
  const items: (string | Item)[] = [
    `session: ${sessionId}`,
    `ends as: ${form.foreign(restText(state))}`,
    ...(doubt === null ? [] : [`now: ${form.foreign(doubtText(doubt))}`]),
    ...(isGoalOpen ? ["no regression shown; goal not checked: every check was green before work began"] : []),
    ...(branch == null
      ? []
      : [`branch: ${form.code(branch.branch)}${branch.verdict === null ? ", not verified" : ""}`]),
    ...(commit === undefined ? [] : [`commit: ${branch?.source === commit ? branch.commit : commit}`]),
    [
      `took: ${formatDuration(took)}`,
      ...(work.attemptCount === 0 ? [] : [formatQuantity(work.attemptCount, "attempt")]),
      formatQuantity(account.verdicts.length, "verdict"),
    ].join(", "),
    `spent: ${spentText(state)}`,
    `log: ${head}`,
  ];
  return { title: "", items };
}
