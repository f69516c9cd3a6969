/** Tests whose ids name no file, and files of tests that a person has looked at: what is lost and what is not. */
import { describe, expect, test } from "vitest";
import type { EventBody } from "../../src/core/events/index.ts";
import { reviewHash } from "../../src/referee/review.ts";
import { calm } from "../support/repositories.ts";
import { Court, check, contractOf } from "./court.ts";

/** Prints TAP of every file of a folder, as `tape` does; a plain program of this project's. */
const TAPE = `
const { readdirSync } = require("node:fs");
let count = 0, failures = 0;
global.test = (name, run) => {
  console.log("# " + name);
  const point = (isFine, text) => {
    count += 1;
    if (!isFine) failures += 1;
    console.log((isFine ? "ok " : "not ok ") + count + " " + text);
  };
  run({ equal: (a, b, text) => point(a === b, text) });
};
console.log("TAP version 13");
for (const name of readdirSync("test").sort()) if (name.endsWith(".js")) require(process.cwd() + "/test/" + name);
console.log("\\n1.." + count + "\\n# tests " + count + "\\n# pass " + (count - failures));
process.exitCode = failures === 0 ? 0 : 1;
`;

const project = {
  "package.json": '{ "name": "p" }\n',
  "node_modules/tape/bin/tape": TAPE,
  "lib.js": "module.exports = { one: () => 1, two: () => 2, sum: (a, b) => a + b };\n",
  // As many tests as there are functions: what the code has decides which tests there are.
  "test/all.js": `const lib = require("../lib.js");
for (const name of Object.keys(lib)) test("has " + name, (t) => t.equal(typeof lib[name], "function", "is a function"));
`,
  "test/sum.js": `const { sum } = require("../lib.js");
test("sum", (t) => { t.equal(sum(1, 2), 3, "adds"); t.equal(sum(1, -1), 0, "subtracts"); });
`,
};
const tests = contractOf({ id: "tests", check: check("node", "node_modules/tape/bin/tape", "test/*.js") });
const LOSING = `sed -i 's/ t.equal(sum(1, -1), 0, "subtracts");//' test/sum.js`;

/** After a person has approved what was done to this file. */
async function approved(
  court: Court,
  preflight: EventBody<"preflight.finished">,
  commit: string,
  path: string,
) {
  const objectIn = async (tree: string): Promise<string | null> => {
    const items = await court.parts.trees.reader(court.session, tree, calm).list();
    return items.find((item) => item.path === path)?.object ?? null;
  };
  const looked = reviewHash(path, await objectIn(court.base), await objectIn(commit));
  const verdict = await court.verdict(tests, commit, { preflight, approved: new Set([looked]) });
  return { ...verdict, text: String(verdict.content[0]?.text) };
}

describe("TAP", () => {
  test("an approved loss is excused, after it has waited for a person", async () => {
    const court = await Court.open("process", project);
    const preflight = await court.preflight(tests);
    expect(preflight).toMatchObject({ problems: [], criteria: [{ role: "keep", status: "passed" }] });
    expect(preflight.criteria[0]?.runs[0]?.runner).toBe("tap");
    const commit = await court.work(LOSING);
    expect((await court.verdict(tests, commit, { preflight })).outcome).toBe("review");
    const { outcome, text } = await approved(court, preflight, commit, "test/sum.js");
    expect(outcome, text).toBe("met");
    const facts = court.facts.filter(({ type }) => type === "referee.attributed");
    expect(facts[0]?.body).toMatchObject({ criterion: "tests", paths: ["test/sum.js"], failing: "" });
    expect(facts[0]?.body).not.toMatchObject({ passing: expect.stringContaining("adds") });
  });

  test("what is lost beside it is not, and cannot be made up in the file that was approved", async () => {
    const court = await Court.open("process", project);
    const preflight = await court.preflight(tests);
    // Tests of another file are lost, by the code that they are made of.
    const sly = await court.work(`${LOSING}; sed -i 's/two: () => 2, //' lib.js`);
    const caught = await approved(court, preflight, sly, "test/sum.js");
    expect(caught.outcome, caught.text).toBe("unmet");
    expect(caught.text).toContain("has two › is a function");
    const made = `printf '%s' 'test("has two", (t) => t.equal(1, 1, "is a function"));' >> test/sum.js`;
    const forged = await approved(court, preflight, await court.work(made), "test/sum.js");
    expect(forged.outcome, forged.text).toBe("unmet");
    expect(forged.text).toContain("without the files that a person looks at");
  });

  test("an approved removal of a whole file is excused", async () => {
    const court = await Court.open("process", project);
    const preflight = await court.preflight(tests);
    const { outcome, text } = await approved(
      court,
      preflight,
      await court.work("rm test/sum.js"),
      "test/sum.js",
    );
    expect(outcome, text).toBe("met");
  });

  test("a file that others need, or that loads others, excuses nothing", async () => {
    const helper = {
      ...project,
      "test/a-helper.js": "global.three = 3;\n",
      "test/sum.js": project["test/sum.js"].replace("3, ", "three, "),
    };
    const court = await Court.open("process", helper);
    const preflight = await court.preflight(tests);
    const both = await court.work(
      `echo 'global.four = 4;' > test/a-helper.js; sed -i 's/two: () => 2, //' lib.js`,
    );
    const { outcome, text } = await approved(court, preflight, both, "test/a-helper.js");
    expect(outcome).toBe("unmet");
    expect(text).toMatch(/exit status|nobody can tell/);
    const index = await Court.open("process", { ...project, "test/index.js": 'require("./sum.js");\n' });
    const learnt = await index.preflight(tests);
    const emptied = await index.work("echo '// nothing' > test/index.js; sed -i 's/two: () => 2, //' lib.js");
    const found = await approved(index, learnt, emptied, "test/index.js");
    expect(found.outcome).toBe("unmet");
    expect(found.text).toContain("nobody can tell: test/index.js loads test/sum.js");
  });
});
