import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contractOf, criterionOf, readCheck } from "./build.ts";
import type { Contract, Criterion } from "./contract.ts";
import { type LintFacts, lintContract } from "./lint.ts";

const CHECKED: Partial<Criterion> = { check: readCheck("npm test").check };

function criterion(parts: Partial<Criterion>): Criterion {
  return criterionOf({ id: "one", description: "The parser accepts trailing commas in arrays", ...parts });
}

function complaintsOn(
  criteria: readonly Partial<Criterion>[],
  more: Partial<Contract> = {},
  facts?: LintFacts,
) {
  const contract = contractOf({ goal: "Make it so", criteria: criteria.map(criterion), ...more });
  return lintContract(contract, facts).map(({ criterion: id, code, severity }) => [id, code, severity]);
}

describe("sound contracts", () => {
  test.each<[string, readonly Partial<Criterion>[]]>([
    ["a check", [CHECKED]],
    ["a check under vague words", [{ ...CHECKED, description: "It works well" }]],
    ["a rubric with cases", [{ rubric: ["`[1,]` gives a list of one", "`[,]` is refused with a position"] }]],
    [
      "criteria that need each other in order",
      [
        { id: "a", ...CHECKED },
        { id: "b", needs: ["a"], rubric: ["`x --help` names both flags"] },
      ],
    ],
    [
      "words in another alphabet",
      [{ description: "設定画面に暗いテーマを追加する", rubric: ["切り替えると背景が黒になる"] }],
    ],
  ])("%s", (_name, criteria) => {
    expect(complaintsOn(criteria)).toEqual([]);
  });
});

describe("words", () => {
  test.each([
    "works well",
    "The code is clean",
    "The page loads fast",
    "The app is user-friendly and intuitive",
    "Everything works as expected",
    "Search works correctly",
    "Handles edge cases",
    "Good UX",
    "The code follows best practices and is maintainable",
  ])("%s: refused where nothing else verifies it", (line) => {
    expect(complaintsOn([{ rubric: [line] }])).toContainEqual(["one", "vague", "refuse"]);
  });

  test("a vague line beside telling ones is only named", () => {
    const rubric = ["works well", "`[1,]` gives a list of one"];
    expect(complaintsOn([{ rubric }])).toEqual([["one", "vague", "warn"]]);
    expect(complaintsOn([{ ...CHECKED, rubric: ["works well"] }])).toEqual([["one", "vague", "warn"]]);
  });

  test.each([
    "The page loads fast: at most 200 ms until the first byte",
    "`npm run lint` ends cleanly with 0",
    "The retry button works: it sends the form again and shows the new answer of the server",
  ])("%s: said by a measure", (line) => {
    expect(complaintsOn([{ rubric: [line] }]).filter(([, , severity]) => severity === "refuse")).toEqual([]);
  });

  test.each([
    [[], "nothing-to-verify"],
    [["  "], "empty-rubric-line"],
  ])("rubric %j without a check", (rubric, code) => {
    expect(complaintsOn([{ rubric }])).toContainEqual(["one", code, "refuse"]);
  });

  test("a vague description without check and rubric says which word", () => {
    const [complaint] = lintContract(
      contractOf({ goal: "g", criteria: [criterion({ description: "Make search fast" })] }),
    );
    expect(complaint).toMatchObject({ criterion: "one", code: "vague", severity: "refuse" });
    expect(complaint?.message).toContain('"fast"');
    expect(complaint?.fix).toContain("number");
  });

  test.each([
    ["Users can log in", "Users can log in", "refuse"],
    ["Dark mode", "There is a dark mode", "refuse"],
    [
      "Add dark mode to the settings page of the editor",
      "Dark mode is added to the editor's settings page",
      "warn",
    ],
    ["`GET /health` answers 200", "GET /health answers 200", "warn"],
  ])("%s, restated as %s", (description, line, severity) => {
    expect(complaintsOn([{ description, rubric: [line] }])).toEqual([["one", "restates", severity]]);
    expect(complaintsOn([{ ...CHECKED, description, rubric: [line] }])).toEqual([]);
  });
});

