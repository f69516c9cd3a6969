/**
 * Shapes that several events share. Field names are snake_case, as in the Managed Agents taxonomy, because these
 * are wire and storage names.
 */
import * as z from "zod";
import type { Json, Text } from "../text.ts";

const blobRef = z.object({ $blob: z.string().regex(/^[0-9a-f]{64}$/), bytes: z.int().nonnegative() });

/** A string or a blob reference. */
export const text: z.ZodType<Text> = z.union([z.string(), blobRef]);
/** Any JSON value (depth is bounded by the size limit on events). */
export const json: z.ZodType<Json> = z.json() as z.ZodType<Json>;
/** Position of an event. */
export const sequence: z.ZodType<number> = z.int().positive();
/** Wall-clock time in milliseconds since 1970. */
export const timestampMs: z.ZodType<number> = z.int().nonnegative();
/** Our own name for a tool call: `c<request>_<index>`. */
export const callIdText: z.ZodType<string> = z.string().regex(/^c\d+_\d+$/);

/** Text content, the only kind so far. */
export const textBlock = z.object({ type: z.literal("text"), text });
/** At least one block of content. */
export const content = z.array(textBlock).min(1).max(1000);

/** The most that a request can come to, charged before it is sent. */
export const reservation = z.object({
  tokens: z.int().nonnegative(),
  cost_micro_usd: z.int().nonnegative(),
});

/** Token counts of one model request; `input` excludes cache reads and writes. */
export const usage = z.object({
  input_tokens: z.int().nonnegative(),
  output_tokens: z.int().nonnegative(),
  cache_read_input_tokens: z.int().nonnegative(),
  cache_creation_input_tokens: z.int().nonnegative(),
});

/** Price of a model in micro-dollars per million tokens. */
export const price = z.object({
  input: z.number().nonnegative(),
  output: z.number().nonnegative(),
  cache_read: z.number().nonnegative(),
  cache_write: z.number().nonnegative(),
});

/** Which model answers, and what one request may cost at the most. */
export const model = z.object({
  provider: z.string().min(1).max(64),
  id: z.string().min(1).max(2048),
  max_output_tokens: z.int().min(1).max(1_000_000),
  base_url: z.string().max(2048).optional(),
  price: price.optional(),
});

/** What the model is told about one tool. */
export const toolSpec = z.object({
  name: z.string().regex(/^[A-Za-z0-9_-]{1,128}$/),
  description: z.string().max(10_000),
  input_schema: z.record(z.string(), json),
});

/** Caps on what models are asked for; absent means none. `cost_micro_usd` needs a price. */
const spending = {
  model_requests: z.int().min(1).max(1_000_000_000).optional(),
  tokens: z.int().min(1).max(1_000_000_000_000).optional(),
  cost_micro_usd: z.int().min(1).max(1_000_000_000_000).optional(),
};

/** Caps of a session; absent means none. */
export const limits = z.object({
  ...spending,
  attempts: z.int().min(1).max(1_000_000).optional(),
  /** Since the session was made, sleep and waiting included. */
  duration_ms: z.int().min(1).max(10_000_000_000).optional(),
  /** Of work only: neither at rest, nor asleep, nor waiting for a model that may not be asked. */
  active_ms: z.int().min(1).max(10_000_000_000).optional(),
  /** The same for each attempt, and for all attempts at one criterion. */
  attempt: z.object(spending).optional(),
  criterion: z.object(spending).optional(),
});

/** What stops a session that goes nowhere. */
export const breakerCause = z.enum([
  "same_call",
  "oscillation",
  "no_progress",
  "resets",
  "tool_failure",
  "outage",
  "idle",
  "losses",
  "sandbox_leak",
]);

const breakerLimit = z.union([z.int().min(1).max(1_000_000), z.literal("off")]).optional();

/** Whether breakers are off, or when they trip; the unit is the breaker's own. */
export const breakers = z.object({
  same_call: breakerLimit,
  oscillation: breakerLimit,
  no_progress: breakerLimit,
  resets: breakerLimit,
  tool_failure: breakerLimit,
});

/** What to do with a message that comes while the agent works. */
export const steering = z.enum(["enqueue", "interrupt", "reject"]);

/** What becomes of a context that fills up, for one model. */
export const contextProfile = z.object({
  mode: z.enum(["auto", "continue", "reset"]),
  /** How much the model takes; absent: only the provider's refusal tells. */
  window_tokens: z.int().min(1000).max(100_000_000).optional(),
  /** Part of the window at which the context is replaced. */
  fill_max: z.number().min(0.05).max(1),
  /** May it be shortened within an attempt? */
  compact: z.boolean(),
  /** Does a fresh context help when work does not get on? */
  resets_help: z.boolean(),
});

/** How the harness treats a session; all times in milliseconds. */
export const policy = z.object({
  steering,
  idle_timeout_ms: z.int().min(100),
  sandbox_grace_ms: z.int().min(0),
  tool_wall_ms: z.int().min(100),
  model_failures_max: z.int().min(1).max(1000),
  /** After so many failures the model is only probed now and then, for so long; absent: given up at once. */
  outage_ms: z.int().min(1000).max(10_000_000_000).optional(),
  /** A long rate limit: wait for its end (absent), ask another model meanwhile, or stop. */
  on_limit: z.enum(["wait", "fallback", "stop"]).optional(),
  breakers: breakers.optional(),
  no_contact_ms: z.int().min(1000),
  /** Save the workspace after so many calls that may have changed it. */
  checkpoint_calls: z.int().min(1).optional(),
  /** Or so long after the first such call. */
  checkpoint_ms: z.int().min(1000).optional(),
  /** Absent: a context goes on as long as it can. */
  context: contextProfile.optional(),
  /** `none`: nobody is to be asked; defaults count at once, and what needs a person is denied. */
  questions: z.enum(["park", "none"]).optional(),
  /** How long a question with a default waits, unless the agent says it. */
  question_ms: z.int().min(1000).optional(),
  /** How long an approval waits before it counts as denied. */
  approval_ms: z.int().min(1000).optional(),
  /** Calls that a person has to allow first: `tool`, `tool:pattern` or `irreversible`. */
  approve: z.array(z.string().min(1).max(300)).max(100).optional(),
});

/** Why a model request did not give an answer. */
export const errorClass = z.enum([
  "rate_limit",
  "overloaded",
  "network",
  "timeout",
  "stalled",
  "garbage",
  "authentication",
  "billing",
  "invalid_request",
  "context_overflow",
  "refusal",
  "unknown",
]);

/** How an execution ended; the one shape for every ending. */
export const ending = z.enum([
  "exited",
  "timed_out",
  "cancelled",
  "out_of_memory",
  "sandbox_lost",
  "refused",
  "not_run",
]);

/** What running a call twice would do; decides what happens when its outcome is unknown. */
export const effect = z.enum(["read_only", "idempotent", "reconcilable", "side_effect", "irreversible"]);
