/** `judge calibrate`: how often the model that grades is wrong, tried on artefacts whose right grade is known. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NightshiftError } from "../../core/errors.ts";
import {
  type CaseResult,
  calibrate,
  calibrationCases,
  createJudge,
  JUDGE_LIMITS,
  type Judge,
  type JudgeLimits,
  Outage,
  reportOf,
} from "../../judge/index.ts";
import type { Settings } from "../../runtime/config.ts";
import { openModel } from "../../runtime/models.ts";
import type { ModelConfig } from "../../runtime/providers.ts";
import { createSandboxBackend } from "../../runtime/registry.ts";
import { systemChance, systemClock } from "../../runtime/system.ts";
import { type CommandContext, type PlaceFlags, settingsFor } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { Interruption } from "../interruption.ts";
import { anotherNameOf } from "../judge-choice.ts";
import { checkModel, type ModelFlags, modelOf } from "../model-choice.ts";
import type { Output } from "../output.ts";
import { calibrationLines } from "../render/calibration.ts";
import { formatCount } from "../render/format.ts";
import { wrap } from "../render/text.ts";
import { sandboxFor, warnOf } from "./begin.ts";

/** Flags of `judge`. */
export interface JudgeFlags extends PlaceFlags, ModelFlags {
  readonly sandbox?: string;
  readonly json?: boolean;
}

/** The artefacts are small. */
const LIMITS: JudgeLimits = { ...JUDGE_LIMITS, requests: 12, tokens: 200_000 };
const PROGRESS_EVERY = 10;

/**
 * Prints the rates; exits with 0 however bad they are, as long as there are any.
 * @throws NightshiftError `E_MODEL_AUTH`, `E_MODEL_REFUSED`, `E_MODEL_UNAVAILABLE` before anything was graded
 */
export async function judge(context: CommandContext, action: string, flags: JudgeFlags): Promise<number> {
  if (action !== "calibrate")
    throw new NightshiftError("E_USAGE", `judge can calibrate, and not "${action}"`);
  const { output } = context;
  const settings = await settingsFor(context, flags);
  const model = judgeToTry(context, settings, flags);
  await checkModel(model, settings);
  const sandbox = await sandboxFor(flags, settings);
  const adapter = await openModel(model, { ...settings, clock: systemClock });
  const outage = new Outage();
  const onFailure = outage.noteFailure.bind(outage);
  const parts = { adapter, model, limits: LIMITS, clock: systemClock, chance: systemChance, onFailure };
  warnOf(sandbox, output);
  using interruption = new Interruption();
  const startedMs = systemClock.monotonicMs();
  const results = await tried({ output, model, sandbox, interruption, outage }, createJudge(parts));
  if (results === undefined) return interruption.exitCode ?? EXIT.interrupted;
  const report = {
    sandbox,
    ...reportOf(`${model.provider}:${model.id}`, results),
    duration_ms: Math.round(systemClock.monotonicMs() - startedMs),
  };
  if (flags.json === true) output.printJson(report);
  else output.print(...calibrationLines(report, output.width));
  if (report.false_pass.graded + report.false_fail.graded > 0) return EXIT.ok;
  output.note("Nothing was graded, so nothing is known of this judge.");
  return EXIT.unavailable;
}

/** The one that a session would get. */
function judgeToTry(context: CommandContext, settings: Settings, flags: JudgeFlags): ModelConfig {
  const named = flags.model ?? settings.judgeModels[0];
  if (named !== undefined) return modelOf(context, { ...settings, model: named }, flags);
  const own = modelOf(context, settings, flags);
  const other = anotherNameOf(own);
  return other === undefined ? own : modelOf(context, { ...settings, model: other }, flags);
}

interface Trying {
  readonly output: Output;
  readonly model: ModelConfig;
  readonly sandbox: string;
  readonly interruption: Interruption;
  readonly outage: Outage;
}

/** Undefined when the person has left. */
async function tried(
  { output, model, sandbox, interruption, outage }: Trying,
  judge: Judge,
): Promise<readonly CaseResult[] | undefined> {
  const cases = calibrationCases();
  const most = `at most ${LIMITS.requests} requests and ${formatCount(LIMITS.tokens)} tokens each`;
  output.note(...wrap(`${cases.length} gradings by ${model.provider}:${model.id}, ${most}`, output.width));
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-judge-")));
  let graded = 0;
  const onResult = (result: CaseResult): void => {
    outage.noteResult(result);
    graded += 1;
    if (graded % PROGRESS_EVERY === 0) output.note(`${graded} of ${cases.length} graded`);
  };
  try {
    const backend = await createSandboxBackend(sandbox, { folder: join(folder, "sandboxes") });
    const signal = AbortSignal.any([interruption.signal, outage.signal]);
    return await calibrate({ judge, backend, folder, chance: systemChance, onResult }, cases, signal);
  } catch (error) {
    if (interruption.signal.aborted) return undefined;
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
