import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ScriptTurn } from "../../src/model/script-schema.ts";
import { Place } from "./place.ts";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place[Symbol.asyncDispose]());

const TESTS =
  'import assert from "node:assert";\nimport { test } from "node:test";\nimport { add } from "./math.mjs";\n\n' +
  'test("adds", () => assert.equal(add(1, 2), 3));\n';

function git(...words: readonly string[]): string {
  const who = ["-c", "user.name=someone", "-c", "user.email=someone@example.test"];
  return execFileSync("git", [...who, ...words], { cwd: place.project, encoding: "utf8" }).trim();
}

function commit(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) place.write(path, text);
  git("add", ".");
  git("commit", "-qm", "mine");
}

const bash = (command: string): ScriptTurn => ({ tools: [{ name: "bash", input: { command } }] });
const FIX = bash("sed -i '1s/a - b/a + b/' math.mjs; mkdir .vscode; echo '{}' >.vscode/tasks.json");

async function verified(): Promise<string> {
  git("init", "-q", "-b", "main");
  commit({ "math.mjs": "export const add = (a, b) => a - b;\n", "math.test.mjs": TESTS, "notes.txt": "" });
  place.write("../worker.json", JSON.stringify({ turns: [FIX, { text: "Done." }] }));
  const words = ["run", "--model", "scripted:../worker.json", "--check", "node --test", "Make it pass"];
  const running = place.start(words);
  const session = await running.says(/session {2}(\S+)/);
  const ending = await running.ended;
  expect(ending.code, ending.stdout + ending.stderr).toBe(0);
  return session;
}

describe("apply", { timeout: 600_000 }, () => {
  test("asks about what runs on your machine, then fast-forwards", async () => {
    const session = await verified();
    const head = git("rev-parse", "HEAD");
    const look = await place.run(["apply", session, "--dry-run"]);
    expect(look.code, look.stderr).toBe(0);
    expect(look.stdout).toContain("may run on your machine: .vscode/tasks.json (editor task)");
    const unanswered = await place.run(["apply", session]);
    expect(unanswered.code).toBe(4);
    expect(unanswered.stderr).toMatch(/E_APPLY_UNANSWERED[\s\S]*--yes executing/);
    expect(git("rev-parse", "HEAD")).toBe(head);
    const applied = await place.run(["apply", session, "--yes", "executing"]);
    expect(applied.code, applied.stderr).toBe(0);
    expect(git("status", "--porcelain")).toBe("");
    expect(git("rev-parse", "HEAD")).toBe(git("rev-parse", `nightshift/make-it-pass-${session.slice(-6)}`));
    expect((await place.run(["apply", session])).stdout).toContain("has this work already");
    expect((await place.run(["apply", session, "--yes", "all"])).code).toBe(2);
  });

  test("judges the merged files when others have worked meanwhile: each alone green, together red", async () => {
    const session = await verified();
    commit({ "notes.txt": "mine\n" });
    const ending = await place.run(["apply", session, "--yes", "executing"]);
    expect(ending.code, ending.stdout + ending.stderr).toBe(0);
    expect(ending.stderr).toContain("the checks run on the merged files");
    expect(readFileSync(join(place.project, "notes.txt"), "utf8")).toBe("mine\n");
    expect(git("log", "-1", "--format=%s")).toBe("Merge: Make it pass");
  });

  test("changes nothing when the merged files do not meet the contract, or both sides changed the same", async () => {
    const session = await verified();
    // Green by itself: it says what add does today.
    const today =
      'import assert from "node:assert";\nimport { test } from "node:test";\nimport { add } from "./math.mjs";\n' +
      'test("is odd", () => assert.equal(add(5, 2), 3));\n';
    commit({ "odd.test.mjs": today });
    const head = git("rev-parse", "HEAD");
    const red = await place.run(["apply", session, "--yes", "executing"]);
    expect(red.code, red.stdout + red.stderr).toBe(1);
    expect(git("rev-parse", "HEAD")).toBe(head);
    commit({ "math.mjs": "export const add = (a, b) => b + a;\n" });
    const conflict = await place.run(["apply", session, "--yes", "executing"]);
    expect(conflict.code, conflict.stdout).toBe(4);
    expect(conflict.stderr).toMatch(/E_APPLY_CONFLICT[\s\S]*math\.mjs[\s\S]*git merge nightshift/);
  });

  test("refuses what is not verified", async () => {
    git("init", "-q", "-b", "main");
    commit({ "math.mjs": "export const add = (a, b) => a - b;\n", "math.test.mjs": TESTS });
    place.write("../worker.json", JSON.stringify({ turns: [{ text: "Done." }, { text: "Done." }] }));
    await place.run(["run", "--model", "scripted:../worker.json", "--check", "node --test", "go"]);
    const ending = await place.run(["apply"]);
    expect(ending.code).toBe(4);
    expect(ending.stderr).toMatch(/E_NOT_VERIFIED[\s\S]*verdict \d says unmet[\s\S]*nightshift publish/);
  });
});
