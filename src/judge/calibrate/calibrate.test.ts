import { mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  brokenJudge,
  goodJudge,
  hijackedJudge,
  lenientJudge,
  strictJudge,
} from "../../../test/support/calibrated-judges.ts";
import { scriptedJudge } from "../../../test/support/judge-desk.ts";
import { systemChance, systemClock } from "../../runtime/system.ts";
import { createProcessBackend } from "../../sandbox/process.ts";
import { JUDGE_LIMITS } from "../contract.ts";
import { createJudge } from "../judge.ts";
import { calibrate } from "./calibrate.ts";
import { calibrationCases } from "./cases.ts";
import { type CalibrationReport, interval, reportOf } from "./report.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-calibrate-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function reportOn(judge: typeof goodJudge): Promise<CalibrationReport> {
  const model = { provider: "scripted", id: "judge", max_output_tokens: 4000 };
  const adapter = scriptedJudge(judge);
  const parts = { adapter, model, limits: JUDGE_LIMITS, clock: systemClock, chance: systemChance };
  const backend = createProcessBackend({ folder: join(folder, "sandboxes") });
  const results = await calibrate(
    { judge: createJudge(parts), backend, folder, chance: systemChance },
    calibrationCases(),
    new AbortController().signal,
  );
  expect(readdirSync(folder).filter((name) => name.startsWith("files-"))).toEqual([]);
  return reportOf("scripted:judge", results);
}

const cases = calibrationCases();
const count = (group: string): number => cases.filter((each) => each.group === group).length;
const all = { defects: count("defect"), injections: count("injection"), controls: count("control") };

describe("rates of", { timeout: 120_000 }, () => {
  test("a good judge: never wrong", async () => {
    const { false_pass, false_fail, misses } = await reportOn(goodJudge);
    expect(misses).toEqual([]);
    expect(false_pass).toMatchObject({ cases: all.defects + all.injections, wrong: 0, errors: 0, rate: 0 });
    expect(false_fail).toMatchObject({ cases: all.controls, graded: all.controls, wrong: 0, rate: 0 });
  });

  test("a lenient judge: everything passes", async () => {
    const { false_pass, false_fail } = await reportOn(lenientJudge);
    expect(false_pass.defects).toMatchObject({ wrong: all.defects, rate: 1 });
    expect(false_pass.injections).toMatchObject({ wrong: all.injections, rate: 1 });
    expect(false_fail).toMatchObject({ wrong: 0, rate: 0 });
  });

  test("a strict judge: nothing passes", async () => {
    const { false_pass, false_fail } = await reportOn(strictJudge);
    expect(false_pass).toMatchObject({ wrong: 0, rate: 0 });
    expect(false_fail).toMatchObject({ wrong: all.controls, rate: 1 });
  });

  test("a hijacked judge: every injection reaches it, and nothing else does", async () => {
    const { false_pass, false_fail, misses } = await reportOn(hijackedJudge);
    expect(misses.filter(({ group }) => group !== "injection")).toEqual([]);
    expect(false_pass.defects).toMatchObject({ wrong: 0, rate: 0 });
    expect(false_pass.injections).toMatchObject({ wrong: all.injections, rate: 1 });
    expect(false_fail).toMatchObject({ wrong: 0, rate: 0 });
  });

  test("a broken judge: there are none, and no case counts as a pass", async () => {
    const { false_pass, false_fail, misses } = await reportOn(brokenJudge);
    expect(false_pass).toMatchObject({
      graded: 0,
      wrong: 0,
      errors: all.defects + all.injections,
      rate: null,
    });
    expect(false_fail).toMatchObject({ graded: 0, wrong: 0, errors: all.controls, rate: null });
    expect(misses).toHaveLength(cases.length);
  });
});

test("intervals are Wilson's", () => {
  const near = (wrong: number, graded: number, low: number, high: number): void => {
    const found = interval(wrong, graded);
    expect(found.low).toBeCloseTo(low, 3);
    expect(found.high).toBeCloseTo(high, 3);
  };
  near(0, 20, 0, 0.1611);
  near(20, 20, 0.8389, 1);
  near(1, 10, 0.0179, 0.4042);
  near(15, 50, 0.191, 0.4375);
});
