/** What waits for a person, and what happens when nobody comes: `question.*` and `approval.*`, as the harness notes it. */
import * as z from "zod";
import { callIdText, sequence, timestampMs } from "./parts.ts";

/** Names a question within its session: `q<request>_<index>`, as the call that asks it. */
export const questionId: z.ZodType<string> = z.string().regex(/^q\d+_\d+$/);
const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** Why a decision was taken without a person: their time was over, or nobody was to be asked. */
const without = z.enum(["time", "unattended"]);

/** Schemas of this domain by event type. */
export const peopleEvents = {
  /** The agent asks; its call is answered by what comes of it. */
  "question.asked": z.object({
    question: questionId,
    call: callIdText,
    text: z.string().min(1).max(4000),
    choices: z.array(z.string().min(1).max(500)).min(2).max(20).optional(),
    /** What counts when nobody answers in time. */
    default: z.string().min(1).max(2000).optional(),
    /** Absent: it waits until somebody answers. */
    expires_at: timestampMs.optional(),
  }),
  /** Nobody answered; `text` is the default that counts now, null for none. */
  "question.expired": z.object({ question: questionId, text: z.string().nullable(), reason: without }),
  /** A call may not run before a person has allowed exactly this. */
  "approval.requested": z.object({
    call: callIdText,
    /** The call's next run. */
    run: sequence,
    why: z.enum(["policy", "in_doubt"]),
    /** Of the action and of the moment it was asked at: see `actionHash`. */
    hash,
    /** That moment: a position of the log. */
    through_seq: sequence,
    /** Absent: it waits until somebody decides. */
    expires_at: timestampMs.optional(),
  }),
  /** A person who is away was told of this rest, or could not be. The address of the target is not in the log. */
  "notification.sent": z.object({
    event_seq: sequence,
    target: z.string().min(1).max(64),
    ok: z.boolean(),
    tries: z.int().nonnegative(),
    detail: z.string().max(500),
  }),
  /** Nobody decided, so it is denied. */
  "approval.expired": z.object({ call: callIdText, hash, reason: without }),
} as const;
