/** Reads what a prompt is made of out of log and files, and keeps the task files that programs look for. */
import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import type { PromptSources } from "../core/command/prompt.ts";
import {
  DECLARE_PATH,
  NOTHING_DECLARED,
  PROGRESS_PATH,
  type ProgressLine,
  progressText,
  TASKS_PATH,
  tasksNow,
} from "../core/command/renderings.ts";
import type { SessionEvent } from "../core/events/index.ts";
import { programHandoffText } from "../core/handoff/render.ts";
import type { ExecId } from "../core/ids.ts";
import type { SessionState } from "../core/state.ts";
import type { Sandbox } from "../sandbox/contract.ts";
import type { Lease, Store } from "../store/contract.ts";
import type { Workspaces } from "../workspace/contract.ts";
import { handoffOf } from "./handoffs.ts";
import { declaredIn } from "./program-declarations.ts";

/** Instructions that a repository has for loops like this. */
const PROMPT_FILE = "PROMPT.md";
const PROMPT_BYTES_MAX = 64 * 1024;
/** Of the newest messages; the first is what the session is about. */
const MESSAGES_MAX = 20;
/** Of the newest attempts. */
const PROGRESS_MAX = 50;
const FILE_WALL_MS = 30_000;
const OUTPUT_BYTES = 4096;

/** What of the workspaces an attempt needs. */
export type AttemptWorkspaces = Pick<Workspaces, "find" | "lend" | "rendering" | "changedFiles">;

/** Where to read. */
export interface SourcePlaces {
  readonly store: Store;
  readonly lease: Lease;
  readonly clock: Clock;
  /** As the attempt finds it. */
  readonly state: SessionState;
  readonly workspaces: () => Promise<AttemptWorkspaces>;
  readonly base: string;
  readonly signal: AbortSignal;
}

/** With what the task files need. */
export interface AttemptSources extends PromptSources {
  readonly progress: readonly ProgressLine[];
  /** Task files that the repository has itself: those are its own. */
  readonly ownFiles: readonly string[];
  /** The progress file as the last program has left it. */
  readonly notes: string;
}

/** Reads them. What the program could have changed is read from the base commit. */
export async function promptSources(places: SourcePlaces): Promise<AttemptSources> {
  const { promptFile, ownFiles } = await fromBase(places);
  const verdicts = await newest(places, "verdict.given", 1);
  const said = await newest(places, "user.message", MESSAGES_MAX);
  const [first] = await oldest(places, "user.message");
  const declared = await declaredIn(await places.workspaces(), places.lease.sessionId, places.state);
  const messages = [
    ...(first === undefined || said.some(({ seq }) => seq === first.seq) ? [] : [first]),
    ...said,
  ];
  return {
    promptFile,
    ownFiles,
    handoff: await leftBehind(places),
    verdict: verdicts.map(({ body }) => textOf(body.content ?? [])).at(-1) ?? null,
    messages: messages.map(({ body }) => textOf(body.content)),
    mayDeclare: declared !== undefined,
    misdeclared: typeof declared === "string" ? declared : null,
    progress: await progressOf(places),
    notes: await notesOf(places),
  };
}

/** What earlier attempts have come to; null before there was one. */
async function leftBehind({ state, signal, ...parts }: SourcePlaces): Promise<string | null> {
  const { number, handoff: recorded, rejected } = state.attempts;
  if (number <= 1) return null;
  return programHandoffText(await handoffOf(parts, (recorded?.number ?? 0) + 1, state, signal), rejected);
}

async function fromBase({
  workspaces,
  lease,
  base,
  signal,
}: SourcePlaces): Promise<{ readonly promptFile: string | null; readonly ownFiles: readonly string[] }> {
  const look = async (folder: string) => ({
    promptFile: readSmall(join(folder, PROMPT_FILE)),
    ownFiles: [TASKS_PATH, PROGRESS_PATH].filter((path) => readSmall(join(folder, path)) !== null),
  });
  return (await workspaces()).lend(lease.sessionId, base, look, signal);
}

