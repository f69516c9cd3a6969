import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
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
  'import assert from "node:assert";\nimport { test } from "node:test";\nimport { add, sub } from "./math.mjs";\n\n' +
  'test("adds", () => assert.equal(add(1, 2), 3));\ntest("subtracts", () => assert.equal(sub(3, 2), 1));\n';

function git(...words: readonly string[]): string {
  const who = ["-c", "user.name=someone", "-c", "user.email=someone@example.test"];
  return execFileSync("git", [...who, ...words], { cwd: place.project, encoding: "utf8" }).trim();
}

/** A project whose `add` is wrong. */
function project(): void {
  place.write("math.mjs", "export const add = (a, b) => a - b;\nexport const sub = (a, b) => a - b;\n");
  place.write("math.test.mjs", TESTS);
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "base");
}

const bash = (command: string): ScriptTurn => ({ tools: [{ name: "bash", input: { command } }] });
const FIX = bash("sed -i '1s/a - b/a + b/' math.mjs");
const WEAKEN = bash("sed -i 's/assert.equal(add(1, 2), 3)/assert.ok(add(1, 2))/' math.test.mjs");
const DONE: ScriptTurn = { text: "All tests pass. Done! <promise>COMPLETE</promise>" };

interface Ended extends Ending {
  readonly session: string;
}

interface StatusJson {
  readonly contract: {
    readonly waivers: readonly { readonly is_over: boolean }[];
    readonly verdict: { readonly is_stale: boolean };
  };
}

async function work(turns: readonly ScriptTurn[], ...flags: readonly string[]): Promise<Ended> {
  place.write("../worker.json", JSON.stringify({ turns }));
  const words = ["run", "--model", "scripted:../worker.json", "--check", "node --test", ...flags];
  const running = place.start([...words, "make the tests pass"]);
  const session = await running.says(/session {2}(\S+)/);
  return { session, ...(await running.ended) };
}

