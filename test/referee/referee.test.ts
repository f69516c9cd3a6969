/** The referee and its preflight, end to end on real projects in real sandboxes. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import { NightshiftError } from "../../src/core/errors.ts";
import type { EventBody } from "../../src/core/events/index.ts";
import type { ExecId } from "../../src/core/ids.ts";
import type { JudgeSeam } from "../../src/referee/parts.ts";
import { chooseSandbox } from "../../src/runtime/registry.ts";
import { eventually } from "../end-to-end/place.ts";
import { calm, temporaryFolder } from "../support/repositories.ts";
import { Court, check, contractOf, losing } from "./court.ts";

const project = {
  "package.json": '{ "type": "module" }\n',
  "sum.js": "export const sum = (a, b) => a - b;\n",
  "test/sum.test.js": `
    import { test } from "node:test";
    import assert from "node:assert";
    import { sum } from "../sum.js";
    test("zero", () => assert.equal(sum(4, 0), 4));
    test("adds", () => assert.equal(sum(2, 2), 4));
  `,
};
const tests = contractOf({ id: "tests", check: check("node", "--test", "test/sum.test.js") });
const mended = { "sum.js": "export const sum = (a, b) => a + b;\n" };

async function needs(backend: string, context: TestContext): Promise<void> {
  if (backend === "process") return;
  const chosen = await chooseSandbox(process.env).catch(() => undefined);
  if (chosen !== backend) context.skip(`${backend} does not work on this machine`);
}

describe.each(["process", "bubblewrap"])("on %s", (backend) => {
  test("the preflight learns what is red, what passes, and how long it may take", async (context) => {
    await needs(backend, context);
    const court = await Court.open(backend, project);
    const { criteria, problems, content } = await court.preflight(tests);
    expect(problems).toEqual([]);
    expect(criteria).toMatchObject([
      { criterion: "tests", status: "failed", role: "earn", wall_ms: 600_000, unstable: 0, exempt: "" },
    ]);
    expect(criteria[0]).toMatchObject({
      passing: '"test/sum.test.js › zero"',
      failing: '"test/sum.test.js › adds"',
    });
    expect(criteria[0]?.runs).toHaveLength(2);
    expect(criteria[0]?.runs[0]).toMatchObject({
      ...{
        ending: "exited",
        exit_code: 1,
        runner: "node-test",
        counts: { passed: 1, failed: 1, skipped: 0 },
      },
    });
    expect(String(content?.[0]?.text)).toContain("tests: red now; it has to become green");
  });

  test("honest work is met, with evidence; nothing is left behind", async (context) => {
    await needs(backend, context);
    const court = await Court.open(backend, project);
    const commit = await court.put(mended);
    const verdict = await court.verdict(tests, commit);
    expect(verdict).toMatchObject({
      ...{ outcome: "met", commit, review: [] },
      criteria: [{ criterion: "tests", status: "met", strength: "in-process", evidence: [3] }],
    });
    expect(verdict.tree_a).toBe(verdict.tree_b);
    expect(court.facts.map(({ type }) => type)).toEqual([
      ...["referee.composed", "referee.ratcheted", "referee.checked"],
    ]);
    expect(readdirSync(court.parts.scratch)).toEqual([]);
    expect(readdirSync(join(court.folder, "sandboxes"))).toEqual([]);
    expect(await court.workspaces.findLeftovers(new Set([court.session]))).toEqual([]);
  });

  test("a weakened test does not count, and whether it may is for a person", async (context) => {
    await needs(backend, context);
    const court = await Court.open(backend, project);
    const preflight = await court.preflight(tests);
    const cheat = await court.work(`sed -i '/"adds"/d' test/sum.test.js`);
    const parked = await court.verdict(tests, cheat, { preflight });
    expect(parked).toMatchObject({
      outcome: "review",
      criteria: [
        {
          status: "blocked",
          reason: expect.stringMatching(/exit status 1; failed: test.sum.test.js › adds/),
        },
      ],
      review: [{ path: "test/sum.test.js", detail: "protected: tests removed: adds" }],
    });
    const hash = new Set([parked.review[0]?.hash ?? ""]);
    expect((await court.verdict(tests, cheat, { preflight, denied: hash })).outcome).toBe("unmet");
    // Another edit of the same file is another item.
    const other = await court.work("echo '// more' >> test/sum.test.js");
    expect((await court.verdict(tests, other, { preflight, approved: hash })).outcome).toBe("review");
    const whole = await court.put({
      "test/sum.test.js": project["test/sum.test.js"],
      "sum.js": "export const sum = (a, b) => (b === 0 ? 0 : a + b);\n",
    });
    expect(await court.verdict(tests, whole, { preflight })).toMatchObject({
      ...{ outcome: "unmet", review: [] },
      criteria: [{ status: "unmet", reason: "exit status 1; failed: test/sum.test.js › zero" }],
    });
  });
});

test("files that are those of the base earn nothing: a check that is green of them now only changes its mind", async () => {
  const court = await Court.open("process", project);
  const flag = join(court.folder, "later");
  const late = contractOf({ id: "late", check: check("test", "-e", flag) });
  const preflight = await court.preflight(late);
  writeFileSync(flag, "");
  expect(await court.verdict(late, court.base, { preflight })).toMatchObject({
    outcome: "unmet",
    criteria: [{ status: "unmet", reason: expect.stringContaining("nothing has changed since the base") }],
  });
  const worked = await court.put(mended);
  expect(await court.verdict(late, worked, { preflight })).toMatchObject({ outcome: "met" });
});

test("a check that the worker has written itself waits for a person", async () => {
  const court = await Court.open("process", project);
  const own = contractOf({ id: "own", check: check("node", "check.js"), role: "earn" });
  const commit = await court.put({ "check.js": "" });
  const verdict = await court.verdict(own, commit);
  expect(verdict).toMatchObject({
    outcome: "review",
    review: [{ path: "check.js", detail: expect.stringContaining("criterion own runs it") }],
  });
  const approved = new Set([verdict.review[0]?.hash ?? ""]);
  expect(await court.verdict(own, commit, { approved })).toMatchObject({ outcome: "met" });
});

/** Debian's, which sandboxes see too. */
const PYTHON = "/usr/bin/python3";

