/** One worker's go at a criterion from a fresh context: `attempt.*`. */
import * as z from "zod";
import { criterionId } from "./contract.ts";
import { callIdText, text } from "./parts.ts";

const attempt = z.int().positive();
const commit = z.string().regex(/^[0-9a-f]{40,64}$/);

/** Schemas of this domain by event type. */
export const attemptEvents = {
  /** For a program that works by itself it is an intent: whoever holds the lease has it running. */
  "attempt.started": z.object({
    attempt,
    /** What it is about; null when no criterion is left to work on, or nobody named one. */
    criterion: criterionId.nullable(),
    /** `again`: for the same criterion as the last one, or a person has written after the end. */
    reason: z.enum(["first", "next_criterion", "reset", "rewind", "restart", "again"]),
    /** What its files began with; absent for a session that works in a folder as it is. */
    commit: commit.optional(),
    /** For a program: where it runs, and in which life of it. */
    sandbox: z.string().optional(),
    incarnation: z.string().optional(),
  }),
  /** The receipt. `met` and `unmet` are words of a verdict, never of a worker. */
  "attempt.ended": z.object({
    attempt,
    ending: z.enum([
      "met",
      "unmet",
      "reset",
      "rewound",
      "exited",
      "timed_out",
      "killed",
      "lost",
      "refused",
      "stopped",
    ]),
    exit_code: z.int().nullable().optional(),
    duration_ms: z.int().nonnegative(),
    /** The last that a program has printed. */
    output: text.optional(),
  }),
  /** The call would bring back what was tried and given up. It is refused once; whoever insists may. */
  "attempt.repeat_refused": z.object({
    call: callIdText,
    path: z.string().max(4096),
    /** Content hash that the file would have had. */
    hash: z.string().max(128),
    reason: z.string().max(2000),
  }),
} as const;