describe("a session under a contract", { timeout: 120_000 }, () => {
  test("ends as verified when the harness has seen it, and not when the agent says so", async () => {
    project();
    const before = readFileSync(join(place.project, "math.mjs"), "utf8");
    const { code, session, stdout, stderr } = await work([DONE, FIX, DONE]);
    expect(code, stdout + stderr).toBe(0);
    const events = await place.events(session);
    const given = bodiesOf(events, "verdict.given");
    expect(given.map(({ outcome }) => outcome)).toEqual(["unmet", "met"]);
    expect(bodiesOf(events, "preflight.finished")).toMatchObject([
      { problems: [], criteria: [{ status: "failed", role: "earn" }] },
    ]);
    const report = await place.run(["report", session]);
    expect(report.stdout).toContain("**node-test**: met (in-process)");
    expect(report.stdout).toContain("answers that were looked up cannot be excluded");
    expect(report.stdout).toContain("math.mjs");
    const types = events.map(({ type }) => type);
    expect(types.indexOf("preflight.finished")).toBeLessThan(types.indexOf("span.model_request_start"));
    expect(await place.json(["status", session])).toMatchObject({
      stop_reason: { type: "verified", verdict: 2 },
      contract: { verdict: { outcome: "met", is_stale: false }, criteria: [{ status: "met" }] },
    });
    expect(readFileSync(join(place.project, "math.mjs"), "utf8")).toBe(before);
  });

  test("ends with 1 when the agent stops although its work is not met", async () => {
    project();
    const { code, session } = await work([DONE, DONE]);
    expect(code).toBe(1);
    expect(await place.json(["status", session])).toMatchObject({
      stop_reason: { type: "unmet", verdict: 2 },
    });
  });

  test("ends with 3 at its cap on verdicts, whatever is sent, until the named command has raised it", async () => {
    project();
    const { code, session, stderr } = await work([DONE, DONE, FIX, DONE], "--max-verdicts", "1");
    expect(code).toBe(3);
    expect(stderr).toContain(`next: nightshift amend ${session} --max-verdicts ... --reason ...`);
    expect((await place.run(["send", session, "please"])).code).toBe(0);
    expect((await place.run(["resume", session])).code).toBe(3);
    expect(bodiesOf(await place.events(session), "verdict.requested")).toHaveLength(1);
    const sizes = ["--max-files", "9", "--max-lines", "90"];
    const words = ["amend", session, "--max-verdicts", "5", ...sizes, "--reason", "one was too few"];
    const amended = await place.run(words);
    expect(amended).toMatchObject({ code: 0, stdout: expect.stringContaining("weaker: 5 verdicts, not 1") });
    expect(bodiesOf(await place.events(session), "control.amend_contract")).toMatchObject([
      { contract: { limits: { verdicts: 5, files: 9, lines: 90 } } },
    ]);
    const again = await place.run(words);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("as it is already") });
    expect((await place.run(["resume", session])).code).toBe(0);
    const { stdout: report } = await place.run(["report", session]);
    expect(report).toMatch(/one was too few \(event \d+\)\n {2}- weaker: 5 verdicts, not 1/);
  });

  test("ends with 0 and asks no model when nobody wants more than checks that are green already", async () => {
    project();
    place.write("math.mjs", "export const add = (a, b) => a + b;\nexport const sub = (a, b) => a - b;\n");
    git("commit", "-qam", "mended");
    place.write("../worker.json", JSON.stringify({ turns: [DONE] }));
    const words = ["run", "--model", "scripted:../worker.json", "--check", "node --test"];
    const { code, stdout, stderr } = await place.run(words);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain("nothing to do: every check is green on the base already");
    expect(stdout).toContain("0 requests");
  });

  test("ends with 2 and spends nothing when its check cannot run", async () => {
    project();
    place.write("../worker.json", JSON.stringify({ turns: [DONE] }));
    const words = ["run", "--model", "scripted:../worker.json", "--check", "no-such-program --all"];
    const { code, stdout, stderr } = await place.run([...words, "make the tests pass"]);
    expect(code, stdout + stderr).toBe(2);
    expect(stdout + stderr).toContain("no-such-program");
    expect(stdout).toContain("0 requests");
    for (const command of ["status", "inbox"]) {
      const session = /session {2}(\S+)/.exec(stdout)?.[1] ?? "";
      const told = await place.run([command, session]);
      const text = told.stdout + told.stderr;
      expect(text).toContain("no-such-program");
      expect(text.replace(/\s+/g, " ")).toContain("Mend what the checks need, or change the contract");
      expect(text).toContain(`nightshift resume ${session}`);
      expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    }
  });

  test("leaves a weakened test to a person, whose approval is about exactly that change", async () => {
    project();
    const { code, session, stdout } = await work([WEAKEN, DONE]);
    expect(code, stdout).toBe(4);
    const report = (await place.run(["report", session])).stdout;
    expect(report.replace(/\s+/g, " ")).toContain(`nightshift approve ${session} `);
    const items = (await place.json(["inbox", session])) as unknown as { item: string }[];
    expect(items.map(({ item }) => item)).toEqual(["math.test.mjs"]);
    expect((await place.run(["approve", session, "some.other.file"])).code).toBe(2);
    const both = await place.run(["approve", session, "math.test.mjs", "some.other.file"]);
    expect([both.code, both.stderr]).toEqual([
      2,
      expect.stringContaining("no change that is called some.other.file"),
    ]);
    const branch = (await place.run(["publish", session])).stdout.split(" ")[0] ?? "";
    expect(git("log", "-1", "--format=%s", branch)).toBe("Not verified: make the tests pass");
    expect((await place.run(["approve", session, "math.test.mjs"])).code).toBe(0);
    expect((await place.run(["resume", session])).code).toBe(0);
    expect(await place.json(["status", session])).toMatchObject({ stop_reason: { type: "verified" } });
    expect(git("log", "--format=%s", `HEAD..${branch}`)).toBe("make the tests pass");
    expect(git("log", "-1", "--format=%(trailers:key=Nightshift-Verdict,valueonly)", branch)).toMatch(
      /^\d, met/,
    );
  });

  test("goes on when a person denies what it has weakened", async () => {
    project();
    const undo = bash("git checkout -q math.test.mjs && sed -i '1s/a - b/a + b/' math.mjs");
    const { session } = await work([WEAKEN, DONE, undo, DONE]);
    expect((await place.run(["deny", session, "all", "--reason", "tests stay as they are"])).code).toBe(0);
    expect((await place.run(["resume", session])).code).toBe(0);
  });

  const declaring: ScriptTurn = {
    tools: [
      {
        name: "declare",
        input: {
          criterion: "node-test",
          status: "impossible",
          reason: "the tests contradict each other",
          evidence: "see math.test.mjs",
        },
      },
    ],
  };

  test("lets the agent say that it cannot be done, a person deny it, and once it says so again, waive it", async () => {
    project();
    const { code, session, stderr } = await work([bash("echo >notes.txt"), declaring, DONE, declaring, DONE]);
    expect(code).toBe(4);
    expect(stderr).toContain(`deny ${session} node-test --reason`);
    const { stdout: waiting } = await place.run(["inbox", session]);
    expect(waiting).toContain(`or: nightshift deny ${session} node-test --reason`);
    const agrees = await place.run(["approve", session, "node-test"]);
    expect(agrees).toMatchObject({ code: 2, stderr: expect.stringContaining("nightshift waive") });
    expect((await place.run(["deny", session, "node-test"])).code).toBe(2);
    const words = ["deny", session, "node-test", "--reason", "they do not"];
    expect(await place.run(words)).toMatchObject({ code: 0 });
    expect((await place.run(["resume", session])).code).toBe(4);
    expect((await place.run(["waive", session, "node-test", "--reason", " "])).code).toBe(2);
    expect((await place.run(["waive", session, "node-test", "--reason", "not this week"])).code).toBe(0);
    expect((await place.run(["resume", session])).code).toBe(0);
    expect(await place.json(["status", session])).toMatchObject({
      contract: { criteria: [{ status: "waived" }], waivers: [{ reason: "not this week" }] },
    });
    const { stdout: report } = await place.run(["report", session]);
    expect(report).toContain("node-test is impossible: the tests contradict each other");
    expect(report).toMatch(/denied that node-test cannot be met, by .+: they do not \(event/);
    expect(report).toContain("not this week");
    expect(report).toContain("but those waived: node-test (by ");
    const branch = `nightshift/make-the-tests-pass-${session.slice(-6)}`;
    const waived = git("log", "-1", "--format=%(trailers:key=Nightshift-Waived,valueonly)", branch);
    expect(waived).toMatch(/^node-test, by .+ until \d.+ UTC: not this week$/);
    await noLongerCounts(session);
  });

  /** What was verified is not merged once its waiver is over, or while an amendment waits. */
  async function noLongerCounts(session: string): Promise<void> {
    const head = git("rev-parse", "HEAD");
    const words = ["waive", session, "node-test", "--reason", "a moment longer", "--for", "1s"];
    expect((await place.run(words)).code).toBe(0);
    const isOver = async (): Promise<boolean> => {
      const { contract } = (await place.json(["status", session])) as never as StatusJson;
      return contract.waivers[0]?.is_over === true && contract.verdict.is_stale;
    };
    await expect.poll(isOver, { timeout: 30_000 }).toBe(true);
    const over = await place.run(["apply", session]);
    expect(over.code, over.stdout + over.stderr).toBe(4);
    expect(over.stderr).toMatch(
      /over: the waiver of node-test[\s\S]*Nothing was changed[\s\S]*nightshift waive/,
    );
    const amended = ["amend", session, "--check", "node --test math.test.mjs", "--reason", "another way"];
    expect((await place.run(amended)).code).toBe(0);
    const status = (await place.run(["status", session])).stdout.replace(/\s+/g, " ");
    expect(status).toMatch(/an amendment waits.* waived node-test \(by .+\): over/);
    const waits = await place.run(["apply", session]);
    expect(waits.code).toBe(4);
    expect(waits.stderr).toContain("E_NOT_VERIFIED");
    expect(waits.stderr).toContain(`nightshift resume ${session}`);
    expect(git("rev-parse", "HEAD")).toBe(head);
  }

  test("notes what is done to the agent's copy of the contract, which changes nothing", async () => {
    project();
    const lie = bash("rm .nightshift/contract.json; echo '{\"criteria\": []}' > .nightshift/contract.json");
    const { session, code } = await work([lie, DONE, DONE]);
    expect(code).toBe(1);
    expect(bodiesOf(await place.events(session), "contract.drifted")).toHaveLength(1);
  });

  test("carries on after a kill in the middle of a verdict, under the same number", async () => {
    project();
    place.write("../worker.json", JSON.stringify({ turns: [FIX, DONE] }));
    const words = ["run", "--model", "scripted:../worker.json", "--check", "node --test", "go"];
    const running = place.start(words);
    const session = await running.says(/session {2}(\S+)/);
    await running.says(/the referee looks at/);
    running.child.kill("SIGKILL");
    await running.ended;
    expect((await place.run(["resume", session])).code).toBe(0);
    const events = await place.events(session);
    expect(bodiesOf(events, "verdict.requested").map(({ number }) => number)).toEqual([1]);
    expect(bodiesOf(events, "verdict.given")).toMatchObject([{ number: 1, outcome: "met" }]);
    expect((await place.run(["fsck", session])).code).toBe(0);
  });

  test("takes another contract from a person, with a reason, and checks the base anew", async () => {
    project();
    const hide = bash("rm -r .nightshift; mkdir own; ln -s own .nightshift");
    const look = bash(`cat .nightshift/contract.json; stat -c 'mode %a' .nightshift/contract.json; ls own`);
    const lie = bash("rm .nightshift/contract.json; echo lies > .nightshift/contract.json");
    const { session } = await work([hide, DONE, DONE, look, lie, DONE]);
    expect((await place.run(["amend", session, "--check", "true && node --test"])).code).toBe(2);
    const words = ["amend", session, "--check", "node --check math.mjs", "--reason", "tests come later"];
    expect((await place.run(words)).code).toBe(0);
    await place.run(["resume", session]);
    const events = await place.events(session);
    expect(bodiesOf(events, "contract.amended")).toMatchObject([{ reason: "tests come later" }]);
    expect(bodiesOf(events, "preflight.finished")).toHaveLength(2);
    // The agent's copy is that of the contract in force, wherever it had led before.
    const seen = JSON.stringify(bodiesOf(events, "agent.tool_result").at(1)?.content);
    expect(seen).toContain("node --check math.mjs");
    expect(seen).toMatch(/mode 444\\n"/);
    const rendered = bodiesOf(events, "contract.rendered");
    expect(rendered).toHaveLength(1);
    const drift = bodiesOf(events, "contract.drifted");
    expect(drift.map(({ found }) => found === null)).toEqual([true, false]);
    expect(drift.at(-1)?.expected).toBe(rendered[0]?.hash);
  });
});

test.each([
  [["--protect", "x/**"], "E_USAGE"],
  [["--check", ""], "E_CONTRACT_INVALID"],
  [["--check", "true"], "E_CONTRACT_INVALID"],
  [["--contract", "missing.json"], "E_CONTRACT_FILE"],
  [["--check", "node --test", "--held-out", "nowhere"], "E_USAGE"],
  [["--check", "node --test", "--held-out", "../nowhere:test/x"], "E_CONTRACT_INVALID"],
  [["--check", "node --test", "--max-verdicts", "0"], "E_USAGE"],
])("refuses %j before anything is made", async (flags, errorCode) => {
  project();
  place.write("../worker.json", JSON.stringify({ turns: [DONE] }));
  const ending = await place.run(["run", "--model", "scripted:../worker.json", ...flags, "go"]);
  expect(ending.code, ending.stdout).toBe(2);
  expect(ending.stderr).toContain(errorCode);
  expect(ending.stderr).toContain("next: ");
});
