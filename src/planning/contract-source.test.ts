import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { criterionOf, readCheck } from "../core/contract/build.ts";
import { CONTRACT_DEFAULTS } from "../core/contract/contract.ts";
import { contract as contractSchema } from "../core/events/contract.ts";
import { type ContractOptions, contractFrom, type SourcedContract } from "./contract-source.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-source-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, content: string | object): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), typeof content === "string" ? content : JSON.stringify(content));
}

async function source(options: Partial<ContractOptions>): Promise<SourcedContract> {
  const sourced = await contractFrom({ prompt: "Fix it", ...options }, folder);
  expect(contractSchema.safeParse(sourced.contract).error).toBeUndefined();
  return sourced;
}

const check = (text: string) => readCheck(text).check;

describe("from a command line", () => {
  test("one check is a contract", async () => {
    expect(await source({ checks: ["npm test"] })).toEqual({
      contract: {
        ...CONTRACT_DEFAULTS,
        goal: "Fix it",
        criteria: [
          criterionOf({ id: "npm-test", description: "`npm test` passes", check: check("npm test") }),
        ],
        setup: ["npm", "test"],
      },
      source: "command line",
      remarks: [],
    });
  });

  test("commands that were said in a folder are run there", async () => {
    const { contract } = await source({ checks: ["npm test", "CI=1 npm test"], checksIn: "packages/a" });
    expect(contract.criteria.map(({ description }) => description)).toEqual([
      "`npm test` passes in packages/a",
      "`CI=1 npm test` passes in packages/a",
    ]);
    expect(contract.criteria.map((each) => each.check?.folder)).toEqual(["packages/a", "packages/a"]);
  });

  test("several checks, a shell and rubric lines", async () => {
    const { contract, remarks } = await source({
      checks: ["CI=1 npm test | grep -q ok", "cd packages/a && npm test", "CI=1  npm test | grep -q ok "],
      rubric: ["`x --help` names the flag"],
      protect: ["test/**"],
      protection: "strict",
      deps: "deny",
    });
    expect(contract.criteria.map(({ id }) => id)).toEqual([
      "ci-1-npm-test-grep-q-ok",
      "cd-packages-a-npm-test",
      "ci-1-npm-test-grep-q-ok-2",
      "rubric",
    ]);
    expect(contract.criteria[1]?.check).toEqual({
      argv: ["npm", "test"],
      folder: "packages/a",
      shell: false,
    });
    expect(contract.criteria[3]?.rubric).toEqual(["`x --help` names the flag"]);
    expect(contract).toMatchObject({ protection: "strict", deps: "deny", setup: ["npm", "test"] });
    expect(remarks).toEqual([
      '`CI=1 npm test | grep -q ok` is run by sh -c, because of "|"',
      '`CI=1  npm test | grep -q ok` is run by sh -c, because of "|"',
      'the protected glob "test/**" matches no file. Correct it, or leave it out.',
    ]);
  });

  test("globs are looked for in the folder", async () => {
    for (const path of ["test/a.test.js", "src/a.js", "docs/test.md"]) write(path, "");
    expect((await source({ checks: ["npm test"], protect: ["test", "*.md", "src/*.js"] })).remarks).toEqual(
      [],
    );
    await expect(source({ checks: ["npm test"], protect: ["*"] })).rejects.toThrow("matches every file");
  });

  test("held-out files are kept by whoever can", async () => {
    const kept: string[] = [];
    const heldOut = [
      { folder: "/elsewhere", target: "test" },
      { folder: "/more", target: "spec", check: "npm run spec" },
    ];
    const { contract } = await contractFrom({ prompt: "Fix it", checks: ["npm test"], heldOut }, folder, {
      keepHeldOut: async (path) => {
        kept.push(path);
        return "a".repeat(64);
      },
    });
    expect(kept).toEqual(["/elsewhere", "/more"]);
    expect(contract.criteria.slice(1)).toMatchObject([
      {
        id: "held-out",
        check: { argv: ["npm", "test"], held_out: { digest: "a".repeat(64), target: "test" } },
      },
      { id: "held-out-2", check: { argv: ["npm", "run", "spec"], held_out: { target: "spec" } } },
    ]);
  });

  test("checks may be the whole goal, if that is said; a rubric is never", async () => {
    const only = { prompt: "", checks: ["npm test"], isGoalOfChecks: true };
    const { contract } = await source(only);
    expect(contract).toMatchObject({ goal: "Make the checks pass.", goal_from: "checks" });
    await expect(source({ ...only, rubric: ["it reads well"] })).rejects.toThrow("no goal");
    expect((await source({ ...only, prompt: "Go" })).contract.goal_from).toBeUndefined();
  });

  test.each<[string, Partial<ContractOptions>, string]>([
    ["nothing", {}, "the contract has no criteria"],
    ["no goal", { prompt: " ", checks: ["npm test"] }, "no goal"],
    [
      "a check that cannot fail",
      { checks: ["npm test || true"] },
      "npm-test-true: the check `npm test || true` ends with 0",
    ],
    ["a check without an end", { checks: ["npm 'test"] }, "a single quote in it does not end"],
    ["an empty check", { checks: [" "] }, "it is empty"],
    ["held-out files without a check", { heldOut: [{ folder: "/x", target: "t" }] }, "have no check"],
    [
      "several things",
      { prompt: "", checks: ["true", "false"] },
      "no goal; true: the check `true` ends with 0 whatever the work is like; false:",
    ],
  ])("%s is refused", async (_name, options, message) => {
    await expect(source(options)).rejects.toMatchObject({
      code: "E_CONTRACT_INVALID",
      message: expect.stringContaining(message),
    });
  });
});

