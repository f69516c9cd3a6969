import { describe, expect, test } from "vitest";
import { contractOf, criteriaOfChecks, criterionOf } from "../core/contract/build.ts";
import type { Criterion } from "../core/contract/contract.ts";
import { lintContract } from "../core/contract/lint.ts";
import { type Assessment, assessTask } from "./assess.ts";
import type { DraftedContract } from "./contract-source.ts";
import type { ProjectFacts } from "./detect/contract.ts";

const NOTHING: ProjectFacts = { paths: [], tests: [], testFiles: [], chores: {}, scripts: {} };
const TESTED: ProjectFacts = {
  ...NOTHING,
  tests: [{ text: "npm test", folder: "", runner: "vitest", because: "a script" }],
  testFiles: ["a.test.ts"],
};
const LARGE: ProjectFacts = {
  ...TESTED,
  testFiles: Array.from({ length: 200 }, (_, index) => `${index}.test.ts`),
};

function draft(goal: string, criteria: readonly Criterion[]): DraftedContract {
  const contract = contractOf({ goal, criteria: [...criteria] });
  return { contract, source: "", remarks: [], complaints: lintContract(contract) };
}

function assess(
  prompt: string,
  options: { facts?: ProjectFacts; checks?: readonly string[]; criteria?: readonly Criterion[] } = {},
): Assessment {
  const { facts = TESTED, checks, criteria } = options;
  const made = checks === undefined ? criteria : criteriaOfChecks(checks, new Set()).criteria;
  return assessTask({ prompt, facts, draft: made === undefined ? undefined : draft(prompt, made) });
}

const codes = ({ fit, reasons }: Assessment): unknown => [fit, ...reasons.map(({ code }) => code)];

test.each([
  ["Why is the build slow?", ["overhead", "question"]],
  ["explain the parser", ["overhead", "question"]],
  ["Can you add a flag for JSON output?", ["underspecified", "no-check"]],
  ["Why does it fail? Fix it.", ["underspecified", "no-check"]],
  ["Is the parser reentrant? Where is its state?", ["overhead", "question"]],
  ["fix the typo in the README", ["overhead", "tiny"]],
  ["rename foo to bar", ["overhead", "tiny"]],
  ["Port the parser to the new tokenizer", ["underspecified", "no-check"]],
  ["make it fast", ["underspecified", "no-check", "vague-goal"]],
])("without a check: %s", (prompt, expected) => {
  expect(codes(assess(prompt))).toEqual(expected);
});

test("the command to pass is named where one was found", () => {
  expect(assess("Port the parser").reasons[0]?.next).toContain('--check "npm test"');
  const tests = [{ text: "npm test", folder: "web", runner: null, because: "a script" }];
  expect(assess("Port the parser", { facts: { ...TESTED, tests } }).reasons[0]?.next).toContain(
    '--check "cd web && npm test"',
  );
  expect(codes(assess("Port the parser", { facts: NOTHING }))).toEqual(["underspecified", "no-test-command"]);
});

describe("with a check", () => {
  test("a short goal with few tests", () => {
    expect(codes(assess("fix the failing test", { checks: ["npm test"] }))).toEqual(["overhead", "quick"]);
  });

  test.each<[string, Parameters<typeof assess>]>([
    ["many tests", ["fix the failing test", { checks: ["npm test"], facts: LARGE }]],
    ["a long goal", [`Port the parser. ${"Keep every option. ".repeat(10)}`, { checks: ["npm test"] }]],
    ["several checks", ["fix both", { checks: ["npm test", "npm run e2e"] }]],
    ["a question that is a task", ["Why does it fail? Fix it.", { checks: ["npm test", "npm run e2e"] }]],
  ])("%s: it fits", (_name, [prompt, options]) => {
    expect(codes(assess(prompt, options))).toEqual(["fits", "fits"]);
  });

  test("what would be refused", () => {
    const { fit, reasons } = assess("fix it", { checks: ["true", "npm test"] });
    expect(fit).toBe("refused");
    expect(reasons).toMatchObject([{ code: "cannot-fail", message: expect.stringContaining("`true`") }]);
  });

  test("weak words are named with their criterion", () => {
    const rubric = ["works well", "`x --json` prints a list"];
    const criteria = [criterionOf({ id: "json", description: "There is a flag --json", rubric })];
    const { fit, reasons } = assess("Add a flag", { criteria });
    expect(fit).toBe("underspecified");
    expect(reasons).toMatchObject([{ code: "vague", message: expect.stringMatching(/^json: "works well"/) }]);
  });

  test("a judge alone is said", () => {
    const criteria = [criterionOf({ id: "a", description: "d", rubric: ["`x --json` prints a list"] })];
    const [reason] = assess("Add a flag", { criteria }).reasons;
    expect(reason?.message).toBe("1 criterion is verified, 1 by a judge alone");
    expect(reason?.next).toContain("a check beside the judge");
  });
});