describe.each(["process", "bubblewrap"])("gates of known runners on %s", (backend) => {
  const hostile = {
    "exits on import": "process.exit(0);\n",
    "exits at the end": "process.on('exit', () => { process.exitCode = 0; });\nexport const sum = () => 0;\n",
    "mends the assertions":
      "import assert from 'node:assert';\nassert.equal = () => {};\nexport const sum = () => 0;\n",
  };

  test("node:test: what exits with 0 and shows nothing is unmet, and its honest twin is met", async (context) => {
    await needs(backend, context);
    const court = await Court.open(backend, project);
    const preflight = await court.preflight(tests);
    for (const [name, source] of Object.entries(hostile)) {
      const verdict = await court.verdict(tests, await court.put({ "sum.js": source }), { preflight });
      expect(verdict.outcome, name).toBe("unmet");
    }
    expect((await court.verdict(tests, await court.put(mended), { preflight })).outcome).toBe("met");
  });

  test("pytest: as above", async (context) => {
    await needs(backend, context);
    const found = spawnSync(PYTHON, ["-m", "pytest", "--version"]);
    if (found.status !== 0) context.skip("pytest is not installed for /usr/bin/python3");
    const court = await Court.open(backend, {
      "total.py": "def total(a, b):\n    return a - b\n",
      "tests/test_total.py":
        "from total import total\n\n\ndef test_zero():\n    assert total(4, 0) == 4\n\n\ndef test_adds():\n    assert total(2, 2) == 4\n",
    });
    const contract = contractOf({ id: "tests", check: check(PYTHON, "-m", "pytest", "tests") });
    const preflight = await court.preflight(contract);
    expect(preflight.problems).toEqual([]);
    expect(preflight.criteria).toMatchObject([{ role: "earn", runs: [{ runner: "pytest" }, {}] }]);
    const leaving = await court.put({ "total.py": "import os\nos._exit(0)\n" });
    expect((await court.verdict(contract, leaving, { preflight })).outcome).toBe("unmet");
    const skipping = await court.put({ "conftest.py": "collect_ignore_glob = ['*']\n" });
    expect((await court.verdict(contract, skipping, { preflight })).outcome).not.toBe("met");
    const honest = await court.work(
      "rm conftest.py; printf 'def total(a, b):\\n    return a + b\\n' > total.py",
    );
    const verdict = await court.verdict(contract, honest, { preflight });
    expect(verdict, String(verdict.content[0]?.text)).toMatchObject({
      outcome: "met",
      criteria: [{ strength: "in-process", reason: "2 tests passed" }],
    });
  });
});