describe("checks", () => {
  test.each([
    "true",
    ":",
    "exit 0",
    "echo ok",
    "/bin/echo ok",
    "sleep 1",
    "npm test || true",
    "npm test || :",
    "npm test; exit 0",
    "npm test; true",
    "npm test || echo failed",
    "npm test | tee log",
    "npm test 2>&1 | tail -n 20",
    "npm test &",
    "sh -c true",
    "bash -lc 'npm test || true'",
    "env A=1 true",
    "A=1 true",
    "true && echo done",
    "! false",
    "node --version",
    "npm run",
    "git status",
    "git diff",
    'node -e ""',
    "python3 -c pass",
    "exit 0; npm test",
    "npm test; echo $?",
  ])("`%s` cannot fail", (text) => {
    expect(complaintsOn([{ check: readCheck(text).check }])).toEqual([["one", "cannot-fail", "refuse"]]);
  });

  test.each(["false", "exit 1", "npm test; false", "npm test && exit 1"])("`%s` cannot pass", (text) => {
    expect(complaintsOn([{ check: readCheck(text).check }])).toEqual([["one", "cannot-pass", "refuse"]]);
  });

  test.each([
    "npm test",
    "cd a && npm test",
    "npm run build && npm test",
    "npm run build; npm test",
    "npm test > log 2>&1",
    "true && npm test",
    "echo start; npm test",
    "npm test || exit 1",
    "npm test && echo done",
    "npm test | grep -q ok",
    "npm start & sleep 1; curl -f localhost",
    "set -e; npm test; true",
    "for f in *.sh; do sh -n $f; done; true",
    "test -f out.txt",
    "! grep -rn TODO src",
    "git diff --exit-code",
    "node -e \"process.exit(require('./x') === 1 ? 0 : 1)\"",
    "bash -c 'npm test'",
    "bash -o pipefail -c 'npm test | tee log'",
    "bash -euc 'npm test; true'",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's own
    "npm test | tee log; exit ${PIPESTATUS[0]}",
    "npm test; exit $?",
    "npm test | tail -n 5 | grep -q passed",
    "grep '|| true' file",
    "pytest -v",
    "vitest run -t '--watch it'",
  ])("`%s` is a check", (text) => {
    expect(complaintsOn([{ check: readCheck(text).check }])).toEqual([]);
  });

  test.each([
    ["vitest --watch", "never-ends", "refuse"],
    ["npx vitest watch", "never-ends", "refuse"],
    ["npm run dev", "never-ends", "warn"],
    ["vitest run --passWithNoTests", "passes-without-tests", "warn"],
    ["npm run test --if-present", "passes-without-tests", "warn"],
    ["npx jest -u", "rewrites-snapshots", "warn"],
    ["pytest --snapshot-update", "rewrites-snapshots", "warn"],
  ])("`%s`: %s", (text, code, severity) => {
    expect(complaintsOn([{ check: readCheck(text).check }])).toEqual([["one", code, severity]]);
  });

  test("the same check twice does not tell two criteria apart", () => {
    expect(
      complaintsOn([
        { id: "a", ...CHECKED },
        { id: "b", ...CHECKED },
      ]),
    ).toEqual([["b", "same-check", "warn"]]);
  });
});

describe("ids and needs", () => {
  test.each<[string, readonly Partial<Criterion>[], unknown]>([
    ["no id", [{ id: "No Id" }], ["No Id", "bad-id", "refuse"]],
    ["the same id twice", [{ id: "a" }, { id: "a" }], ["a", "duplicate-id", "refuse"]],
    ["an unknown need", [{ id: "a", needs: ["z"] }], ["a", "unknown-need", "refuse"]],
    ["itself", [{ id: "a", needs: ["a"] }], ["a", "needs-cycle", "refuse"]],
    [
      "each other",
      [
        { id: "c", needs: ["a"] },
        { id: "a", needs: ["b"] },
        { id: "b", needs: ["a"] },
      ],
      ["a", "needs-cycle", "refuse"],
    ],
  ])("%s", (_name, criteria, complaint) => {
    const distinct = criteria.map((each, index) => ({
      check: readCheck(`npm run t${index}`).check,
      ...each,
    }));
    expect(complaintsOn(distinct)).toEqual([complaint]);
  });
});

