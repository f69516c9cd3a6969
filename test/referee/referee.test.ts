/** The referee and its preflight, end to end on real projects in real sandboxes. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, type TestContext, test } from "vitest";
import { NightshiftError } from "../../src/core/errors.ts";
import { chooseSandbox } from "../../src/runtime/registry.ts";
import { eventually } from "../end-to-end/place.ts";
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
      review: [{ path: "test/sum.test.js", detail: "protected: it was edited" }],
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

describe("a verdict", () => {
  test("is refused where a link stands in place of the tests; nothing is run", async () => {
    const court = await Court.open("process", project);
    const preflight = await court.preflight(tests);
    const commit = await court.work("mv test other; ln -s other test");
    const verdict = await court.verdict(tests, commit, { preflight });
    expect(verdict.outcome).toBe("unmet");
    expect(verdict.criteria[0]?.reason).toBe("refused: test (symlink): a link in its place");
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
});
