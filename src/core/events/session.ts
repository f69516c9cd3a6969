/** `session.*`: the life of a session, under the Managed Agents names where that taxonomy has the fact. */
import * as z from "zod";
import { commandAgent } from "./command.ts";
import { content, json, limits, model, policy, sequence, timestampMs, toolSpec } from "./parts.ts";

/** First event of every log. */
const created = z.object({
  title: z.string().max(500).optional(),
  metadata: z.record(z.string().max(64), z.string().max(512)),
  agent: z.object({
    name: z.string().min(1).max(256),
    worker: z.enum(["loop", "command"]),
    /** For `command`: which program, and how it is run. */
    command: commandAgent.optional(),
    model,
    /** Asked as long as `model` may not be, where the policy says so. */
    fallback: model.optional(),
    system: z.string().max(1_000_000),
    tools: z.array(z.string()).max(128),
  }),
  /** Grades what no command can show; absent: the agent's model. */
  judge: model.optional(),
  /** Asked after it, one after the other, until one of them does not find everything met. */
  further_judges: z.array(model).min(1).max(4).optional(),
  sandbox: z.object({
    backend: z.string().min(1),
    /** Absolute path of the folder the agent works in. */
    workspace: z.string().min(1),
    options: z.record(z.string(), json),
    /** The agent works on a checkout of its own, made from this commit; absent: in the folder itself. */
    checkout: z
      .object({
        base: z.string().regex(/^[0-9a-f]{40,64}$/),
        /** The branch that verified work becomes is called by it; absent: there will be none. */
        branch: z
          .string()
          .regex(/^[a-z0-9][a-z0-9-]{0,60}$/)
          .optional(),
      })
      .optional(),
  }),
  limits,
  policy,
});

/** This log was copied from another one, up to `at_seq`; effects that were open there are unknown here. */
const forked = z.object({ from: z.string(), at_seq: sequence, head_hash: z.string() });

/** A context window opens and pins everything that shapes its prefix. */
const threadCreated = z.object({
  session_thread_id: z.string(),
  agent_name: z.string(),
  reason: z.enum(["start", "reset", "compact", "upgrade", "model"]),
  renderer: z.int().positive(),
  system: z.string(),
  tools: z.array(toolSpec),
  model,
  /** First event that the thread's context is made of. */
  from_seq: sequence,
  /** Its first message, before everything that waits. */
  opening: content.optional(),
  /** It begins with the newest handoff, in front of the opening. */
  handoff: z.int().positive().optional(),
  /** The answer to this request and all that follows it stay as they are; for `compact`. */
  keep_from: z.int().positive().optional(),
});

const statusIdle = z.object({
  stop_reason: z.discriminatedUnion("type", [
    z.object({ type: z.literal("end_turn") }),
    z.object({
      type: z.literal("requires_action"),
      calls: z.array(z.string()),
      /** Key of the layer that the changed files ask for. */
      environment: z.string().optional(),
      /** What the agent asks. */
      questions: z.array(z.string()).optional(),
    }),
    z.object({ type: z.literal("retries_exhausted") }),
    z.object({
      type: z.literal("budget_reached"),
      cap: z.string(),
      /** When the cap begins anew; absent: a person has to raise it. */
      resume_at: timestampMs.optional(),
    }),
    /** The provider's limit is over then; the policy is to stop, so nobody waits for it here. */
    z.object({ type: z.literal("rate_limited"), resume_at: timestampMs }),
    z.object({ type: z.literal("refusal") }),
    /** The answer was cut off at the limit of output tokens. */
    z.object({ type: z.literal("max_tokens") }),
    z.object({ type: z.literal("paused") }),
    z.object({ type: z.literal("stopped") }),
    z.object({ type: z.literal("stalled") }),
    z.object({ type: z.literal("failed"), code: z.string() }),
    /** Every criterion of the contract is met, by this verdict. */
    z.object({ type: z.literal("verified"), verdict: z.int().positive() }),
    /** The goal is no more than the checks, and all of them are green on the base: nobody was asked to work. */
    z.object({ type: z.literal("already_green") }),
    /** The agent ended its turn although this verdict was negative and it has changed nothing since. */
    z.object({ type: z.literal("unmet"), verdict: z.int().positive() }),
    /** A person has to look at something before the verdict can be positive. */
    z.object({ type: z.literal("review"), verdict: z.int().positive() }),
  ]),
});

const statusRescheduled = z.object({
  /** When the next try is due; `decided_at` lets a reader see a clock that went back. */
  resume_at: timestampMs,
  decided_at: timestampMs,
  failures: z.int().positive(),
  error_class: z.string(),
});

const error = z.object({
  error: z.object({
    type: z.string(),
    code: z.string(),
    message: z.string(),
    retry_status: z.object({ type: z.enum(["retrying", "exhausted", "terminal"]) }),
  }),
});

/** Schemas of this domain by event type. */
export const sessionEvents = {
  "session.created": created,
  "session.forked": forked,
  "session.thread_created": threadCreated,
  "session.status_running": z.object({}),
  "session.status_idle": statusIdle,
  "session.status_rescheduled": statusRescheduled,
  "session.status_terminated": z.object({ reason: z.string() }),
  "session.error": error,
} as const;
