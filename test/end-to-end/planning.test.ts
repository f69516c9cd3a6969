import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Script } from "../../src/model/script-schema.ts";
import { chooseSandbox } from "../../src/runtime/registry.ts";
import { git } from "../support/repositories.ts";
import { bodiesOf, type Ending, type JsonObject, Place, Running } from "./place.ts";

let place: Place;
beforeEach(() => {
  place = new Place();
  place.write("package.json", JSON.stringify({ scripts: { test: "node --test" } }));
});
afterEach(() => place[Symbol.asyncDispose]());

const CRITERIA = [
  {
    id: "json",
    description: "`list --json` prints a list of sessions as one JSON value",
    check: "npm test -- json",
  },
  { id: "old", description: "Everything else goes on working", check: "npm test", needs: ["json"] },
];
const TURN = {
  tools: [
    { name: "submit_plan", input: { criteria: CRITERIA, protect: ["package.json"], setup: "npm test" } },
  ],
};
const GOAL = "Add a flag --json to list";
const FILE = "nightshift.contract.json";

const parsed = ({ stdout }: Ending): JsonObject => JSON.parse(stdout) as JsonObject;
const widest = ({ stdout, stderr }: Ending): number =>
  Math.max(...`${stdout}\n${stderr}`.split("\n").map((line) => line.length));

