import { existsSync } from "node:fs";
import { describe, expect, type TestContext, test } from "vitest";
import { createRunners } from "../../../src/referee/runners/runners.ts";
import { chooseSandbox } from "../../../src/runtime/registry.ts";
import { Court, check, contractOf } from "../court.ts";

/** The same project for two runners: a test that is red at first, what mends it, and what only looks as if. */
const PROJECTS = {
  "node:test": {
    contract: contractOf({ id: "tests", check: check("npm", "test") }),
    files: {
      "package.json": JSON.stringify({ scripts: { test: "node --test test" } }),
      "sum.js": "exports.sum = (a, b) => a - b;\n",
      "test/sum.test.js": `
        const { test } = require("node:test");
        const assert = require("node:assert");
        const { sum } = require("../sum.js");
        test("zero", () => assert.equal(sum(4, 0), 4));
        test("adds", () => assert.equal(sum(2, 2), 4));
      `,
    },
    honest: { "sum.js": "exports.sum = (a, b) => a + b;\n" },
    hostile: { "sum.js": "process.reallyExit(0);\n" },
  },
  pytest: {
    contract: contractOf({ id: "tests", check: check("python3", "-m", "pytest") }),
    files: {
      "sums.py": "def add(a, b):\n    return a - b\n",
      "tests/test_sums.py":
        "from sums import add\n\ndef test_zero():\n    assert add(4, 0) == 4\n\ndef test_adds():\n    assert add(2, 2) == 4\n",
    },
    honest: { "sums.py": "def add(a, b):\n    return a + b\n" },
    hostile: { "sums.py": "import os\nos._exit(0)\n" },
  },
} as const;

async function needs(runner: string, context: TestContext): Promise<void> {
  const chosen = await chooseSandbox(process.env).catch(() => undefined);
  if (chosen !== "bubblewrap") context.skip("bubblewrap does not work on this machine");
  const hasPytest = existsSync("/usr/bin/pytest");
  if (runner === "pytest" && !hasPytest) context.skip("the system has no pytest");
}

describe.each(["node:test", "pytest"] as const)("%s in a sandbox", (runner) => {
  const { contract, files, honest, hostile } = PROJECTS[runner];

  test("honest work is met; what exits with 0 is not", async (context) => {
    await needs(runner, context);
    const court = await Court.open("bubblewrap", files, { runners: createRunners() });
    const preflight = await court.preflight(contract);
    expect(preflight).toMatchObject({ problems: [], criteria: [{ status: "failed", role: "earn" }] });
    const cheated = await court.verdict(contract, await court.put(hostile), { preflight });
    expect(cheated).toMatchObject({ outcome: "unmet" });
    const mended = await court.verdict(contract, await court.put(honest), { preflight });
    expect(mended).toMatchObject({
      outcome: "met",
      criteria: [{ criterion: "tests", status: "met", strength: "in-process" }],
    });
  });
});
