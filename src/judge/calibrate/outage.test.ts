import { mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { goodJudge } from "../../../test/support/calibrated-judges.ts";
import { scriptedJudge } from "../../../test/support/judge-desk.ts";
import { isNightshiftError } from "../../core/errors.ts";
import type { ModelRequest } from "../../model/contract.ts";
import type { ScriptTurn } from "../../model/script-schema.ts";
import { systemChance, systemClock } from "../../runtime/system.ts";
import { createProcessBackend } from "../../sandbox/process.ts";
import { JUDGE_LIMITS } from "../contract.ts";
import { createJudge } from "../judge.ts";
import { type CaseResult, calibrate } from "./calibrate.ts";
import { calibrationCases } from "./cases.ts";
import { Outage } from "./outage.ts";

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-outage-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Answer = (request: ModelRequest, number: number) => ScriptTurn;

/** What a calibration comes to, and how many requests were sent for it. */
async function tryOn(
  answer: Answer,
): Promise<{ sent: number; code: string; results: readonly CaseResult[] }> {
  let sent = 0;
  const outage = new Outage();
  const adapter = scriptedJudge((request) => answer(request, ++sent));
  const model = { provider: "scripted", id: "judge", max_output_tokens: 4000 };
  const judge = createJudge({
    ...{ adapter, model, limits: JUDGE_LIMITS, chance: systemChance },
    // Nobody waits for a provider that is down.
    clock: { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms > 60_000 ? ms : 0, signal) },
    onFailure: (failure) => outage.noteFailure(failure),
  });
  const backend = createProcessBackend({ folder: join(folder, "sandboxes") });
  const parts = { judge, backend, folder, chance: systemChance };
  const onResult = (result: CaseResult): void => outage.noteResult(result);
  try {
    const cases = calibrationCases().slice(0, 8);
    const results = await calibrate({ ...parts, onResult }, cases, outage.signal);
    return { sent, code: "", results };
  } catch (error) {
    return { sent, code: isNightshiftError(error) ? error.code : String(error), results: [] };
  } finally {
    expect(readdirSync(folder).filter((name) => name.startsWith("files-"))).toEqual([]);
  }
}

function failing(status: number): ScriptTurn {
  return { text: "never", fail: Array.from({ length: 9 }, () => ({ kind: "status", status })) };
}

test.each([
  ["a refused key", 401, "E_MODEL_AUTH", 4],
  ["a model that is not there", 400, "E_MODEL_REFUSED", 4],
  ["a provider that is down", 529, "E_MODEL_UNAVAILABLE", 12],
] as const)("%s ends it after the first failures", async (_name, status, code, most) => {
  const ended = await tryOn(() => failing(status));
  expect(ended.code).toBe(code);
  expect(ended.sent).toBeLessThanOrEqual(most);
});

test("a case that the provider refuses is one without a grade, and the others are graded", async () => {
  let refused = 0;
  const { code, results } = await tryOn((request) => {
    if (request.messages.length === 1 && refused++ === 0) return failing(413);
    return goodJudge(request);
  });
  expect(code).toBe("");
  expect(results.filter(({ grade }) => grade.status === "error")).toHaveLength(1);
});
