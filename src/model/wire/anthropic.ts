/** The wire format of Anthropic's Messages API, seen from the server. */
import type { Json } from "../../core/text.ts";
import type { ScriptBlock, ScriptChunk, ScriptedAttempt } from "../script.ts";
import { parseMessages, sseFrame, type WireFormat, type WireRequest } from "./format.ts";
import { anthropicComplaint } from "./rules.ts";

const ERROR_TYPES: { readonly [status: number]: string } = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};

const STOP_REASONS = {
  end_turn: "end_turn",
  tool_use: "tool_use",
  max_tokens: "max_tokens",
  refusal: "refusal",
  other: "unnamed_reason",
} as const;

/** Anthropic's format. */
export const anthropicWire: WireFormat = {
  name: "anthropic",
  parse: (body) => parseMessages(body, { wantsUsage: true, complaint: anthropicComplaint }),
  stream: (attempt, request) => ({
    head: headOf(attempt, request),
    chunks: attempt.chunks.map((chunk, index) => chunkFrames(attempt, chunk, index)),
    tail: tailOf(attempt),
  }),
  whole: (attempt, request) => ({
    ...envelope(attempt, request),
    content: attempt.blocks.map(blockOf),
    stop_reason: STOP_REASONS[attempt.stopReason],
    usage: usageOf(attempt),
  }),
  errorBody: (status, errorType, message) =>
    errorOf(
      errorType ?? ERROR_TYPES[status] ?? (status < 500 ? "invalid_request_error" : "api_error"),
      message,
    ),
  errorFrame: (errorType, message) => sseFrame(errorOf(errorType ?? "overloaded_error", message), "error"),
};

function errorOf(type: string, message: string): Json {
  return { type: "error", error: { type, message } };
}

function envelope(attempt: ScriptedAttempt, request: WireRequest): { readonly [key: string]: Json } {
  return {
    id: `msg_${attempt.turnIndex}_${attempt.attempt}`,
    type: "message",
    role: "assistant",
    model: request.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
}

/** This wire has no way of not telling; zeros stand for that. */
function usageOf(attempt: ScriptedAttempt): { readonly [key: string]: Json } {
  return {
    input_tokens: attempt.usage?.inputTokens ?? 0,
    cache_creation_input_tokens: attempt.usage?.cacheWriteTokens ?? 0,
    cache_read_input_tokens: attempt.usage?.cacheReadTokens ?? 0,
    output_tokens: attempt.usage?.outputTokens ?? 0,
  };
}

function headOf(attempt: ScriptedAttempt, request: WireRequest): string {
  // At the start nothing has been put out yet.
  const usage = { ...usageOf(attempt), output_tokens: 0 };
  const message = { ...envelope(attempt, request), usage };
  return sseFrame({ type: "message_start", message }, "message_start") + sseFrame({ type: "ping" }, "ping");
}

function tailOf(attempt: ScriptedAttempt): string {
  const delta = { stop_reason: STOP_REASONS[attempt.stopReason], stop_sequence: null };
  return (
    sseFrame({ type: "message_delta", delta, usage: usageOf(attempt) }, "message_delta") +
    sseFrame({ type: "message_stop" }, "message_stop")
  );
}

function chunkFrames(attempt: ScriptedAttempt, chunk: ScriptChunk, index: number): string {
  const block = attempt.blocks[chunk.block];
  if (block === undefined) return "";
  const isFirst = attempt.chunks[index - 1]?.block !== chunk.block;
  let frames = isFirst ? startFrame(block, chunk.block) : "";
  if (chunk.text !== "") frames += deltaFrame(deltaOf(block, chunk.text), chunk.block);
  if (!chunk.isLast) return frames;
  if (block.type === "thinking") {
    frames += deltaFrame({ type: "signature_delta", signature: block.signature }, chunk.block);
  }
  return frames + sseFrame({ type: "content_block_stop", index: chunk.block }, "content_block_stop");
}

function startFrame(block: ScriptBlock, index: number): string {
  return sseFrame(
    { type: "content_block_start", index, content_block: emptied(block) },
    "content_block_start",
  );
}

function deltaFrame(delta: Json, index: number): string {
  return sseFrame({ type: "content_block_delta", index, delta }, "content_block_delta");
}

function emptied(block: ScriptBlock): Json {
  switch (block.type) {
    case "thinking":
      return { type: "thinking", thinking: "", signature: "" };
    case "redacted_thinking":
      return { type: "redacted_thinking", data: block.data };
    case "text":
      return { type: "text", text: "" };
    case "tool_call":
      return { type: "tool_use", id: block.id, name: block.name, input: {} };
  }
}

function deltaOf(block: ScriptBlock, text: string): Json {
  switch (block.type) {
    case "thinking":
      return { type: "thinking_delta", thinking: text };
    case "tool_call":
      return { type: "input_json_delta", partial_json: text };
    default:
      return { type: "text_delta", text };
  }
}

function blockOf(block: ScriptBlock): Json {
  switch (block.type) {
    case "thinking":
      return { type: "thinking", thinking: block.text, signature: block.signature };
    case "redacted_thinking":
      return { type: "redacted_thinking", data: block.data };
    case "text":
      return { type: "text", text: block.text };
    case "tool_call":
      return { type: "tool_use", id: block.id, name: block.name, input: inputOf(block.raw) };
  }
}

/** A whole answer holds the input as JSON, so one that is not JSON becomes a string. */
function inputOf(raw: string): Json {
  try {
    return JSON.parse(raw) as Json;
  } catch {
    return raw;
  }
}
