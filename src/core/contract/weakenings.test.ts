import { describe, expect, test } from "vitest";
import { contractWith } from "../../../test/support/contract-events.ts";
import { criterionOf, readCheck } from "./build.ts";
import type { Contract, Criterion } from "./contract.ts";
import { weakenings } from "./weakenings.ts";

const check = readCheck("npm test").check;
const held_out = { digest: "ab".repeat(32), target: "test/held" };
const tests = criterionOf({ id: "tests", description: "The tests pass", check, role: "earn" });
const docs = criterionOf({
  id: "docs",
  description: "Docs",
  rubric: ["they name the flag", "they are short"],
});
const before = contractWith({
  criteria: [tests, docs],
  constraints: ["No new dependency.", "Never touch a.js."],
  protect: ["test/**", "fixtures/**"],
  protection: "strict",
  deps: "deny",
  services: [{ argv: ["db"], ready: { port: 1 }, within_ms: 100 }],
  limits: { verdicts: 20, check_ms: 1000 },
});

const of = (changes: Partial<Contract>): readonly string[] => weakenings(before, { ...before, ...changes });
const withTests = (changes: Partial<Criterion>): readonly string[] =>
  of({ criteria: [{ ...tests, ...changes }, docs] });

describe("an amendment is weaker where", () => {
  test.each<readonly [what: string, found: readonly string[], said: string]>([
    ["a criterion is gone", of({ criteria: [tests] }), "criterion docs is gone"],
    [
      "a check is another",
      withTests({ check: readCheck("npm run t").check }),
      "the check of tests is `npm run t`, not `npm test`",
    ],
    [
      "it runs elsewhere",
      withTests({ check: { ...check, folder: "sub" } }),
      "the check of tests is `(in sub) npm test`, not `npm test`",
    ],
    ["a check is gone", withTests({ check: null, rubric: ["x"] }), "tests has no check any more"],
    [
      "tests are exempt",
      withTests({ check: { ...check, exempt: ["net *"] } }),
      "tests need not pass for tests: net *",
    ],
    ["nothing has to be earned", withTests({ role: "keep" }), "tests has no longer to be earned"],
    [
      "a line is not judged",
      of({ criteria: [tests, { ...docs, rubric: ["they are short"] }] }),
      'docs is not judged by "they name the flag"',
    ],
    [
      "a constraint is gone",
      of({ constraints: ["Never touch a.js."] }),
      'constraint gone: "No new dependency."',
    ],
    ["a path is open", of({ protect: ["test/**"] }), "not protected any more: fixtures/**"],
    ["protection is looser", of({ protection: "additive" }), "protection is additive, not strict"],
    ["dependencies are freer", of({ deps: "ask" }), "deps is ask, not deny"],
    ["more verdicts are granted", of({ limits: { ...before.limits, verdicts: 40 } }), "40 verdicts, not 20"],
    [
      "a check has longer",
      of({ limits: { verdicts: 20, check_ms: 2000 } }),
      "a check may take 2000 ms, not 1000 ms",
    ],
    [
      "a check has as long as it needs",
      of({ limits: { verdicts: 20 } }),
      "a check may take as long as the base's allows, not 1000 ms",
    ],
    ["what runs beside checks is another", of({ services: [] }), "other services run beside the checks"],
    ["the goal is another", of({ goal: "Less." }), "the goal is another"],
  ])("%s", (_what, found, said) => {
    expect(found).toEqual([said]);
  });

  test("more may be changed", () => {
    const brief = { ...before, limits: { verdicts: 20, files: 5, lines: 90 } };
    expect(weakenings(brief, { ...brief, limits: { verdicts: 20, files: 9 } })).toEqual([
      "9 files may be changed, not 5",
      "any number of lines may be changed, not 90",
    ]);
    expect(weakenings(brief, { ...brief, limits: { verdicts: 20, files: 5, lines: 9 } })).toEqual([]);
    expect(weakenings({ ...brief, limits: { verdicts: 20 } }, brief)).toEqual([]);
  });

  test("held-out files no longer count", () => {
    const held = { ...before, criteria: [{ ...tests, check: { ...check, held_out } }, docs] };
    expect(weakenings(held, before)).toEqual(["tests is not checked with the held-out files"]);
    const moved = { ...held_out, digest: "cd".repeat(32) };
    const other = { ...before, criteria: [{ ...tests, check: { ...check, held_out: moved } }, docs] };
    expect(weakenings(held, other)).toEqual(["tests is checked with other held-out files"]);
  });
});

test("what is stricter, or only more, is nothing to tell", () => {
  expect(weakenings(before, before)).toEqual([]);
  const stricter: Contract = {
    ...before,
    criteria: [{ ...tests, needs: ["docs"] }, docs, { ...tests, id: "more" }],
    constraints: [...before.constraints, "Be kind."],
    protect: [...before.protect, "x/**"],
    limits: { verdicts: 5, check_ms: 1000 },
  };
  expect(weakenings(before, stricter)).toEqual([]);
  expect(weakenings(contractWith(), before).filter((line) => !line.includes("goal"))).toEqual([
    "other services run beside the checks",
  ]);
  const exempt = { ...before, criteria: [{ ...tests, check: { ...check, exempt: ["a"] } }, docs] };
  expect(weakenings(exempt, before)).toEqual([]);
});