describe("from a file", () => {
  const story = (id: string, more: object): object => ({
    id,
    title: `Users can do ${id}`,
    passes: true,
    ...more,
  });

  test("stories without a check are graded beside the project's own tests", async () => {
    write("package.json", { scripts: { test: "vitest run", typecheck: "tsc" } });
    write("prd.json", {
      description: "Sell things",
      userStories: [
        story("US-1", { acceptanceCriteria: ["`POST /pay` answers 201", "Typecheck passes", "Tests pass"] }),
        story("US-2", { acceptanceCriteria: ["`npm run e2e` passes"], dependencies: ["US-1"] }),
        story("US-3", {
          acceptanceCriteria: ["Typecheck passes"],
          title: "A paid order is in the list of 10 orders",
        }),
      ],
    });
    const { contract, source: from, remarks } = await source({ prompt: "", contractFile: "prd.json" });
    expect(contract.goal).toBe("Sell things");
    expect(from).toBe("prd.json");
    expect(contract.criteria).toMatchObject([
      { id: "us-1", check: null, rubric: ["`POST /pay` answers 201"] },
      { id: "us-2", check: check("npm run e2e"), rubric: [], needs: ["us-1"] },
      { id: "us-3", check: null, rubric: ["A paid order is in the list of 10 orders"] },
      { id: "npm-run-typecheck", check: check("npm run typecheck"), role: null },
      { id: "npm-test", check: check("npm test"), role: null },
    ]);
    expect(contract.setup).toEqual(["npm", "run", "e2e"]);
    expect(remarks).toEqual([
      "prd.json is read as user stories with 3 items",
      "3 items in it are marked as done; that is ignored, for only a verdict says so",
      'a judge grades 2 items without a check of their own, and `npm test` has to pass beside (package.json has a script "test")',
      "1 item says nothing of how to see it, so the judge is given the description alone",
      "us-3: its rubric says no more than its description. Say what one would see when it is met: a case and its outcome; better, add a check.",
    ]);
  });

  test("a prompt is the goal of a file that only lists items", async () => {
    write(
      "plan.md",
      "# Title\n- [ ] one thing\n  Check: `npm run one`\n- [ ] one thing\n  Check: `npm run two`\n",
    );
    const { contract } = await source({ contractFile: "plan.md", checks: ["npm run three"] });
    expect(contract.goal).toBe("Fix it");
    expect(contract.criteria.map(({ id }) => id)).toEqual(["one-thing", "one-thing-2", "npm-run-three"]);
    expect((await source({ prompt: "", contractFile: "plan.md" })).contract.goal).toBe("Title");
  });

  test("features without tests in the project are the judge's alone", async () => {
    write("f.json", [
      { description: "The list has 10 entries", steps: ["Open it", "Verify that it has 10 entries"] },
    ]);
    const { contract, remarks } = await source({ prompt: "", contractFile: "f.json" });
    expect(contract.goal).toBe("Do everything that f.json lists");
    expect(contract.criteria).toHaveLength(1);
    expect(remarks[1]).toContain("no test command was found");
  });

  test("a contract keeps its goal", async () => {
    write("c.json", {
      goal: "The goal",
      criteria: [{ id: "a", description: "d", check: "npm test", passes: true }],
    });
    const { contract, remarks } = await source({ contractFile: "c.json", protection: "review" });
    expect(contract).toMatchObject({ goal: "The goal", protection: "review", setup: ["npm", "test"] });
    expect(remarks).toEqual([
      "1 of its criteria say that they pass; that is ignored, for only a verdict says so",
      "the goal is that of c.json; your prompt is only the first message",
    ]);
  });

  test("a contract without a goal takes the prompt, and no set-up is none", async () => {
    write("c.json", { setup: [], criteria: [{ id: "a", description: "d", check: "npm test" }] });
    expect((await source({ contractFile: "c.json" })).contract).toMatchObject({ goal: "Fix it", setup: [] });
  });

  test("held-out files lie beside the contract", async () => {
    const held_out = { folder: "../hidden", target: "test" };
    write("a/c.json", { criteria: [{ description: "d", check: { command: "npm test", held_out } }] });
    const options = { prompt: "Fix it", contractFile: "a/c.json" };
    const keepHeldOut = async (path: string): Promise<string> =>
      (path === join(folder, "hidden") ? "b" : "c").repeat(64);
    const { contract } = await contractFrom(options, folder, { keepHeldOut });
    expect(contract.criteria[0]?.check?.held_out).toEqual({ digest: "b".repeat(64), target: "test" });
    await expect(contractFrom(options, folder)).rejects.toMatchObject({ code: "E_CONTRACT_FILE" });
  });

  test.each<[string, string | object, string]>([
    [
      "ids twice",
      { userStories: [story("a", { check: "npm run a" }), story("A", { check: "npm run b" })] },
      'two criteria have the id "a"',
    ],
    [
      "needs of nobody",
      { userStories: [story("a", { check: "npm test", dependsOn: ["z"] })] },
      'a: it needs "z"',
    ],
    [
      "vague stories",
      { userStories: [story("a", { acceptanceCriteria: ["Works well"] })] },
      '"Works well" says "works well"',
    ],
    [
      "a list of words",
      "- [ ] Login\n- [ ] Make it fast\n",
      "login: its rubric says no more than its description",
    ],
  ])("%s: refused by the linter", async (_name, content, message) => {
    const contractFile = typeof content === "string" ? "plan.md" : "prd.json";
    write(contractFile, content);
    await expect(source({ contractFile })).rejects.toMatchObject({
      code: "E_CONTRACT_INVALID",
      message: expect.stringContaining(message),
    });
  });

  test("a check that is no command is the file's mistake", async () => {
    write("plan.md", "- [ ] one\n  Check: `npm 'test`\n");
    await expect(source({ contractFile: "plan.md" })).rejects.toMatchObject({
      code: "E_CONTRACT_FILE",
      message: expect.stringMatching(/^plan\.md: .*quote/),
    });
  });

  test("any file comes to a contract that can be sealed, or is refused", async () => {
    const line = fc.constantFrom(
      ...[
        "# Title",
        "- [ ] Add a flag `--x`",
        "- [x] Works well",
        "  - `a` gives 1",
        "Check: `npm test`",
        "Check: `a 'b`",
      ],
      ...[
        "Verify: it prints 3",
        "- [ ] ",
        `- [ ] ${"long ".repeat(900)}`,
        "  1. step",
        "## Checks",
        "- `true`",
        "",
      ],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 25 }), async (lines) => {
        write("plan.md", lines.join("\n"));
        try {
          await source({ contractFile: "plan.md" });
        } catch (error) {
          expect(["E_CONTRACT_FILE", "E_CONTRACT_INVALID"]).toContain((error as { code?: string }).code);
        }
      }),
      { numRuns: 200 },
    );
  });
});

test("what the linter lets through can be sealed", async () => {
  const text = fc.string({ minLength: 0, maxLength: 3 });
  const long = fc.constantFrom(2001, 4001).map((length) => "x".repeat(length));
  const line = fc.oneof(text, long);
  const criterion = fc.record({
    id: fc.constantFrom("a", "b", "C", ""),
    description: line,
    steps: fc.array(line, { maxLength: 2 }),
    check: fc.option(
      fc.record({ command: fc.constantFrom("npm test", "a | b"), folder: fc.constantFrom("", "..", "/a") }),
    ),
    rubric: fc.array(fc.oneof(line, fc.constant("`a` gives 1")), { maxLength: 3 }),
    needs: fc.array(fc.constantFrom("a", "b"), { maxLength: 2 }),
  });
  const file = fc.record({
    goal: text,
    criteria: fc.array(criterion, { maxLength: 3 }),
    protect: fc.array(line),
  });
  await fc.assert(
    fc.asyncProperty(file, async (content) => {
      write("c.json", content);
      try {
        await source({ contractFile: "c.json" });
      } catch (error) {
        expect(error).toMatchObject({ code: "E_CONTRACT_INVALID" });
      }
    }),
    { numRuns: 300 },
  );
});