describe("the whole", () => {
  test("no goal and no criteria", () => {
    const found = lintContract(contractOf({ goal: " ", criteria: [] })).map(({ code }) => code);
    expect(found).toEqual(["no-goal", "nothing-to-verify"]);
  });

  test("only keep-checks", () => {
    expect(complaintsOn([{ ...CHECKED, role: "keep" }])).toEqual([[null, "goal-unchecked", "warn"]]);
  });

  test.each(["/etc/passwd", "../x", "a/../../x", "~/x", "C:\\x", "a\\..\\x"])(
    "folder %s leads out",
    (folder) => {
      const check = { argv: ["npm", "test"], folder, shell: false };
      expect(complaintsOn([{ check }])).toEqual([["one", "path-outside", "refuse"]]);
      expect(complaintsOn([CHECKED], { protect: [folder] })).toContainEqual([null, "path-outside", "refuse"]);
    },
  );

  test("held-out files have a place inside", () => {
    const held_out = { digest: "0".repeat(64), target: "../secret" };
    const check = { argv: ["npm", "test"], folder: "", shell: false, held_out };
    expect(complaintsOn([{ check }])).toEqual([["one", "path-outside", "refuse"]]);
  });

  test("too much", () => {
    const many = Array.from({ length: 501 }, (_, index) => ({
      id: `c${index}`,
      check: readCheck(`npm run t${index}`).check,
    }));
    expect(complaintsOn(many)).toEqual([[null, "too-large", "refuse"]]);
    expect(complaintsOn([CHECKED], { goal: "g".repeat(100_001) })).toEqual([[null, "too-large", "refuse"]]);
    const long = Array.from({ length: 50 }, (_, index) => `${index} ${"x".repeat(1990)}`);
    const large = many.slice(0, 10).map((each) => ({ ...each, rubric: long }));
    expect(complaintsOn(large)).toEqual([[null, "too-large", "refuse"]]);
  });

  test.each([
    ["**", "protects-everything", "refuse"],
    ["**/*", "protects-everything", "refuse"],
    ["*", "protects-everything", "refuse"],
    [".", "protects-everything", "refuse"],
    ["s*", "protects-everything", "refuse"],
    ["tset/**", "protects-nothing", "warn"],
    ["", "protects-nothing", "refuse"],
    ["{a}", "protects-nothing", "refuse"],
  ])("protecting %j", (glob, code, severity) => {
    const facts = { fileCount: 9, countMatches: (each: string) => ({ "s*": 9, "tset/**": 0 })[each] };
    expect(complaintsOn([CHECKED], { protect: [glob] }, facts)).toEqual([[null, code, severity]]);
  });

  test("no contract makes it throw", () => {
    const text = fc.string({ unit: fc.constantFrom(..."ab c'\"\\|&;<>!=./~") });
    const anyCriterion = fc.record({
      id: text,
      description: text,
      steps: fc.array(text),
      check: fc.option(
        fc.record({ argv: fc.array(text, { minLength: 1 }), folder: text, shell: fc.boolean() }),
      ),
      role: fc.constantFrom("earn" as const, "keep" as const, null),
      rubric: fc.array(text),
      needs: fc.array(text),
    });
    fc.assert(
      fc.property(fc.array(anyCriterion), fc.array(text), (criteria, protect) => {
        for (const { message, fix } of lintContract(contractOf({ goal: "g", criteria, protect }))) {
          expect(message).not.toBe("");
          expect(fix).toMatch(/\.$/);
        }
      }),
    );
  });
});