/** Null for what is no file, or no small one. Links are as somebody made them, so none is followed. */
function readSmall(path: string): string | null {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true && found.size <= PROMPT_BYTES_MAX ? readFileSync(path, "utf8") : null;
}

async function notesOf({ workspaces, lease }: SourcePlaces): Promise<string> {
  const file = await (await workspaces()).rendering(lease.sessionId, PROGRESS_PATH);
  return file?.toString("utf8") ?? "";
}

async function progressOf(places: SourcePlaces): Promise<ProgressLine[]> {
  const { store, lease } = places;
  const types = ["attempt.ended", "verdict.given"];
  const events = await store.getEvents(lease.sessionId, { backwards: true, limit: 2 * PROGRESS_MAX, types });
  const lines: ProgressLine[] = [];
  for (const item of events.toReversed()) {
    if (item.type === "attempt.ended") {
      const code = item.body.exit_code ?? null;
      lines.push({
        attempt: item.body.attempt,
        text: `${item.body.ending}${code === null ? "" : ` ${code}`}`,
      });
    }
    const last = lines.at(-1);
    if (item.type === "verdict.given" && last !== undefined)
      lines[lines.length - 1] = {
        ...last,
        text: `${last.text}; verdict ${item.body.number}: ${verdictWords(item)}`,
      };
  }
  return lines;
}

function verdictWords({ body }: SessionEvent<"verdict.given">): string {
  return body.criteria.map(({ criterion, status }) => `${criterion} ${status}`).join(", ");
}

async function newest<Type extends "verdict.given" | "user.message">(
  { store, lease }: SourcePlaces,
  type: Type,
  limit: number,
): Promise<SessionEvent<Type>[]> {
  const events = await store.getEvents(lease.sessionId, { backwards: true, limit, types: [type] });
  return events.toReversed() as SessionEvent<Type>[];
}

async function oldest(
  { store, lease }: SourcePlaces,
  type: "user.message",
): Promise<SessionEvent<"user.message">[]> {
  const events = await store.getEvents(lease.sessionId, { after: 0, limit: 1, types: [type] });
  return events as SessionEvent<"user.message">[];
}

function textOf(content: readonly { readonly text: unknown }[]): string {
  return content.map(({ text }) => (typeof text === "string" ? text : "")).join("\n");
}

/** Through what the task files are kept. */
export interface TaskFiles {
  readonly sandbox: Sandbox;
  /** Of the attempt. */
  readonly execId: ExecId;
  readonly signal: AbortSignal;
}

/**
 * Writes the task files anew; what a program had made of them is nobody's truth.
 * @returns the tasks; null where the repository has such a file of its own
 */
export async function writeTaskFiles(
  files: TaskFiles,
  state: SessionState,
  { progress, ownFiles, notes, mayDeclare }: AttemptSources,
  at: number,
): Promise<string | null> {
  const tasks = ownFiles.includes(TASKS_PATH) ? null : tasksNow(state, at);
  if (tasks !== null) await write(files, state, TASKS_PATH, tasks);
  if (!ownFiles.includes(PROGRESS_PATH))
    await write(files, state, PROGRESS_PATH, progressText(progress, notes));
  // What was declared is in the log by now; said again, it has to be written again.
  if (mayDeclare) await write(files, state, DECLARE_PATH, NOTHING_DECLARED);
  return tasks;
}

async function write(
  { sandbox, execId, signal }: TaskFiles,
  state: SessionState,
  path: string,
  content: string,
): Promise<void> {
  const request = {
    execId: `${execId}/${path}` as ExecId,
    incarnation: state.command?.incarnation ?? "",
    operation: "write" as const,
    input: { file_path: path, content },
    limits: { wallMs: FILE_WALL_MS, outputBytes: OUTPUT_BYTES },
  };
  // A folder in its place, or no room: the program works without, they are for it to read.
  await sandbox.execute(request, { signal });
}
