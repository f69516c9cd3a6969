import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ScriptTurn } from "../../src/model/script-schema.ts";
import { bodiesOf, type Ending, Place } from "./place.ts";

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

function project(): void {
  place.write("math.mjs", "export const add = (a, b) => a - b;\n");
  place.write("math.test.mjs", TESTS);
  git("init", "-q", "-b", "main");
  git("add", ".");
  git("commit", "-qm", "base");
}

const bash = (command: string): ScriptTurn => ({ tools: [{ name: "bash", input: { command } }] });
const FIX = bash("sed -i '1s/a - b/a + b/' math.mjs");
const DONE: ScriptTurn = { text: "Done." };

function words(turns: readonly ScriptTurn[], ...flags: readonly string[]): readonly string[] {
  place.write("../worker.json", JSON.stringify({ turns }));
  const check = ["--model", "scripted:../worker.json", "--check", "node --test"];
  return ["run", ...check, ...flags, "Make the tests pass"];
}

async function work(turns: readonly ScriptTurn[], ...flags: readonly string[]) {
  const running = place.start(words(turns, ...flags));
  const session = await running.says(/session {2}(\S+)/);
  const ending: Ending = await running.ended;
  return { session, branch: `nightshift/make-the-tests-pass-${session.slice(-6)}`, ...ending };
}

/** Working tree, index, HEAD and settings: all that a run must leave alone. */
function fingerprint(): string {
  const digest = createHash("sha256");
  for (const entry of readdirSync(place.project, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || /\.git\/(objects|refs|logs)\//.test(path)) continue;
    digest.update(path).update(readFileSync(path));
  }
  return digest.digest("hex");
}

describe("the branch in the morning", { timeout: 600_000 }, () => {
  test("is there when the run is verified, says what was found, and nothing else was touched", async () => {
    project();
    const before = fingerprint();
    const { code, session, branch, stdout, stderr } = await work([DONE, FIX, DONE]);
    expect(code, stdout + stderr).toBe(0);
    expect(git("log", "--format=%s", `main..${branch}`)).toBe("Make the tests pass");
    const trailers = git("log", "-1", "--format=%(trailers)", branch);
    expect(trailers).toBe(
      `Nightshift-Session: ${session}\nNightshift-Criterion: node-test\nNightshift-Verdict: 2, met (in-process)`,
    );
    const [given] = bodiesOf(await place.events(session), "verdict.given").slice(-1);
    expect(git("rev-parse", `${branch}^{tree}`)).toBe(given?.tree_b);
    expect(git("status", "--porcelain")).toBe("");
    expect(fingerprint()).toBe(before);
    expect(stdout).toContain(branch);
    const types = (await place.events(session)).map(({ type }) => type);
    expect(types.indexOf("branch.published")).toBeLessThan(types.lastIndexOf("session.status_idle"));
  });

  test("is in the one JSON value that a program reads, with the exit code", async () => {
    project();
    const { code, stdout, stderr } = await place.run(words([FIX, DONE], "--json"));
    expect(code, stderr).toBe(0);
    const result = JSON.parse(stdout) as { branch: { branch: string; commit: string } };
    expect(result).toMatchObject({
      stop_reason: { type: "verified", verdict: 1 },
      branch: { verdict: 1 },
      exit_code: 0,
    });
    expect(git("rev-parse", result.branch.branch)).toBe(result.branch.commit);
  });

  test("is refused before anything is spent when it could not be made", async () => {
    project();
    git("branch", "nightshift");
    const { code, stderr } = await place.run(words([FIX, DONE]));
    expect(code).toBe(2);
    expect(stderr).toContain("E_BRANCH_TAKEN");
    expect((await place.run(["list"])).stdout).not.toContain("sesn_");
  });

  test("of what is not verified is made when a person asks, and says so", async () => {
    project();
    const { code, session, branch } = await work(
      [bash("echo more >> math.mjs"), DONE],
      "--max-verdicts",
      "1",
    );
    expect(code).toBe(3);
    expect(git("branch", "--list", "nightshift/*")).toBe("");
    expect((await place.run(["publish", session])).code).toBe(0);
    expect(git("log", "-1", "--format=%s", branch)).toBe("Not verified: Make the tests pass");
    const taken = await place.run(["publish", session, "--branch", "main"]);
    expect(taken.code, taken.stdout).toBe(2);
    expect(taken.stderr).toContain("E_BRANCH_TAKEN");
    expect((await place.run(["publish", session, "--branch", "mine"])).code).toBe(0);
    expect(git("rev-parse", "mine")).toBe(git("rev-parse", branch));
  });

  test("is the same whenever its making is killed", async () => {
    project();
    place.write("../worker.json", JSON.stringify({ turns: [FIX, DONE] }));
    for (const delay of [0, 60]) {
      const running = place.start(words([FIX, DONE]));
      const session = await running.says(/session {2}(\S+)/);
      await running.says(/1: every criterion is met/);
      // The moment of the kill is what this is about.
      await new Promise((resolve) => setTimeout(resolve, delay));
      running.child.kill("SIGKILL");
      await running.ended;
      expect((await place.run(["resume", session])).code).toBe(0);
      const events = await place.events(session);
      const published = bodiesOf(events, "branch.published");
      expect(published).toHaveLength(1);
      expect(git("rev-parse", String(published[0]?.branch))).toBe(published[0]?.commit);
      expect(bodiesOf(events, "verdict.given")).toHaveLength(1);
    }
  });
});
