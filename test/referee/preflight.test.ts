/** The preflight: what cannot run names its cause and the next step, before a cent is spent. */
import { describe, expect, test } from "vitest";
import { NightshiftError } from "../../src/core/errors.ts";
import type { Surroundings } from "../../src/referee/parts.ts";
import { Court, check, contractOf } from "./court.ts";

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
