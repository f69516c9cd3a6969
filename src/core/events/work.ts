/** What the agent says and does: `agent.*`, `span.*`, `tool.*`. */
import * as z from "zod";
import {
  callIdText,
  content,
  effect,
  ending,
  errorClass,
  json,
  reservation,
  text,
  timestampMs,
  usage,
} from "./parts.ts";

/** Opaque provider data that must go back unchanged (signatures, encrypted reasoning). */
const providerData = z.record(z.string(), json).optional();
const request = z.int().positive();

/** The intent of a model request, with what it may cost at the most. */
const modelRequestStart = z.object({
  request,
  session_thread_id: z.string(),
  epoch: z.int().positive(),
  model: z.string(),
  /** Every event up to here is in the context. */
  through_seq: z.int().nonnegative(),
  /** SHA-256 over the rendered messages, chained message by message. */
  context_hash: z.string(),
  reservation,
});

/** The receipt of a model request: an answer, an error, or neither (`lost`, `interrupted`). */
const modelRequestEnd = z.object({
  request,
  outcome: z.enum(["answered", "failed", "lost", "interrupted"]),
  is_error: z.boolean(),
  error: z
    .object({
      class: errorClass,
      message: z.string(),
      status: z.int().optional(),
      retry_after_ms: z.int().nonnegative().optional(),
    })
    .optional(),
  stop_reason: z.enum(["end_turn", "tool_use", "max_tokens", "refusal", "other"]).optional(),
  /** Absent when the provider never told: then the reservation stays charged. */
  model_usage: usage.optional(),
  cost_micro_usd: z.int().nonnegative().optional(),
  duration_ms: z.int().nonnegative(),
});

const toolUse = z.object({
  request,
  call: callIdText,
  /** The provider's id for the call, sent back with its result. */
  provider_call_id: z.string(),
  name: z.string(),
  input: json,
  /** Set when the model's input was not JSON or does not fit the tool; then nothing runs. */
  invalid: z.string().optional(),
  evaluated_permission: z.enum(["allow", "ask", "deny"]),
  effect,
  provider: providerData,
});

/** The receipt of a call; exactly one per `agent.tool_use`. */
const toolResult = z.object({
  call: callIdText,
  /** 0 when it never ran. */
  run: z.int().nonnegative(),
  content,
  is_error: z.boolean(),
  ending,
  exit_code: z.int().nullable(),
  duration_ms: z.int().nonnegative(),
  /** Bytes that were printed but not kept. */
  dropped_bytes: z.int().nonnegative(),
  /** True when nobody knows whether the effect happened. */
  in_doubt: z.boolean(),
});

const fileState = z.string().nullable();

/** Schemas of this domain by event type. */
export const workEvents = {
  "span.model_request_start": modelRequestStart,
  "span.model_request_end": modelRequestEnd,
  "agent.thinking": z.object({ request, text, provider: providerData }),
  "agent.message": z.object({ request, content, provider: providerData }),
  "agent.tool_use": toolUse,
  "agent.tool_result": toolResult,
  /** What a write would change: content hashes, null for "no such file". Looked up without touching anything. */
  "tool.prepared": z.object({ call: callIdText, path: z.string(), before: fileState, after: fileState }),
  /** The intent of one run of a call. */
  "tool.started": z.object({
    call: callIdText,
    run: z.int().positive(),
    sandbox: z.string(),
    incarnation: z.string(),
    before: fileState.optional(),
    after: fileState.optional(),
    at: timestampMs,
  }),
  /** The run may or may not have happened; `not_started` says that it certainly did not. */
  "tool.in_doubt": z.object({
    call: callIdText,
    run: z.int().positive(),
    finding: z.enum(["not_started", "unknown"]),
    reason: z.string(),
  }),
} as const;
