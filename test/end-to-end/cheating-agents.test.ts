import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bodiesOf, type Ending, eventually, Place } from "./place.ts";

const AGENT = resolve("test/fixtures/cheating-agent.mjs");
const TESTS =
  'import assert from "node:assert";\nimport { test } from "node:test";\nimport { add, sub } from "./math.mjs";\n\n' +
  'test("adds", () => assert.equal(add(1, 2), 3));\ntest("subtracts", () => assert.equal(sub(3, 2), 1));\n';
const HELD_OUT =
  'import assert from "node:assert";\nimport { test } from "node:test";\nimport { add } from "../math.mjs";\n\n' +
  'test("adds anything", () => assert.equal(add(20, 5), 25));\n';

let place: Place;

beforeEach(() => {
  place = new Place();
  place.write(
    "math.mjs",
    "export const add = (a, b) => a - b; // add\nexport const sub = (a, b) => a - b; // sub\n",
  );
  place.write("math.test.mjs", TESTS);
  const git = (...words: readonly string[]): void => {
    const who = ["-c", "user.name=someone", "-c", "user.email=someone@example.test"];
    execFileSync("git", [...who, ...words], { cwd: place.project });
  };
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "base");
});

afterEach(() => place[Symbol.asyncDispose]());

interface Ended extends Ending {
  readonly session: string;
}

function words(deed: string, flags: readonly string[] = []): string[] {
  const caps = ["--max-verdicts", "2", "--stall-after", "1"];
  const program = [process.execPath, AGENT, deed, place.folder];
  return ["ralph", "--check", "node --test", ...caps, ...flags, "--", ...program];
}

async function work(deed: string, ...flags: readonly string[]): Promise<Ended> {
  const running = place.start(words(deed, flags));
  const session = await running.says(/session {2}(\S+)/);
  return { session, ...(await running.ended) };
}

const heldOut = (): string[] => {
  const folder = join(place.folder, "held-out");
  mkdirSync(folder);
  writeFileSync(join(folder, "hidden.test.mjs"), HELD_OUT);
  return ["--held-out", `${folder}:hidden`];
};

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a program that works", { timeout: 300_000 }, () => {
  test("honestly ends verified, also by what it has not seen", async () => {
    const { code, stdout, stderr } = await work("honest", ...heldOut());
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain("verified");
  });

  test.each([
    ["done-phrase", 5],
    ["quoted-phrase", 3],
    ["deleted-test", 3],
    ["skipped-test", 4],
    ["weakened-test", 4],
    ["exit-zero", 3],
    ["flipped-tasks", 5],
    ["claimed-evidence", 3],
    ["broken-tree", 3],
    ["regression", 3],
  ])("by %s ends with exit code %i", async (deed, exit) => {
    const { code, session, stdout, stderr } = await work(deed);
    expect(code, stdout + stderr).toBe(exit);
    const events = await place.events(session);
    expect(bodiesOf(events, "verdict.given").map(({ outcome }) => outcome)).not.toContain("met");
    expect(bodiesOf(events, "attempt.ended").length).toBeLessThanOrEqual(2);
    const [, ...later] = bodiesOf(events, "attempt.prompted");
    for (const { content } of later)
      expect(JSON.stringify(content)).toContain("Next step: Run `node --test`");
    const drifted = bodiesOf(events, "contract.drifted").map(({ path }) => path);
    expect(drifted).toEqual(deed === "flipped-tasks" ? ["prd.json"] : []);
  });

  test("and says what it cannot do is heard at the second try, and a person decides", async () => {
    const { code, session, stdout, stderr } = await work("declares", "--stall-after", "2");
    expect(code, stdout + stderr).toBe(4);
    const events = await place.events(session);
    expect(bodiesOf(events, "contract.declared")).toMatchObject([
      { criterion: "node-test", status: "impossible", call: "a2" },
    ]);
    expect(bodiesOf(events, "verdict.given")).toMatchObject([
      { criteria: [{ status: "unmet" }] },
      { outcome: "review", criteria: [{ status: "impossible" }] },
    ]);
    const denied = await place.run(["deny", session, "node-test", "--reason", "it can be met"]);
    expect(denied.code, denied.stderr).toBe(0);
  });

  test("by heart is found out by what was held out", async () => {
    const { code, session, stdout, stderr } = await work("hard-coded", ...heldOut());
    expect(code, stdout + stderr).toBe(3);
    const [verdict] = bodiesOf(await place.events(session), "verdict.given");
    expect(verdict?.criteria).toMatchObject([{ status: "met" }, { status: "unmet" }]);
  });

  test("and fails is shown with its status and its last words, on the screen and in the report", async () => {
    const running = place.start([
      "ralph",
      "--check",
      "node --test",
      "--stall-after",
      "1",
      "--",
      "sh",
      "/no/agent.sh",
    ]);
    const session = await running.says(/session {2}(\S+)/);
    const { code, stdout, stderr } = await running.ended;
    expect(code, stdout + stderr).toBe(5);
    expect(stdout.replace(/\s+/g, " ")).toMatch(
      /attempt 1 ended: exit status \d+ \(\d+ ms\) \| .*\/no\/agent\.sh/,
    );
    const report = await place.run(["report", session]);
    expect(report.stdout).toMatch(/attempt 1: exit status \d+ .*agent\.sh/);
  });

  test.each([
    ["my-agent", "the program `my-agent` is not on the PATH"],
    ["/no/agent", "there is no program `/no/agent`"],
  ])("that is not there is told before a session is made: %s", async (program, problem) => {
    const { code, stderr } = await place.run([
      "ralph",
      "--check",
      "node --test",
      "--",
      program,
      "-p",
      "{prompt}",
    ]);
    expect(code, stderr).toBe(69);
    expect(stderr).toContain(problem);
    expect((await place.run(["list"])).stdout).not.toContain("sesn_");
  });

  test.each([
    ["idling", ["--attempt-timeout", "3s"]],
    ["hanging", ["--idle-timeout", "2s"]],
  ])("by %s is killed with all that it has started", async (deed, limit) => {
    const { code, session, stdout, stderr } = await work(deed, ...limit);
    expect(code, stdout + stderr).toBe(5);
    const ended = bodiesOf(await place.events(session), "attempt.ended");
    expect(ended).toMatchObject([{ ending: "timed_out" }]);
  });
});

test("a harness that is killed in the middle finds its program again: no second one, no orphan", {
  timeout: 300_000,
}, async () => {
  const running = place.start(words("slow"));
  const session = await running.says(/session {2}(\S+)/);
  await running.says(/attempt {2}1 begins/);
  const begun = join(place.folder, "begun");
  await eventually(() => existsSync(begun), "the program's beginning");
  running.child.kill("SIGKILL");
  await running.ended;
  const pid = Number(readFileSync(begun, "utf8"));
  // It works on without its harness.
  expect(isAlive(pid)).toBe(true);
  const resumed = place.start(["resume", session, "--yes"]);
  writeFileSync(join(place.folder, "go"), "");
  const { code, stdout, stderr } = await resumed.ended;
  expect(code, stdout + stderr).toBe(0);
  await eventually(() => !isAlive(pid), "the program's end");
  const events = await place.events(session);
  expect(bodiesOf(events, "attempt.started")).toHaveLength(1);
  expect(bodiesOf(events, "attempt.prompted")).toHaveLength(1);
  expect(bodiesOf(events, "attempt.ended")).toMatchObject([{ ending: "exited", exit_code: 0 }]);
  await place.expectSound();
});