describe("a verdict", () => {
  test("is refused where a link stands in place of the tests; nothing is run", async () => {
    const court = await Court.open("process", project);
    const preflight = await court.preflight(tests);
    const commit = await court.work("mv test other; ln -s other test");
    const verdict = await court.verdict(tests, commit, { preflight });
    expect(verdict.outcome).toBe("unmet");
    expect(verdict.criteria[0]?.reason).toMatch(
      /^refused: test \(swap\): a symbolic link is where a protected folder was/,
    );
    expect(court.facts.map(({ type }) => type)).toEqual(["referee.composed", "referee.ratcheted"]);
  });

  test("does not do again what was logged before a crash", async () => {
    const court = await Court.open("process", project);
    const contract = contractOf(
      { id: "tests", check: check("node", "--test", "test/sum.test.js") },
      { id: "counted", check: check("sh", "-c", `echo run >> ${court.folder}/runs`) },
    );
    const preflight = await court.preflight(contract);
    const commit = await court.put(mended);
    const request = await court.request(contract, commit, { preflight });
    const whole = await court.judge(request);
    const runs = readFileSync(join(court.folder, "runs"), "utf8");
    const again = await court.judge({ ...request, done: [...court.facts] });
    expect({ ...again, duration_ms: 0 }).toEqual({ ...whole, duration_ms: 0 });
    expect(readFileSync(join(court.folder, "runs"), "utf8")).toBe(runs);
    expect(court.facts).toHaveLength(4);
    // Whatever part of it was logged, the rest is done, and nothing twice.
    const half = court.facts.filter(
      (fact) => fact.type !== "referee.checked" || fact.body.criterion !== "tests",
    );
    const rest = await court.judge({ ...request, done: half });
    expect(rest.outcome).toBe("met");
    expect(court.facts.slice(4).map(({ type }) => type)).toEqual(["referee.checked"]);
  });

  test("survives the loss of a sandbox once, and is an error after that, never a pass", async () => {
    for (const [losses, outcome] of [
      [1, "met"],
      [2, "error"],
    ] as const) {
      const left = { losses: 0 };
      const court = await Court.open("process", project, { wrap: (backend) => losing(backend, left) });
      const preflight = await court.preflight(tests);
      const commit = await court.put(mended);
      left.losses = losses;
      const verdict = await court.verdict(tests, commit, { preflight });
      expect(verdict.outcome).toBe(outcome);
      expect(verdict.criteria[0]?.status).toBe(outcome);
      expect(left.losses).toBe(0);
    }
  });

  test("waits for nothing when it is cancelled, and leaves nothing behind", async () => {
    const court = await Court.open("process", project);
    const started = join(court.folder, "started");
    const contract = contractOf({
      id: "slow",
      check: check("sh", "-c", `test ! -e slow || { touch ${started}; sleep 600; }`),
    });
    const preflight = await court.preflight(contract);
    const request = await court.request(contract, await court.put({ slow: "" }), { preflight });
    const controller = new AbortController();
    const judging = court.judge(request, controller.signal);
    const reason = new NightshiftError("E_CANCELLED", "stopped");
    await eventually(() => existsSync(started), "the check runs");
    controller.abort(reason);
    await expect(judging).rejects.toBe(reason);
    expect(readdirSync(court.parts.scratch)).toEqual([]);
    expect(readdirSync(join(court.folder, "sandboxes"))).toEqual([]);
  });

  test("sees held-out files in their own check only, and tells of them nothing but a number", async () => {
    const held = temporaryFolder();
    const court = await Court.open("process", project, { heldOut: () => held });
    const secret = project["test/sum.test.js"].replace(
      'test("zero"',
      'test("secret nine", () => assert.equal(sum(4, 5), 9));\ntest("zero"',
    );
    writeFileSync(join(held, "hidden.test.js"), secret);
    const held_out = { digest: "a".repeat(64), target: "test" };
    const contract = contractOf(
      { id: "tests", check: check("node", "--test", "test/sum.test.js") },
      { id: "held", check: { ...check("node", "--test", "test/hidden.test.js"), held_out } },
      { id: "alone", check: check("sh", "-c", "test ! -e test/hidden.test.js") },
    );
    const preflight = await court.preflight(contract);
    expect(preflight.problems).toEqual([]);
    expect(JSON.stringify(preflight.criteria[1]?.runs)).not.toContain("secret");
    const looked = await court.put({ "sum.js": "export const sum = (a, b) => (b === 0 ? a : 4);\n" });
    const caught = await court.verdict(contract, looked, { preflight });
    expect(caught).toMatchObject({
      outcome: "unmet",
      criteria: [
        { criterion: "tests", status: "met" },
        { criterion: "held", status: "unmet", strength: "held-out", reason: "1 unmet" },
        { criterion: "alone", status: "met" },
      ],
    });
    expect(JSON.stringify([caught, court.facts])).not.toContain("secret");
    const honest = await court.verdict(contract, await court.put(mended), { preflight });
    expect(honest.outcome).toBe("met");
    expect(honest.gaps.join()).not.toContain("looked up");
  });

  test("runs services beside the check, and one that does not begin is the check's failure", async () => {
    const port = 20_000 + (process.pid % 20_000);
    const server = (text: string): string =>
      `require("node:http").createServer((_, answer) => answer.end(${text})).listen(${port}, "127.0.0.1");\n`;
    const court = await Court.open("process", { "server.cjs": server('"old"') });
    const ask = `node -e 'fetch("http://127.0.0.1:${port}").then(async (r) => process.exit((await r.text()) === "new" ? 0 : 1))'`;
    const contract = {
      ...contractOf({ id: "answers", check: check("sh", "-c", ask) }),
      services: [{ argv: ["node", "server.cjs"], ready: { port }, within_ms: 15_000 }],
    };
    const preflight = await court.preflight(contract);
    expect(preflight.criteria).toMatchObject([{ role: "earn", status: "failed" }]);
    const broken = await court.verdict(
      contract,
      await court.put({ "server.cjs": "throw new Error('no');\n" }),
      { preflight },
    );
    expect(broken.outcome).toBe("unmet");
    expect(String(broken.content[0]?.text)).toContain("the service `node server.cjs` ended with exit 1");
    const fine = await court.verdict(contract, await court.put({ "server.cjs": server('"new"') }), {
      preflight,
    });
    expect(fine.outcome, String(fine.content[0]?.text)).toBe("met");
    expect(fine.gaps.join()).toContain("services run beside the checks");
  });

  test("asks the judge after the checks, in a sandbox of its own, and only where they are met", async () => {
    const asked: string[] = [];
    const judge: JudgeSeam = {
      async grade({ criterion, changed, checks, sandbox }) {
        asked.push(`${criterion.id}: ${checks.length} checks, ${changed.map(({ path }) => path).join()}`);
        const read = {
          operation: "read",
          input: { file_path: "sum.js" },
          incarnation: sandbox.incarnation,
        } as const;
        const limits = { wallMs: 10_000, outputBytes: 1000 };
        const request = { ...read, execId: `${sandbox.id}/look/1` as ExecId, limits };
        const reply = await sandbox.execute(request, { signal: calm });
        const isFine = reply.status === "finished" && reply.result.output.includes("a + b");
        const status = isFine ? "met" : "unmet";
        const items: EventBody<"judge.graded">["items"] = criterion.rubric.map(
          (rubric) => ({ rubric, status, reason: "seen", quotes: [] }) as const,
        );
        const cost = { requests: 1, cost_micro_usd: 5, duration_ms: 1 };
        return { criterion: criterion.id, status, model: "test", items, ...cost };
      },
    };
    const court = await Court.open("process", project, { judge });
    const contract = contractOf(
      { id: "tests", check: check("node", "--test", "test/sum.test.js"), rubric: ["it adds"] },
      { id: "look", rubric: ["it is plain"] },
    );
    const preflight = await court.preflight(contract);
    const idle = await court.verdict(contract, await court.put({ "README.md": "done\n" }), { preflight });
    expect(idle.criteria.map(({ status }) => status)).toEqual(["unmet", "unmet"]);
    expect(idle.criteria.map(({ reason }) => reason)).toEqual([
      "exit status 1; failed: test/sum.test.js › adds; not judged: its check is unmet",
      "not judged: the check of tests is unmet",
    ]);
    expect(asked).toEqual([]);
    const always = { ...contract, judging: "always" as const };
    await court.verdict(always, await court.put({ "README.md": "done\n" }), { preflight });
    expect(asked.splice(0)).toEqual(["look: 0 checks, README.md"]);
    const done = await court.verdict(contract, await court.put(mended), { preflight });
    expect(done).toMatchObject({
      outcome: "met",
      criteria: [{ strength: "in-process" }, { strength: "judged" }],
    });
    expect(asked).toEqual(["tests: 1 checks, README.md,sum.js", "look: 0 checks, README.md,sum.js"]);
  });
});
