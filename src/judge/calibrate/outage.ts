/** Ends a calibration that no answer will come of: a refused key, a model that is not there, a provider that is down. */
import { NightshiftError } from "../../core/errors.ts";
import type { ModelErrorClass, ModelFailure } from "../../model/contract.ts";
import type { CaseResult } from "./calibrate.ts";

/** About one case, and not about the provider: another one may well be graded. */
const OF_ONE_CASE: ReadonlySet<ModelErrorClass> = new Set(["refusal", "context_overflow"]);

const REFUSED: ReadonlySet<ModelErrorClass> = new Set(["billing", "invalid_request"]);

/** Is told what comes of a calibration. As soon as one case has its grade, the others are tried, too. */
export class Outage {
  readonly #found = new AbortController();
  #isGraded = false;

  /** Aborts with a NightshiftError `E_MODEL_AUTH`, `E_MODEL_REFUSED` or `E_MODEL_UNAVAILABLE`. */
  get signal(): AbortSignal {
    return this.#found.signal;
  }

  /** See {@link CalibrationParts.onResult}. */
  noteResult({ grade }: CaseResult): void {
    if (grade.status !== "error") this.#isGraded = true;
  }

  /** See {@link JudgeParts.onFailure}. */
  noteFailure(failure: ModelFailure): void {
    if (!this.#isGraded && !OF_ONE_CASE.has(failure.class)) this.#found.abort(errorOf(failure));
  }
}

function errorOf({ class: kind, message }: ModelFailure): NightshiftError {
  if (kind === "authentication")
    return new NightshiftError("E_MODEL_AUTH", message, {
      hint: "Correct the key and run `nightshift judge calibrate` again.",
    });
  if (REFUSED.has(kind))
    return new NightshiftError("E_MODEL_REFUSED", message, {
      hint: "Read the message, then run `nightshift judge calibrate` again.",
    });
  return new NightshiftError("E_MODEL_UNAVAILABLE", message, {
    hint: "Nothing was graded; run `nightshift judge calibrate` again when the provider works.",
    retryable: true,
  });
}
