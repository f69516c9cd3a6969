/** The files that loops of programs know: tasks and progress, as the log has them, which nobody reads back. */
import { statusOf } from "../attempt/target.ts";
import type { Contract } from "../contract/contract.ts";
import type { SessionState } from "../state.ts";

/** Tasks, with what verdicts say of each. */
export const TASKS_PATH = "prd.json";
/** What came of the attempts so far; notes of the program's own stand below. */
export const PROGRESS_PATH = "progress.txt";

/** Where a program declares what it cannot do. The one file that is read: as data, after each attempt. */
export const DECLARE_PATH = ".nightshift/declare.json";
/** What that file holds as an attempt begins. */
export const NOTHING_DECLARED = "[]\n";

const NOTES_MARK = "--- notes (yours; nothing here is taken for true) ---";
const NOTES_LENGTH_MAX = 64 * 1024;

/** One line of the progress file. */
export interface ProgressLine {
  readonly attempt: number;
  readonly text: string;
}

function tasksOf(contract: Contract, passes: (criterion: string) => boolean = () => false): string {
  const userStories = contract.criteria.map(({ id, description, steps }, index) => ({
    id,
    title: description,
    acceptanceCriteria: steps,
    priority: index + 1,
    passes: passes(id),
  }));
  const note = "A copy. `passes` is what the last verdict says; changing this file changes nothing.";
  return `${JSON.stringify({ note, description: contract.goal, userStories }, null, 2)}\n`;
}

/** The files as a session begins with them. */
export function taskFiles(contract: Contract): { readonly path: string; readonly text: string }[] {
  return [
    { path: TASKS_PATH, text: tasksOf(contract) },
    { path: PROGRESS_PATH, text: progressText([], "") },
    { path: DECLARE_PATH, text: NOTHING_DECLARED },
  ];
}

/** The tasks as they stand. */
export function tasksNow(state: SessionState, at: number): string {
  const { contract } = state;
  if (contract === null) return "";
  return tasksOf(contract.contract, (id) => statusOf(state, id, at) === "met");
}

/** @param before - the file as it was, whose notes are kept */
export function progressText(lines: readonly ProgressLine[], before: string): string {
  const mark = before.indexOf(NOTES_MARK);
  const notes = mark === -1 ? "" : before.slice(mark + NOTES_MARK.length).trim();
  return [
    "What came of the attempts so far, as the harness has it.",
    ...lines.map(({ attempt, text }) => `attempt ${attempt}: ${text}`),
    "",
    NOTES_MARK,
    notes.slice(-NOTES_LENGTH_MAX),
    "",
  ].join("\n");
}
