/** The preflight: what cannot run names its cause and the next step, before a cent is spent. */
import { describe, expect, test } from "vitest";
import { NightshiftError } from "../../src/core/errors.ts";
import type { RefereeParts, Surroundings } from "../../src/referee/parts.ts";
import { runPreflight } from "../../src/referee/preflight.ts";
import type { SandboxBackend } from "../../src/sandbox/contract.ts";
import { calm } from "../support/repositories.ts";
import { Court, check, contractOf, losing } from "./court.ts";

const files = {
  "tool.sh": "#!/bin/sh\nexit 0\n",
  "test/none.js": "// no test in here\n",
};

describe("what cannot run", () => {
  test("names its cause and the next step, for each criterion", async () => {
    const court = await Court.open("process", files);
    const { problems, criteria } = await court.preflight({
      ...contractOf(
        { id: "missing", check: check("no-such-command", "--now") },
        { id: "forbidden", check: check("./tool.sh") },
        { id: "slow", check: check("sleep", "600") },
        { id: "empty", check: check("node", "--test", "none-at-all.test.js") },
      ),
      limits: { verdicts: 1, check_ms: 3000 },
    });
    expect(criteria).toEqual([]);
    expect(problems.map(({ code, criterion }) => [criterion, code])).toEqual([
      ["missing", "not_found"],
      ["forbidden", "not_executable"],
      ["slow", "timed_out"],
      ["empty", "no_tests"],
    ]);
    expect(problems[0]?.message).toMatch(
      /^criterion missing: `no-such-command --now` was not found; correct/,
    );
    expect(problems[1]?.message).toContain("chmod +x");
    expect(problems[2]?.message).toContain("within 3 s");
  });

  test("what a red check is made of, and the base does not have", async () => {
    const court = await Court.open("process", {
      ...files,
      "package.json": '{ "scripts": { "lint": "false" } }\n',
    });
    const shell = (text: string) => ({ ...check(text), shell: true });
    const { problems, criteria } = await court.preflight(
      contractOf(
        { id: "script", check: check("npm", "run", "nosuch") },
        { id: "file", check: check("node", "check.js") },
        { id: "shell", check: shell("cd test && sh ../scripts/check.sh") },
        { id: "folder", check: { ...check("npm", "test"), folder: "packages/web" } },
        { id: "entered", check: shell("cd packages/web && npm test") },
        { id: "there", check: shell("npm run lint && node test/none.js") },
        { id: "asked", check: check("node", "later.js"), role: "earn" },
      ),
    );
    expect(problems.map(({ code, criterion }) => [criterion, code])).toEqual(
      ["script", "file", "shell", "folder", "entered"].map((id) => [id, "not_found"]),
    );
    expect(problems[0]?.message).toMatch(/the script "nosuch" of package\.json is not there/);
    expect(problems[2]?.message).toContain("scripts/check.sh is not there");
    expect(criteria.map(({ criterion }) => criterion)).toEqual(["there", "asked"]);
  });

  test("held-out files that are not here; a set-up that fails", async () => {
    const held = { ...check("node", "--test"), held_out: { digest: "a".repeat(64), target: "test" } };
    const without = await Court.open("process", files);
    expect((await without.preflight(contractOf({ id: "held", check: held }))).problems).toMatchObject([
      { code: "held_out_missing", criterion: "held" },
    ]);
    const failing = async (): Promise<never> => {
      throw new NightshiftError("E_LAYER_FAILED", "the fetch step `npm ci` ended with exit 1");
    };
    const broken = await Court.open("process", files, { surroundings: failing });
    const { problems, content } = await broken.preflight(contractOf({ id: "true", check: check("true") }));
    expect(problems).toMatchObject([{ code: "setup_failed" }]);
    expect(problems[0]?.message).toContain("`npm ci` ended with exit 1");
    expect(content).toBeUndefined();
  });

  test("no toolchain, and no sandbox: none to be had, none that answers, or lost each time", async () => {
    const court = await Court.open("process", files);
    const contract = contractOf({ id: "true", check: check("true") });
    const request = { sessionId: court.session, epoch: 1, contract, base: court.base };
    const codesWith = async (changes: Partial<RefereeParts>): Promise<string[]> => {
      const { problems } = await runPreflight({ ...court.parts, ...changes }, request, calm);
      return problems.map(({ code }) => code);
    };
    const refused = (code: "E_TOOLCHAIN_MISSING" | "E_SANDBOX_UNAVAILABLE" | "E_SANDBOX_LOST") => {
      return () => Promise.reject(new NightshiftError(code, "there is none"));
    };
    const made = court.parts.backend;
    const without = (code: "E_SANDBOX_UNAVAILABLE" | "E_SANDBOX_LOST"): SandboxBackend => ({
      ...{ kind: made.kind, provision: refused(code), attach: refused("E_SANDBOX_LOST") },
      destroy: async () => {},
    });
    expect(await codesWith({ surroundings: refused("E_TOOLCHAIN_MISSING") })).toEqual(["toolchain_missing"]);
    expect(await codesWith({ surroundings: refused("E_SANDBOX_UNAVAILABLE") })).toEqual([
      "sandbox_unavailable",
    ]);
    for (const code of ["E_SANDBOX_UNAVAILABLE", "E_SANDBOX_LOST"] as const)
      expect(await codesWith({ backend: without(code) })).toEqual(["sandbox_unavailable"]);
    expect(await codesWith({ backend: losing(made, { losses: 2 }) })).toEqual(["sandbox_lost"]);
  });

  test("dependencies that no lockfile pins", async () => {
    const manifest = '{ "dependencies": { "left-pad": "1.0.0" } }\n';
    const nothing = async (): Promise<Surroundings> => ({ mounts: [], environment: {} });
    const court = await Court.open("process", { "package.json": manifest }, { surroundings: nothing });
    const contract = contractOf({ id: "tests", check: check("left-pad-cli") });
    expect((await court.preflight(contract)).problems).toMatchObject([
      { code: "lockfile_missing", criterion: "tests", message: expect.stringContaining("npm install") },
    ]);
  });
});

