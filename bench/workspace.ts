/**
 * Checkpoint and reset of a workspace of 5,000 files, beside a plain copy of it. Ours are durable and checked: a
 * checkpoint is synced before it answers, a reset is followed by the workspace's next change.
 */
import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type SessionId, sessionId } from "../src/core/ids.ts";
import type { Workspaces } from "../src/workspace/contract.ts";
import { openWorkspaces } from "../src/workspace/index.ts";
import type { Benchmark, RunOptions } from "./benchmark.ts";
import { compared, type Result } from "./report.ts";
import { type Pair, summarizePairs } from "./statistics.ts";

const FILES = 5000;
const TINY_FILES = 50;
const FILE_BYTES = 26_000;
const FILES_PER_FOLDER = 25;
const CHANGED_FILES = 20;
const AIM = 1 / 50;
const runFile = promisify(execFile);

interface Place {
  readonly workspaces: Workspaces;
  readonly session: SessionId;
  readonly folder: string;
  readonly source: string;
  readonly files: number;
  base: string;
  previous: string;
  number: number;
}

function pathOf(index: number): string {
  return join(`folder-${Math.floor(index / FILES_PER_FOLDER)}`, `file-${index}.txt`);
}

function contentOf(index: number, revision: number): string {
  const line = `line of file ${index} in revision ${revision}, number `;
  let text = "";
  for (let number = 0; text.length < FILE_BYTES; number++) text += `${line}${number * index}\n`;
  return text;
}

async function makePlace(folder: string, files: number): Promise<Place> {
  const source = join(folder, "project");
  for (let index = 0; index < files; index++) {
    const path = join(source, pathOf(index));
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, contentOf(index, 0));
  }
  let builds = 0;
  const workspaces = openWorkspaces({
    folder: join(folder, "workspaces"),
    environment: process.env,
    unique: () => `build-${++builds}`,
  });
  const session = sessionId("benchworkspace");
  const options = { dirty: "include", atMs: 0 } as const;
  const { base, files: made } = await workspaces.prepare(session, source, options, never);
  if (made.overlay === undefined) throw new Error("overlays do not work here");
  return { workspaces, session, folder, source, files, base, previous: base, number: 0 };
}

const never = new AbortController().signal;

/** As an agent would, but in the upper folder itself, which nobody has mounted. */
async function change({ workspaces, session, files }: Place, revision: number): Promise<void> {
  const upper = (await workspaces.find(session))?.files.overlay?.upper ?? "";
  for (let each = 0; each < Math.min(CHANGED_FILES, files); each++) {
    const index = (each * 241 + revision) % files;
    const path = join(upper, pathOf(index));
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, contentOf(index, revision));
  }
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await act();
  return performance.now() - startedMs;
}

async function copy({ folder, source }: Place): Promise<number> {
  const target = join(folder, "copy");
  const ms = await timed(() => runFile("cp", ["-a", source, target]));
  rmSync(target, { recursive: true });
  return ms;
}

async function checkpoint(place: Place): Promise<number> {
  const { workspaces, session, previous } = place;
  const request = { number: ++place.number, previous, reason: "benchmark", atMs: 0 };
  return timed(async () => {
    place.previous = (await workspaces.checkpoint(session, request, never)).commit;
  });
}

async function run({ folder, isTiny, reps, onProgress }: RunOptions): Promise<Result> {
  const repetitions = reps ?? (isTiny ? 1 : 15);
  onProgress("writing the workspace");
  const place = await makePlace(folder, isTiny ? TINY_FILES : FILES);
  const names = ["checkpoint", "reset", "restore"] as const;
  const pairs = { checkpoint: [] as Pair[], reset: [] as Pair[], restore: [] as Pair[] };
  // The first round only fills the page cache.
  for (let rep = -1; rep < repetitions; rep++) {
    onProgress(`repetition ${rep + 1} of ${repetitions}`);
    await change(place, rep + 2);
    const baseline = await copy(place);
    const saved = await checkpoint(place);
    const { workspaces, session } = place;
    const reset = await timed(() => workspaces.restore(session, place.base, never));
    const restored = await timed(() => workspaces.restore(session, place.previous, never));
    if (rep < 0) continue;
    for (const [index, ours] of [saved, reset, restored].entries()) {
      const name = names[index];
      if (name !== undefined) pairs[name].push({ ours, baseline });
    }
  }
  const aim = { of: "ratio", atMost: AIM } as const;
  return {
    parameters: { reps: repetitions, files: place.files, changed: Math.min(CHANGED_FILES, place.files) },
    figures: names.map((name) =>
      compared(name, "ms", summarizePairs(pairs[name]), name === "restore" ? null : aim),
    ),
    notes: [
      `Baseline: cp -a of the same files (${Math.round((place.files * FILE_BYTES) / 2 ** 20)} MiB), which syncs nothing.`,
      "Restore gives back the changed files and checks the tree's hash.",
    ],
  };
}

/** Checkpoint and reset. */
export const workspace: Benchmark = {
  name: "workspace",
  summary: "checkpoint and reset of a workspace, against a copy of it",
  run,
};
