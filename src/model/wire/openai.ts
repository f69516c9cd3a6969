/** The wire format of OpenAI's chat completions API, seen from the server. */
import type { Json } from "../../core/text.ts";
import type { ScriptBlock, ScriptChunk, ScriptedAttempt } from "../script.ts";
import { fieldsOf, parseMessages, sseFrame, type WireFormat, type WireRequest } from "./format.ts";
import { openaiComplaint } from "./rules.ts";

const ERROR_TYPES: { readonly [status: number]: string } = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "invalid_request_error",
  429: "rate_limit_exceeded",
};

const FINISH_REASONS = {
  end_turn: "stop",
  tool_use: "tool_calls",
  max_tokens: "length",
  refusal: "content_filter",
  other: "unnamed_reason",
} as const;

/** OpenAI's format. It has no signatures, no redacted thinking and no count of cache writes. */
export const openaiWire: WireFormat = {
  name: "openai",
  parse: (body) => {
    const options = fieldsOf(fieldsOf(body).stream_options);
    return parseMessages(body, { wantsUsage: options.include_usage === true, complaint: openaiComplaint });
  },
  stream: (attempt, request) => ({
    head: deltaFrame(attempt, request, { role: "assistant", content: "" }),
    chunks: attempt.chunks.map((chunk, index) => chunkFrames(attempt, request, chunk, index)),
    tail: tailOf(attempt, request),
  }),
  whole: (attempt, request) => ({
    ...envelope(attempt, request, "chat.completion"),
    choices: [
      {
        index: 0,
        message: messageOf(attempt),
        finish_reason: FINISH_REASONS[attempt.stopReason],
      },
    ],
    ...(attempt.usage === undefined ? {} : { usage: usageOf(attempt) }),
  }),
  errorBody: (status, errorType, message) =>
    errorOf(errorType ?? ERROR_TYPES[status] ?? "server_error", message),
  errorFrame: (errorType, message) => sseFrame(errorOf(errorType ?? "server_error", message)),
};

function errorOf(type: string, message: string): Json {
  return { error: { message, type, param: null, code: null } };
}

function envelope(
  attempt: ScriptedAttempt,
  request: WireRequest,
  object: string,
): { readonly [key: string]: Json } {
  return {
    id: `chatcmpl-${attempt.turnIndex}-${attempt.attempt}`,
    object,
    created: 0,
    model: request.model,
  };
}

/** Here the cached part is counted among the input. */
function usageOf(attempt: ScriptedAttempt): Json {
  const {
    inputTokens = 0,
    outputTokens = 0,
    cacheReadTokens = 0,
    cacheWriteTokens = 0,
  } = attempt.usage ?? {};
  const promptTokens = inputTokens + cacheReadTokens + cacheWriteTokens;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: outputTokens,
    total_tokens: promptTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: cacheReadTokens },
  };
}

function chunkFrame(attempt: ScriptedAttempt, request: WireRequest, fields: { [key: string]: Json }): string {
  return sseFrame({ ...envelope(attempt, request, "chat.completion.chunk"), ...fields });
}

function deltaFrame(attempt: ScriptedAttempt, request: WireRequest, delta: Json): string {
  return chunkFrame(attempt, request, { choices: [{ index: 0, delta, finish_reason: null }] });
}

function tailOf(attempt: ScriptedAttempt, request: WireRequest): string {
  const finish_reason = FINISH_REASONS[attempt.stopReason];
  const last = chunkFrame(attempt, request, { choices: [{ index: 0, delta: {}, finish_reason }] });
  const isTold = request.wantsUsage && attempt.usage !== undefined;
  const usage = isTold ? chunkFrame(attempt, request, { choices: [], usage: usageOf(attempt) }) : "";
  return `${last}${usage}data: [DONE]\n\n`;
}

function chunkFrames(
  attempt: ScriptedAttempt,
  request: WireRequest,
  chunk: ScriptChunk,
  index: number,
): string {
  const block = attempt.blocks[chunk.block];
  switch (block?.type) {
    case "thinking":
      return deltaFrame(attempt, request, { reasoning_content: chunk.text });
    case "text":
      return deltaFrame(attempt, request, { content: chunk.text });
    case "tool_call": {
      const isFirst = attempt.chunks[index - 1]?.block !== chunk.block;
      const call = attempt.blocks.slice(0, chunk.block).filter(({ type }) => type === "tool_call").length;
      const names = isFirst ? { id: block.id, type: "function" } : {};
      const name = isFirst ? { name: block.name } : {};
      const delta = { index: call, ...names, function: { ...name, arguments: chunk.text } };
      return deltaFrame(attempt, request, { tool_calls: [delta] });
    }
    default:
      return "";
  }
}

function messageOf(attempt: ScriptedAttempt): Json {
  const calls = attempt.blocks.filter((block) => block.type === "tool_call");
  const thinking = textOf(attempt.blocks, "thinking");
  return {
    role: "assistant",
    content: textOf(attempt.blocks, "text") ?? null,
    ...(thinking === undefined ? {} : { reasoning_content: thinking }),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map((call) => ({
            id: call.id,
            type: "function",
            function: { name: call.name, arguments: call.raw },
          })),
        }),
  };
}

function textOf(blocks: readonly ScriptBlock[], type: "thinking" | "text"): string | undefined {
  const texts = blocks.flatMap((block) => (block.type === type ? [block.text] : []));
  return texts.length === 0 ? undefined : texts.join("");
}
