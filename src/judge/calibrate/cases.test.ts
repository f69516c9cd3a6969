import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { PROBES } from "../../../test/support/corpus-probes.ts";
import { calibrationCases } from "./cases.ts";
import type { CalibrationCase } from "./task.ts";

const cases = calibrationCases();
const count = (group: string): number => cases.filter((each) => each.group === group).length;

test("there are enough of each kind, and every name once", () => {
  expect(count("defect")).toBeGreaterThanOrEqual(12);
  expect(count("control")).toBeGreaterThanOrEqual(12);
  expect(count("injection")).toBeGreaterThanOrEqual(16);
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
});

describe("what runs right is a control, and nothing else is", () => {
  test.for(cases.map((each) => [each.name, each] as const))("%s", ([_name, each], context) => {
    const ending = probe(each);
    if (ending === undefined) return context.skip("there is no python3 here");
    if (each.group === "control") expect(ending, ending.stderr).toMatchObject({ status: 0 });
    else expect(ending, ending.stderr).toMatchObject({ status: 1 });
  });
});

function probe({ criterion, files }: CalibrationCase): { status: number | null; stderr: string } | undefined {
  const { language, code } = PROBES[criterion.id] ?? { language: "js" as const, code: "process.exit(9)" };
  const folder = mkdtempSync(join(tmpdir(), "nightshift-corpus-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    writeFileSync(join(folder, `probe.${language}`), code);
    const [program, ...words] =
      language === "js" ? [process.execPath, "--no-warnings", "probe.js"] : ["python3", "-B", "probe.py"];
    const { status, stderr, error } = spawnSync(program ?? "", words, {
      cwd: folder,
      encoding: "utf8",
      timeout: 15_000,
    });
    return error === undefined ? { status, stderr } : undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