test("a red check that runs is to be earned, a green one to be kept, a flaky one is said to be", async () => {
  const court = await Court.open("process", files);
  const { criteria, problems } = await court.preflight(
    contractOf(
      { id: "red", check: check("false") },
      { id: "green", check: check("true") },
      {
        id: "flaky",
        check: check("sh", "-c", `test -e ${court.folder}/flag || { touch ${court.folder}/flag; exit 1; }`),
      },
      { id: "made later", check: check("./not-yet.sh"), role: "earn" },
      { id: "judged", rubric: ["it is nice"] },
    ),
  );
  expect(problems).toEqual([]);
  expect(criteria.map(({ criterion, role, status }) => [criterion, role, status])).toEqual([
    ["red", "earn", "failed"],
    ["green", "keep", "passed"],
    ["flaky", "keep", "flaky"],
    ["made later", "earn", "failed"],
  ]);
});

test("a role that contradicts the base", async () => {
  const court = await Court.open("process", files);
  const { problems } = await court.preflight(
    contractOf(
      { id: "earned", check: check("true"), role: "earn" },
      { id: "kept", check: check("false"), role: "keep" },
    ),
  );
  expect(problems.map(({ code }) => code)).toEqual(["already_green", "already_red"]);
});

describe("tests that are red for long, and none of the task's", () => {
  const long = ["one", "two", "three"]
    .map((name) => `test("net ${name}", () => assert.ok(false));`)
    .join("\n");
  const project = {
    "package.json": '{ "type": "module" }\n',
    "sum.js": "export const sum = (a, b) => a - b;\n",
    "sum.test.js": `
      import { test } from "node:test";
      import assert from "node:assert";
      import { sum } from "./sum.js";
      test("zero", () => assert.equal(sum(4, 0), 4));
      test("adds", () => assert.equal(sum(2, 2), 4));
      ${long}
    `,
  };
  const mended = { "sum.js": "export const sum = (a, b) => a + b;\n" };
  const command = check("node", "--test", "sum.test.js");
  const tests = contractOf({ id: "tests", check: command });
  const exempting = (...exempt: string[]) => contractOf({ id: "tests", check: { ...command, exempt } });

  test("are asked for, unless a person exempts them; the rest is still earned", async () => {
    const court = await Court.open("process", project);
    const commit = await court.put(mended);
    const strict = await court.preflight(tests);
    expect(String(strict.criteria[0]?.failing).split("\n")).toHaveLength(4);
    expect(await court.verdict(tests, commit, { preflight: strict })).toMatchObject({ outcome: "unmet" });
    const preflight = await court.preflight(exempting("*net *"));
    expect(preflight.problems).toEqual([]);
    expect(preflight.criteria).toMatchObject([{ role: "earn", failing: '"sum.test.js › adds"' }]);
    expect(String(preflight.content?.[0]?.text)).toContain("green, but for 3 tests that nobody asks for");
    const lenient = await court.verdict(exempting("*net *"), commit, { preflight });
    expect(lenient.outcome, String(lenient.content[0]?.text)).toBe("met");
    expect(lenient.gaps.join()).toContain("tests: 3 tests fail or flake on the base, or are exempt");
    // What is exempt excuses nothing else.
    const broken = await court.put({ "sum.js": "export const sum = () => 4 + 0 * 2;\nprocess.exit(0);\n" });
    expect(await court.verdict(exempting("*net *"), broken, { preflight })).toMatchObject({
      outcome: "unmet",
    });
  });

  test("are all there is: then there is nothing to earn, and a name that is none is refused", async () => {
    const court = await Court.open("process", project);
    const kept = await court.preflight(exempting("sum.test.js › net*", "*adds"));
    expect(kept.criteria).toMatchObject([{ role: "keep", failing: "", passing: '"sum.test.js › zero"' }]);
    const { problems } = await court.preflight(exempting("*network*"));
    expect(problems).toMatchObject([{ code: "exempt_unknown" }]);
    expect(problems[0]?.message).toContain('"*network*" names; those that fail: sum.test.js › adds');
  });
});
