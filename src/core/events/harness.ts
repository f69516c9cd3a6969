/** What the harness did around the work: `harness.*`, `sandbox.*`, `budget.*`, `breaker.*`, `model.*`. */
import * as z from "zod";
import { breakerCause, content, errorClass, json, sequence, timestampMs } from "./parts.ts";

const sandbox = z.string();
/** SHA-256 of the list of services, in hex. */
const services = z.string().regex(/^[0-9a-f]{64}$/);

/** Schemas of this domain by event type. */
export const harnessEvents = {
  /** A driver took the session over; comes with its first other event, so idle wakes leave no trace. */
  "harness.woke": z.object({ epoch: z.int().positive(), owner: z.string(), version: z.string() }),
  /** The machine slept or the process was stopped; counts neither as idle nor as active time. */
  "harness.suspended": z.object({ gap_ms: z.int().nonnegative() }),
  /** These messages are in the next context. */
  "harness.input_accepted": z.object({ seqs: z.array(sequence).min(1) }),
  /** These messages came while the agent worked and the policy is `reject`. */
  "harness.input_rejected": z.object({ seqs: z.array(sequence).min(1), reason: z.string() }),
  /** The intent to provision; the id alone finds it again after a crash. */
  "sandbox.requested": z.object({
    sandbox,
    backend: z.string(),
    /** The files it begins with, where the session has a checkout of its own; checkpoint 0 is the base. */
    restore: z.object({ checkpoint: z.int().nonnegative(), commit: z.string() }).optional(),
    /** The layer of these files instead of that of the base. */
    environment: z.object({ key: z.string(), commit: z.string() }).optional(),
  }),
  /** It answers; `handle` is what a backend needs to attach to it from another process. */
  "sandbox.ready": z.object({
    sandbox,
    incarnation: z.string(),
    handle: z.record(z.string(), json),
    /** By what means each limit is held. */
    limits: z.record(z.string(), z.string()).optional(),
  }),
  /** It could not be provisioned; or that incarnation of it is gone. */
  "sandbox.lost": z.object({
    sandbox,
    incarnation: z.string().optional(),
    reason: z.string(),
    code: z.string(),
  }),
  /** It is tried again then; `decided_at` lets a reader see a clock that went back. */
  "sandbox.rescheduled": z.object({
    sandbox,
    resume_at: timestampMs,
    decided_at: timestampMs,
    failures: z.int().positive(),
  }),
  /** The intent to start the services of the contract in it. */
  "sandbox.services_requested": z.object({ sandbox, incarnation: z.string(), services }),
  /** All of them are ready. */
  "sandbox.services_ready": z.object({
    sandbox,
    incarnation: z.string(),
    duration_ms: z.int().nonnegative(),
  }),
  /** One could not be started, or has ended since it was ready. Commands run without it. */
  "sandbox.services_failed": z.object({
    sandbox,
    incarnation: z.string(),
    argv: z.array(z.string()),
    reason: z.enum(["ended", "not_ready", "cannot_look", "cannot_start", "not_isolated"]),
    message: z.string(),
    /** For the model, with the end of what it printed. */
    content,
  }),
  "sandbox.destroy_requested": z.object({ sandbox }),
  "sandbox.destroyed": z.object({ sandbox }),
  /**
   * What the egress proxy let through and what it did not: the lines of its own record from one byte to another, so
   * that each is here exactly once.
   */
  "egress.decided": z.object({
    from: z.int().nonnegative(),
    to: z.int().positive(),
    /** Of the proxy through which layers are fetched; absent: of that of the session's commands. */
    phase: z.literal("set_up").optional(),
    lines: z.array(z.record(z.string(), json)).min(1),
  }),
  /** The next request could exceed this cap. */
  "budget.exhausted": z.object({ cap: z.string(), limit: z.number(), used: z.number(), wanted: z.number() }),
  "breaker.tripped": z.object({ cause: breakerCause, detail: z.string() }),
  /** A breaker is about to trip, and the model is told. */
  "breaker.nudged": z.object({ cause: breakerCause, detail: z.string(), content }),
  /** The model may not be asked before `until`; `to` is asked meanwhile. */
  "model.switched": z.object({
    from: z.string(),
    to: z.string(),
    until: timestampMs,
    decided_at: timestampMs,
    error_class: errorClass,
  }),
} as const;
