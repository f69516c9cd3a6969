/** Runs the system's grep on files that are held open: what a command puts in their place meanwhile is not looked at. */
import { spawn } from "node:child_process";
import type { FileHandle } from "node:fs/promises";
import { posix } from "node:path";
import type { Readable } from "node:stream";
import { messageOf } from "../../core/errors.ts";
import { errorCode, NotOrdinary, openFile, type Place } from "./files.ts";
import type { OperationContext } from "./operations.ts";

/** Of each line and complaint, twice this is kept. */
const LINE_CHARACTERS_MAX = 500;
/** The first descriptor after those that every process has. */
const FIRST_DESCRIPTOR = 3;
/** What grep knows a file by. */
const NAMES = "/proc/self/fd/";
/** Files that are passed over: gone, not to be read, or not ordinary any more. */
const PASSED_OVER: ReadonlySet<string | undefined> = new Set([
  "ENOENT",
  "ENOTDIR",
  "ELOOP",
  "EACCES",
  "EPERM",
]);

/** Takes lines until it is full. */
export interface LineList {
  /** False when there is no room for it. */
  add(line: string): boolean;
}

/** What is looked for. */
export interface GrepTask {
  /** POSIX, extended. */
  readonly expression: string;
  readonly list: LineList;
  readonly context: OperationContext;
}

interface OpenFile {
  readonly shown: string;
  readonly handle: FileHandle;
}

/**
 * Adds the lines of these files that match, in order.
 * @param paths - relative to the folder that the place holds
 * @returns what grep complains of, for the model
 */
export async function grepFiles(
  place: Place,
  paths: readonly string[],
  task: GrepTask,
): Promise<string | undefined> {
  const files: OpenFile[] = [];
  try {
    for (const [folder, names] of byFolder(paths)) await openBelow(place, folder, names, files);
    return files.length === 0 ? undefined : await grep(files, task);
  } finally {
    await Promise.all(files.map(({ handle }) => handle.close()));
  }
}

/** Neighbours of one folder together, in the order given. */
function byFolder(paths: readonly string[]): [folder: string, names: string[]][] {
  const groups: [string, string[]][] = [];
  for (const path of paths) {
    const folder = posix.dirname(path);
    const last = groups.at(-1);
    if (last?.[0] === folder) last[1].push(posix.basename(path));
    else groups.push([folder, [posix.basename(path)]]);
  }
  return groups;
}

async function openBelow(
  { folder, rest, shown }: Place,
  below: string,
  names: readonly string[],
  files: OpenFile[],
): Promise<void> {
  const held = await orPassedOver(folder.below(below === "." ? [] : below.split("/")));
  if (held === undefined) return;
  try {
    const opened = names.map(async (name) => {
      const handle = await orPassedOver(openFile(held.at(name)));
      const path = rest.length > 0 ? shown : posix.join(shown, below, name);
      return handle === undefined ? [] : [{ shown: path, handle }];
    });
    const settled = await Promise.allSettled(opened);
    files.push(...settled.flatMap((each) => (each.status === "fulfilled" ? each.value : [])));
    for (const each of settled) if (each.status === "rejected") throw each.reason;
  } finally {
    await held[Symbol.asyncDispose]();
  }
}

/** Anything else, such as too many open files, must not look like a file without a match. */
async function orPassedOver<Opened>(opening: Promise<Opened>): Promise<Opened | undefined> {
  try {
    return await opening;
  } catch (error) {
    if (error instanceof NotOrdinary || PASSED_OVER.has(errorCode(error))) return undefined;
    throw error;
  }
}

/** In a process of its own, so that a costly expression burns where it can be killed. */
async function grep(
  files: readonly OpenFile[],
  { expression, list, context: { root, environment, signal } }: GrepTask,
): Promise<string | undefined> {
  const names = files.map((_, index) => `${NAMES}${FIRST_DESCRIPTOR + index}`);
  const stopped = new AbortController();
  // Binary files are not read; -s: what cannot be read is passed over.
  const child = spawn("grep", ["-nIEsH", "-e", expression, "--", ...names], {
    cwd: root,
    env: { ...environment },
    stdio: ["ignore", "pipe", "pipe", ...files.map(({ handle }) => handle.fd)],
    signal: AbortSignal.any([signal, stopped.signal]),
    killSignal: "SIGKILL",
  });
  const { stdout, stderr } = child as { stdout: Readable; stderr: Readable };
  let complaint = "";
  stderr.setEncoding("utf8").on("data", (text: string) => {
    if (complaint.length < LINE_CHARACTERS_MAX) complaint += text;
  });
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  child.once("error", (error) => {
    if (!stopped.signal.aborted) complaint ||= messageOf(error);
  });
  child.once("close", () => resolve());
  for await (const line of lines(stdout)) if (!list.add(named(line, files))) stopped.abort();
  await ended;
  signal.throwIfAborted();
  return complaint === "" ? undefined : complaint.trim();
}

function named(line: string, files: readonly OpenFile[]): string {
  const end = line.indexOf(":");
  const index = Number(line.slice(NAMES.length, end)) - FIRST_DESCRIPTOR;
  return `${files[index]?.shown ?? ""}${line.slice(end)}`;
}

/** Lines of text, of which only the start is kept: a file may be one line of any length. */
async function* lines(stream: Readable): AsyncGenerator<string> {
  let pending = "";
  for await (const chunk of stream.setEncoding("utf8") as AsyncIterable<string>) {
    const [first = "", ...others] = chunk.split("\n");
    pending += first.slice(0, LINE_CHARACTERS_MAX * 2);
    for (const other of others) {
      yield pending;
      pending = other.slice(0, LINE_CHARACTERS_MAX * 2);
    }
    pending = pending.slice(0, LINE_CHARACTERS_MAX * 2);
  }
  if (pending !== "") yield pending;
}
