/** Tests that the worker has written: which of them pass on the base's own sources, too. */
import { describe, expect, test } from "vitest";
import { Court, check, contractOf } from "./court.ts";

const head = (names: string): string =>
  `import { test } from "node:test";\nimport assert from "node:assert";\nimport { ${names} } from "../sum.js";\n`;
const project = {
  "package.json": '{ "type": "module" }\n',
  "sum.js": "export const sum = (a, b) => a - b;\n",
  "test/sum.test.js": `${head("sum")}test("adds", () => assert.equal(sum(2, 2), 4));\n`,
};
const tests = contractOf({ id: "tests", check: check("node", "--test", "test/*.test.js") });
const mended = "export const sum = (a, b) => a + b;\nexport const twice = (a) => sum(a, a);\n";

describe("new tests", () => {
  test("that pass without the work are named, and nothing else follows from it", async () => {
    const court = await Court.open("process", project);
    const preflight = await court.preflight(tests);
    const commit = await court.put({
      "sum.js": mended,
      "test/more.test.js": `${head("sum")}import { three } from "./three.js";
test("adds three", () => assert.equal(sum(three, 1), 4));
test("is a function", () => assert.equal(typeof sum, "function"));
test("is fine", () => assert.ok(true));
`,
      "test/three.js": "export const three = 3;\n",
    });
    const verdict = await court.verdict(tests, commit, { preflight });
    expect(verdict).toMatchObject({ outcome: "met", criteria: [{ status: "met" }] });
    expect(verdict.gaps).toContain(
      "tests: 2 of 3 new tests pass without the work, too, so they do not show it: test/more.test.js › is a function · test/more.test.js › is fine",
    );
    const [fact, ...others] = court.facts.filter(({ type }) => type === "referee.contrasted");
    expect(others).toEqual([]);
    expect(fact?.body).toMatchObject({ paths: ["test/more.test.js", "test/three.js"], tests: 3 });
    // What was found is not looked for again.
    const again = await court.request(tests, commit, { preflight, number: 1, done: court.facts.slice(0) });
    const runs = court.facts.length;
    expect((await court.judge(again)).gaps).toEqual(verdict.gaps);
    expect(court.facts).toHaveLength(runs);
  });

  test("that fail without it need no word, also where nothing of theirs can be loaded there", async () => {
    const court = await Court.open("process", project);
    const commit = await court.put({
      "sum.js": mended,
      "test/twice.test.js": `${head("twice")}test("doubles", () => assert.equal(twice(2), 4));\n`,
    });
    const verdict = await court.verdict(tests, commit);
    expect(verdict.outcome).toBe("met");
    expect(verdict.gaps.join("\n")).not.toContain("new tests");
  });

  test("are not looked at where there are none, or where the work is not done", async () => {
    const court = await Court.open("process", project);
    const preflight = await court.preflight(tests);
    const idle = `${head("sum")}test("is fine", () => assert.ok(true));\n`;
    const undone = await court.put({ "test/more.test.js": idle });
    expect((await court.verdict(tests, undone, { preflight })).outcome).toBe("unmet");
    const done = await court.work(`rm test/more.test.js; printf '%s' '${mended}' > sum.js`);
    expect((await court.verdict(tests, done, { preflight })).outcome).toBe("met");
    expect(court.facts.map(({ type }) => type)).not.toContain("referee.contrasted");
  });

  test("wait until every check is met", async () => {
    const court = await Court.open("process", project);
    const both = contractOf(
      { id: "tests", check: check("node", "--test", "test/*.test.js") },
      { id: "other", check: check("node", "-e", "process.exit(require('fs').existsSync('done') ? 0 : 1)") },
    );
    const preflight = await court.preflight(both);
    const idle = `${head("sum")}test("is fine", () => assert.ok(true));\n`;
    const half = await court.put({ "sum.js": mended, "test/more.test.js": idle });
    expect((await court.verdict(both, half, { preflight })).outcome).toBe("unmet");
    expect(court.facts.map(({ type }) => type)).not.toContain("referee.contrasted");
    const whole = await court.put({ done: "" });
    expect((await court.verdict(both, whole, { preflight })).outcome).toBe("met");
    expect(court.facts.filter(({ type }) => type === "referee.contrasted")).toHaveLength(1);
  });

  test("of a suite that takes long are not run once more, and that is said", async () => {
    const court = await Court.open("process", project);
    const found = await court.preflight(tests);
    const preflight = { ...found, criteria: found.criteria.map((each) => ({ ...each, wall_ms: 600_001 })) };
    const commit = await court.put({
      "sum.js": mended,
      "test/more.test.js": `${head("sum")}test("is fine", () => assert.ok(true));\n`,
    });
    const { outcome, gaps } = await court.verdict(tests, commit, { preflight });
    expect(outcome).toBe("met");
    expect(gaps).toContain(
      "tests: whether its new tests show anything was not found out: they take too long to be run once more",
    );
  });
});