describe("plan", () => {
  const plan = (turns: Script["turns"], ...words: string[]): Promise<Ending> =>
    place.run(["plan", GOAL, "--model", place.script({ turns }), ...words]);
  const isKept = (): boolean => existsSync(join(place.project, FILE));

  test("is shown within 80 columns, and kept when it is accepted", async () => {
    const ending = await plan([TURN], "--yes");
    expect(ending.code, ending.stderr).toBe(0);
    expect(ending.stdout).toContain(`goal     ${GOAL}`);
    expect(ending.stdout).toContain(
      "1. json\n   `list --json` prints a list of sessions as one JSON value\n   check    npm test -- json",
    );
    expect(ending.stderr).toContain(`next: nightshift run --contract ${FILE}`);
    expect(widest(ending)).toBeLessThanOrEqual(80);
    expect(JSON.parse(readFileSync(join(place.project, FILE), "utf8"))).toMatchObject({
      nightshift: 1,
      goal: GOAL,
      criteria: CRITERIA,
      protect: ["package.json"],
    });
  });

  test("what is kept can be assessed, and is not written over", async () => {
    await plan([TURN], "--yes");
    const before = readFileSync(join(place.project, FILE), "utf8");
    expect(await place.json(["assess", "--contract", FILE])).toMatchObject({
      assessment: "fits",
      source: FILE,
      contract: { goal: GOAL, setup: ["npm", "test"] },
    });
    const again = await plan([TURN], "--yes");
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("is there already");
    expect(readFileSync(join(place.project, FILE), "utf8")).toBe(before);
  });

  test.each([
    ["nobody there to accept it", [], "--yes"],
    ["nobody asked, as JSON", ["--json"], "--yes"],
    ["a cap of a session, and none to run", ["--yes", "--max-cost", "5"], "--run"],
  ])("%s: refused before a model is paid", async (_what, words, needed) => {
    const ending = await plan([TURN], ...words);
    expect(ending.code).toBe(2);
    expect(ending.stderr + ending.stdout).toContain(needed);
    expect(ending.stderr).not.toContain("asking");
    expect(isKept()).toBe(false);
  });

  test("as JSON, elsewhere", async () => {
    const ending = await plan([TURN], "--yes", "--json", "--out", "a.json", "--price", "1,2");
    expect(ending.code, ending.stderr).toBe(0);
    expect(parsed(ending)).toMatchObject({
      file: join(place.project, "a.json"),
      contract: { goal: GOAL, criteria: [{ id: "json" }, { id: "old", needs: ["json"] }] },
      requests: 1,
      cost_micro_usd: expect.any(Number),
    });
    expect(existsSync(join(place.project, "a.json"))).toBe(true);
  });

  test.each([
    ["y\n", 0],
    ["n\n", 4],
    ["\n", 4],
    ["\u0004", 4],
    ["\u0003", 130],
  ])("on a terminal, %j", async (answer, code) => {
    const model = place.script({ turns: [TURN] });
    const words = [process.execPath, resolve("bin/nightshift"), "plan", `'${GOAL}'`, "--model", model];
    const child = spawn("script", ["-qefc", words.join(" "), "/dev/null"], {
      cwd: place.project,
      env: place.environment(),
    });
    const running = new Running(child);
    await running.says(/keep this as nightshift.contract.json\? \[y\/N\], or r/);
    child.stdin.write(answer);
    expect((await running.ended).code).toBe(code);
    expect(isKept()).toBe(code === 0);
  });

  test("Ctrl-C leaves nothing behind", async () => {
    const slow = place.script({ turns: [{ ...TURN, delay_ms: 60_000 }] });
    const running = place.start(["plan", GOAL, "--model", slow, "--yes"]);
    await running.says(/asking scripted/);
    running.child.kill("SIGINT");
    const ending = await running.ended;
    expect(ending.code).toBe(130);
    expect(ending.stderr).toContain("nothing was written");
    expect(isKept()).toBe(false);
  });

  test("a model that never gets it right", async () => {
    const bad = {
      tools: [{ name: "submit_plan", input: { criteria: [{ ...CRITERIA[0], check: "true" }] } }],
    };
    const ending = await plan([bad, bad, bad, TURN], "--yes");
    expect(ending.code).toBe(69);
    expect(ending.stderr).toContain("error[E_PLAN_UNUSABLE]");
    expect(ending.stderr).toContain("json: the check `true` ends with 0");
    expect(isKept()).toBe(false);
  });

  test("escape sequences of a model do not reach the terminal", async () => {
    const description = "`a`\u001b[2J\u001b]0;x\u0007 prints 3\u202e";
    const input = { criteria: [{ id: "a", description, check: "npm test" }] };
    const { stdout } = await plan([{ tools: [{ name: "submit_plan", input }] }], "--yes");
    expect(stdout).toContain("`a` prints 3");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
    expect(stdout).not.toMatch(/[\u001b\u0007\u202e]/);
  });

  test.each<[string, string[], string]>([
    ["no goal", ["plan", " "], "the goal is empty"],
    ["no model", ["plan", GOAL], "no model is named"],
    ["no key", ["plan", GOAL, "--model", "anthropic:x"], "E_MODEL_KEY_MISSING"],
  ])("%s", async (_name, words, message) => {
    const { code, stderr } = await place.run(words);
    expect(stderr).toContain(message);
    expect(code).toBe(message === "E_MODEL_KEY_MISSING" ? 77 : 2);
  });
});

