/** How one context follows another: `context.*`, `handoff.*`. */
import * as z from "zod";
import { criterionId } from "./contract.ts";
import { callIdText, content, sequence, text } from "./parts.ts";

const commit = z.string().regex(/^[0-9a-f]{40,64}$/);
const attempt = z.int().positive();
const path = z.string().max(4096);
const line = z.string().min(1).max(2000);

/** What was measured when the harness chose what becomes of a context. */
export const contextSignals = z.object({
  /** Tokens of the next request's input: as the provider counted, and our bound on what is new since. */
  fill_tokens: z.int().nonnegative(),
  /** Null when nobody knows how much the model takes. */
  window_tokens: z.int().positive().nullable(),
  /** The provider has said that it was too much. */
  overflowed: z.boolean(),
  /** Calls in a row that ended with an error. */
  errors_in_row: z.int().nonnegative(),
  /** Requests of this thread that were answered. */
  turns: z.int().nonnegative(),
  /** Of this attempt. */
  compactions: z.int().nonnegative(),
  /** Verdicts in a row that found the same criteria unmet. */
  same_verdicts: z.int().nonnegative(),
  /** Attempts in a row that were given up without one more criterion met. */
  fruitless_attempts: z.int().nonnegative(),
});

/** A way that was tried and does not lead there. */
const rejectedApproach = z.object({
  approach: line,
  reason: line,
  /** Where it was tried; what was written there and given up again is refused when it comes back. */
  files: z.array(path).max(50),
});

const criterionStatus = z.object({
  criterion: criterionId,
  status: z.enum(["met", "unmet", "error", "impossible", "blocked", "waived"]),
  reason: z.string().max(2000),
});

/** Schemas of this domain by event type. */
export const handoffEvents = {
  /** What becomes of the context, and by what signals. To go on as it is needs no event. */
  "context.decided": z.object({
    choice: z.enum(["compact", "reset", "rewind", "restart"]),
    cause: z.enum(["fill", "overflow", "errors", "same_verdicts", "asked"]),
    signals: contextSignals,
    /** What the files are taken back to, by `rewind` and `restart`; 0 is the base. */
    to: z.object({ checkpoint: z.int().nonnegative(), commit }).optional(),
  }),
  /** Asks the model for its part of a handoff, once. */
  "handoff.asked": z.object({ content }),
  /** What the model says of where it stands. A comment: facts come from log and git. */
  "handoff.noted": z.object({
    call: callIdText,
    next_step: line,
    decisions: z.array(line).max(50),
    tried_and_failed: z.array(rejectedApproach).max(50),
    /** Criteria that it takes for unmet. */
    unmet: z.array(z.string().max(64)).max(500),
    notes: z.string().max(4000),
  }),
  /** The intent to write one; the number alone finds it again after a crash. */
  "handoff.requested": z.object({ number: z.int().positive(), attempt: attempt.nullable() }),
  /** From which the next context starts. */
  "handoff.recorded": z.object({
    number: z.int().positive(),
    attempt: attempt.nullable(),
    /** Where the next step comes from. */
    source: z.enum(["model", "log"]),
    /** Verbatim, as are the constraints. */
    goal: text,
    constraints: z.array(z.string().max(4000)).max(100),
    criteria: z.array(criterionStatus).max(500),
    frontier: z.object({
      last_verified: z.object({ verdict: z.int().positive(), commit }).nullable(),
      /** What was being done, by the last calls. */
      in_flight: z.array(line).max(20),
      next_step: line,
    }),
    decisions: z.array(line).max(200),
    tried_and_failed: z.array(rejectedApproach).max(200),
    /** What people have said, word for word. */
    people: z.array(z.object({ seq: sequence, text })).max(50),
    how_to_run: z.object({
      checks: z.array(z.object({ criterion: criterionId, command: z.string().max(4000) })).max(500),
      setup: z.string().max(4000),
    }),
    files: z.object({
      base: commit.nullable(),
      commit: commit.nullable(),
      checkpoint: z.int().nonnegative(),
      changed: z.array(path).max(200),
      changed_count: z.int().nonnegative(),
    }),
    /** What the last check that failed has printed, at its end. */
    last_failure: z.object({ criterion: criterionId, output: z.string().max(4000) }).nullable(),
    notes: z.string().max(4000),
    /** Contents that were given up: what would make a file this again is refused, once. */
    rejected: z.array(z.object({ path, hash: z.string().max(128), reason: line })).max(200),
    /** Where the model's words and the log disagree: the log counts. */
    corrections: z
      .array(z.object({ question: line, said: z.string().max(2000), is: z.string().max(2000) }))
      .max(100),
    /** Tells the model. */
    content,
  }),
} as const;
