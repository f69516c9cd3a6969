/**
 * A harness is killed at the boundaries of what it starts while it makes, saves and restores a workspace; the next
 * one does it all again. Whatever moment it was: the same commits, nothing left over, the user's folder untouched.
 */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sessionId } from "../../src/core/ids.ts";
import { contentOf, git, repository, temporaryFolder, workspacesIn, write } from "../support/repositories.ts";
import type { WorkspaceLife, WorkspaceOutcome } from "./workspace-child.ts";

const PROGRAMS = ["git", "unshare", "cp", "sync"];
/** Of all boundaries, each so many-th is tried. */
const STEP = 3;
const SESSION = sessionId("killedworkspace");

interface World {
  readonly folder: string;
  readonly source: string;
  readonly life: WorkspaceLife;
}

function world(copies: boolean): World {
  const folder = temporaryFolder();
  const source = repository(join(folder, "project"), { "a.txt": "one\n", "d/b.txt": "two\n" });
  write(source, { "dirty.txt": "dirty\n" });
  chmodSync(folder, 0o755);
  const path = process.env.PATH ?? "";
  return { folder, source, life: { folder: join(folder, "state"), source, session: SESSION, path, copies } };
}

/** Programs that kill whoever starts the n-th of them, before or after doing their work. */
function killers(folder: string, count: number): string {
  const shims = join(folder, "shims");
  mkdirSync(shims);
  const counted = join(shims, "counted");
  mkdirSync(counted);
  for (const name of PROGRAMS) {
    const real = execFileSync("sh", ["-c", `command -v ${name}`])
      .toString()
      .trim();
    const lines = [
      "#!/bin/sh",
      // Some are started at the same moment, and each is to have a number of its own.
      `n=1; until mkdir ${counted}/$n 2>/dev/null; do n=$((n + 1)); done`,
      `if [ $n -eq ${count} ]; then`,
      count % 2 === 0 ? "kill -9 $PPID" : `${real} "$@"; kill -9 $PPID; exit`,
      `fi; exec ${real} "$@"`,
    ];
    writeFileSync(join(shims, name), `${lines.join("\n")}\n`, { mode: 0o755 });
  }
  return shims;
}

function live(
  life: WorkspaceLife,
  user?: number,
): Promise<{ outcome?: WorkspaceOutcome; signal: string | null; problems: string }> {
  const identity = user === undefined ? {} : { uid: user, gid: user };
  const child = spawn(process.execPath, [join(import.meta.dirname, "workspace-child.ts")], identity);
  let output = "";
  let problems = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk: Buffer) => {
    problems += chunk;
  });
  child.stdin.end(JSON.stringify(life));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (_, signal) => {
      resolve({
        signal,
        problems,
        ...(output === "" ? {} : { outcome: JSON.parse(output) as WorkspaceOutcome }),
      });
    });
  });
}

/** Everything that the workspaces of that folder should not have any more. */
async function leaks({ folder, life }: World): Promise<string[]> {
  const workspaces = workspacesIn(folder);
  for (const leftover of await workspaces.findLeftovers(new Set([SESSION])))
    await workspaces.removeLeftover(leftover);
  const builds = readdirSync(join(life.folder, "builds"));
  const packs = readdirSync(join(life.folder, SESSION, "repository.git", "objects", "pack"));
  const unfinished = packs.filter((name) => name.startsWith("tmp_"));
  const generations = readdirSync(join(life.folder, SESSION, "files")).slice(1);
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(folder));
  return [...builds, ...unfinished, ...generations, ...mounts];
}

describe.each([{ copies: false }, { copies: true }])("a workspace (copies: $copies)", ({ copies }) => {
  test("survives the death of its harness at every boundary", async () => {
    const calm = world(copies);
    const { outcome: expected, problems } = await live(calm.life);
    expect(problems).toBe("");
    expect(expected?.trees[3]).toBe(expected?.trees[1]);
    let kills = 0;
    for (let count = 1 + (copies ? 1 : 0); ; count += STEP) {
      const each = world(copies);
      const before = contentOf(each.source);
      const shims = killers(each.folder, count);
      const killed = await live({ ...each.life, path: `${shims}:${each.life.path}` });
      if (killed.signal === null) {
        expect(killed.outcome?.trees, killed.problems).toEqual(expected?.trees);
        if (readdirSync(join(shims, "counted")).length < count) break;
        // What was not needed in the end was itself ended before it could kill anybody.
        continue;
      }
      kills++;
      const { outcome, problems: failure } = await live(each.life);
      expect(outcome?.trees, `killed at ${count}: ${failure}`).toEqual(expected?.trees);
      expect(await leaks(each), `killed at ${count}`).toEqual([]);
      const place = join(each.life.folder, SESSION, "repository.git");
      expect(git(place, "fsck", "--strict", "--no-dangling"), `killed at ${count}`).toBe("");
      expect(contentOf(each.source), `killed at ${count}`).toEqual(before);
    }
    expect(kills).toBeGreaterThan(8);
  });
});

test("a plain user has overlays too, and the same commits", async (context) => {
  if (process.geteuid?.() !== 0) context.skip("every test here runs as a plain user");
  const root = world(false);
  const plain = world(false);
  execFileSync("chown", ["-R", "65534:65534", plain.folder]);
  const [one, other] = [await live(root.life), await live(plain.life, 65534)];
  expect(other.problems).toBe("");
  expect(one.outcome?.kind).toBe("overlay");
  // Where a plain user may make no namespaces, files are copied; the commits are the same.
  expect(other.outcome?.trees).toEqual(one.outcome?.trees);
});