test("what was planned is what is verified", async (context) => {
  const chosen = await chooseSandbox(process.env).catch(() => undefined);
  if (chosen !== "bubblewrap") context.skip("bubblewrap does not work on this machine");
  place.write("add.cjs", "exports.add = (a, b) => a - b;\n");
  place.write(
    "add.test.cjs",
    `require("node:test").test("adds", () => require("node:assert").equal(require("./add.cjs").add(1, 2), 3));\n`,
  );
  const criteria = [{ id: "adds", description: "add(1, 2) is 3", check: "npm test" }];
  git(place.project, "init", "-q");
  git(place.project, "add", ".");
  git(place.project, "commit", "-qm", "base");
  const bash = { name: "bash", input: { command: "sed -i 's/a - b/a + b/' add.cjs" } };
  // The first turn is the planner's; the agent has no such tool, and is told so.
  const submitted = { name: "submit_plan", input: { criteria } };
  const model = place.script(
    {
      turns: [{ tools: [submitted] }, { tools: [bash] }, { text: "Done." }],
    },
    "../script.json",
  );
  const words = ["--model", model, "--yes", "--run", "--sandbox", "bubblewrap", "--max-requests", "9"];
  const ran = await place.run(["plan", "Make add add", ...words]);
  expect(ran.stdout + ran.stderr).toMatch(/1: every criterion is met[\s\S]*verified by verdict 1/);
  expect(ran.code).toBe(0);
  const { sessions } = (await place.json(["list"])) as { sessions: { session_id: string }[] };
  const events = await place.events(sessions[0]?.session_id ?? "");
  const { contract } = await place.json(["assess", "--contract", FILE]);
  expect(bodiesOf(events, "contract.sealed")).toMatchObject([{ contract, source: FILE }]);
  const kept = readFileSync(join(place.project, FILE), "utf8");
  place.write(FILE, kept.replace("add(1, 2) is 3", "add(1, 2) is always 3"));
  const changed = await place.run(["assess", "--contract", FILE]);
  expect(changed.stderr.replace(/\s+/g, " ")).toContain(`${FILE} was changed after it was accepted`);
}, 120_000);

describe("assess", () => {
  test("a task without a check", async () => {
    const ending = await place.run(["assess", "Port the parser to the new tokenizer"]);
    expect(ending.code).toBe(0);
    expect(ending.stdout).toContain("does not say enough");
    expect(ending.stdout.replace(/\s+/g, " ")).toContain('Pass --check "npm test"');
    expect(widest(ending)).toBeLessThanOrEqual(80);
  });

  test("a contract that would be refused", async () => {
    const words = [
      "assess",
      "Fix it",
      "--check",
      "npm test || true",
      "--check",
      "npm run e2e",
      "--protect",
      "**",
    ];
    const ending = await place.run(words);
    expect(ending.code).toBe(2);
    expect(ending.stdout).toContain("this contract would be refused");
    expect(ending.stderr).toContain('is run by sh -c, because of "|"');
    const asJson = await place.run([...words, "--json"]);
    expect(asJson.code).toBe(2);
    expect(parsed(asJson)).toMatchObject({
      assessment: "refused",
      reasons: [{ code: "cannot-fail" }, { code: "protects-everything" }],
      contract: { criteria: [{ id: "npm-test-true" }, { id: "npm-run-e2e" }] },
      tests: [{ text: "npm test", runner: "node-test" }],
    });
  });

  test("files that others write", async () => {
    place.write(
      "plan.md",
      "# Goal\n- [x] The list has 3 entries\n  Check: `npm test -- list`\n- [ ] Make it nice\n",
    );
    const ending = await place.run(["assess", "--contract", "plan.md"]);
    expect(ending.code).toBe(2);
    expect(ending.stderr.replace(/\s+/g, " ")).toContain("1 item in it is marked as done; that is ignored");
    expect(ending.stdout).toContain("make-it-nice");
    writeFileSync(join(place.project, "prd.json"), '{ "userStories": [\n { "id": 1 } ] }');
    const broken = await place.run(["assess", "--contract", "prd.json", "--json"]);
    expect(broken.code).toBe(2);
    expect(parsed(broken)).toMatchObject({
      error: {
        code: "E_CONTRACT_FILE",
        message: "prd.json, line 2, userStories[0]: it needs a title or a description",
      },
    });
  });

  test("the prompt from standard input", async () => {
    const ending = await place.run(["assess", "-"], { input: "Why is the sky blue?\n" });
    expect([ending.code, ending.stdout]).toEqual([0, expect.stringContaining("overhead")]);
    expect((await place.run(["assess"])).code).toBe(2);
  });

  test("says what the linter warns of, whatever it comes to", async () => {
    const ending = await place.run(["assess", "--check", "jest -u", "fix add"]);
    expect([ending.code, ending.stderr]).toEqual([0, expect.stringContaining("rewrites the snapshots")]);
  });
});
