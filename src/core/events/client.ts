/** What people and programs may submit without a lease: `user.*`, `control.*`, answers and approvals. */
import * as z from "zod";
import { branchText } from "./branch.ts";
import { contract, criterionId, hash, why } from "./contract.ts";
import { breakers, callIdText, content, limits, steering, timestampMs } from "./parts.ts";
import { questionId } from "./people.ts";

/** Who says it, in one line, because the agent is told. */
const author = z.string().regex(/^[^\p{Cc}\u2028\u2029]{1,256}$/u);
/** By what way it came: `cli`, `http`, … */
const channel = z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/);
const reason = z.object({ reason: z.string().max(500).optional() });

/** Schemas of this domain by event type. */
export const clientEvents = {
  /** A message; `steering` overrides the session's policy for this one. */
  "user.message": z.object({ content, steering: steering.optional() }),
  /** Aborts the model request in flight; tools that run may finish. */
  "user.interrupt": z.object({}),
  /**
   * Answers a call that needs a person: one whose permission is `ask` runs on `allow`; one whose outcome is unknown
   * and that may not be repeated unasked runs again.
   */
  "user.tool_confirmation": z.object({
    call: callIdText,
    result: z.enum(["allow", "deny"]),
    deny_message: z.string().max(10_000).optional(),
    /** Of the approval that was looked at; one that no longer counts changes nothing. */
    hash: hash.optional(),
    author: author.optional(),
    channel: channel.optional(),
  }),
  /** Answers a question of the agent. */
  "question.answered": z.object({
    question: questionId,
    text: z.string().min(1).max(10_000),
    author,
    channel: channel.optional(),
  }),
  /** No new model request until `control.resume`; what runs may finish. */
  "control.pause": reason,
  /** Goes on after a pause, a stop, exhausted retries or a stall. */
  "control.resume": reason,
  /** Kills the running tools and the request, then goes idle. */
  "control.stop": reason,
  /** As stop, and the session is over for good. */
  "control.cancel": reason,
  /** Replaces the caps and breakers that are named; the others stay. */
  "control.set_limits": z.object({ limits, breakers: breakers.optional() }),
  /** Saves the workspace as soon as no command runs. */
  "control.checkpoint": reason,
  /** Kills what runs, takes the workspace back to a checkpoint (0 is the base), and goes idle. */
  "control.rewind": z.object({
    checkpoint: z.int().nonnegative(),
    commit: z.string().regex(/^[0-9a-f]{40,64}$/),
  }),
  /** Puts another contract in the place of the sealed one; `hash` is the new one's. */
  "control.amend_contract": z.object({ contract, hash, reason: why, author: z.string().min(1).max(256) }),
  /** This criterion is not asked for until then; a person answers for it. */
  "control.waive": z.object({
    criterion: criterionId,
    reason: why,
    owner: z.string().min(1).max(256),
    expires_at: timestampMs,
  }),
  /** Begins a new attempt from a fresh context, whatever the session rests for. */
  "control.retry": reason,
  /** Asks for a verdict on what is there, now. */
  "control.request_verdict": z.object({}),
  /** Puts what is saved into the repository as a branch, verified or not; its own name unless another is given. */
  "control.publish": z.object({ branch: branchText.optional() }),
  /** Decides one item that waits for a person; `hash` names exactly what was looked at. */
  "approval.decided": z.object({
    /** Of a change of files: its path, by which the agent knows it; absent in older logs. */
    path: z.string().max(4096).optional(),
    item: z.string().max(128),
    hash,
    result: z.enum(["approve", "deny"]),
    reason: z.string().max(4000).optional(),
    author: z.string().min(1).max(256),
  }),
} as const;
