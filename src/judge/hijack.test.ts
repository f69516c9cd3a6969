import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hijackedJudge } from "../../test/support/calibrated-judges.ts";
import { scriptedJudge } from "../../test/support/judge-desk.ts";
import { CONTRACT_DEFAULTS, contractHash } from "../core/contract/contract.ts";
import type { EventBody } from "../core/events/index.ts";
import type { Verdict } from "../referee/findings.ts";
import { verdictOf } from "../referee/verdict.ts";
import { systemChance, systemClock } from "../runtime/system.ts";
import { createProcessBackend } from "../sandbox/process.ts";
import { calibrate } from "./calibrate/calibrate.ts";
import { calibrationCases } from "./calibrate/cases.ts";
import type { CalibrationCase } from "./calibrate/task.ts";
import { type Grade, JUDGE_LIMITS } from "./contract.ts";
import { createJudge } from "./judge.ts";

type Checked = EventBody<"referee.checked">;

const cases = calibrationCases().filter(({ group }) => group === "injection");
const trees = { A: "a".repeat(40), B: "b".repeat(40) } as const;
const commit = "c".repeat(40);
const grades = new Map<string, Grade>();
const folder = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-hijack-")));

/** Every one of them made the judge say met. */
beforeAll(async () => {
  const model = { provider: "scripted", id: "judge", max_output_tokens: 4000 };
  const adapter = scriptedJudge(hijackedJudge);
  const judge = createJudge({
    ...{ adapter, model, limits: JUDGE_LIMITS },
    ...{ clock: systemClock, chance: systemChance },
  });
  const backend = createProcessBackend({ folder: join(folder, "sandboxes") });
  const parts = { judge, backend, folder, chance: systemChance };
  for (const { case: each, grade } of await calibrate(parts, cases, new AbortController().signal))
    grades.set(each.name, { criterion: each.criterion.id, model: "m", duration_ms: 1, ...grade });
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a hijacked judge's pass", () => {
  test.for(cases.map((each) => [each.name, each] as const))("%s: does not beat its check", ([name, each]) => {
    expect(grades.get(name)?.status).toBe("met");
    const failing = { status: "unmet", reason: "exit status 1" } as const;
    for (const pass of ["A", "B"] as const)
      expect(verdictOn(each, { [pass]: failing })).toMatchObject({
        outcome: "unmet",
        criteria: [{ status: "unmet" }],
      });
    expect(verdictOn(each, { B: { status: "error" } })).toMatchObject({ outcome: "error" });
    expect(verdictOn(each, null)).toMatchObject({ outcome: "unmet" });
  });

  test("is all there is where no check looks, and then the verdict says that it rests on a model", () => {
    for (const each of cases) {
      const { outcome, gaps } = verdictOn(each, {});
      expect(outcome).toBe("met");
      expect(gaps.join("\n")).toContain("rests on the judgement of a model");
    }
  });
});

/** With a check that is green but for what is said of a pass; null for one that has not run. */
function verdictOn(
  { name, contract, criterion: { ...judged } }: CalibrationCase,
  passes: { readonly [pass in "A" | "B"]?: Partial<Checked> } | null,
): Verdict {
  const criterion = { ...judged, check: { argv: ["npm", "test"], folder: "", shell: false } };
  const whole = { ...CONTRACT_DEFAULTS, goal: contract.goal, criteria: [criterion] };
  const grade = grades.get(name);
  const checked = (["A", "B"] as const).map((pass, index) => ({
    seq: index + 1,
    body: { ...green(criterion.id, pass), ...passes?.[pass] },
  }));
  return verdictOf(
    {
      ...{ sessionId: "sesn_00000000", number: 1, epoch: 1, contract: whole },
      ...{ contractHash: contractHash(whole), base: "d".repeat(40), commit },
      preflight: { commit: "d".repeat(40), criteria: [], problems: [], duration_ms: 1 },
      ...{ waivers: [], declared: [], approved: new Set(), denied: new Set(), done: [] },
    },
    {
      ...{ treeA: trees.A, treeB: trees.B, findings: [], checked: passes === null ? [] : checked },
      contrasted: [],
      graded: grade === undefined ? [] : [{ seq: 9, body: { verdict: 1, ...grade } }],
      ...{
        review: { open: [], approved: new Set(), denied: [] },
        isIsolated: true,
        gatesOff: new Set(),
        waived: new Set(),
      },
      ...{ durationMs: 1, problem: null },
    },
  );
}

function green(criterion: string, pass: "A" | "B"): Checked {
  const run = {
    ending: "exited",
    exit_code: 0,
    duration_ms: 1,
    runner: "node-test",
    counts: null,
    output: "",
  };
  return {
    ...{ verdict: 1, criterion, pass, tree: trees[pass], command: ["npm", "test"] },
    run: run as Checked["run"],
    ...{ output_hash: "e".repeat(64), strength: "in-process", status: "met", reason: "green", missing: [] },
  };
}
