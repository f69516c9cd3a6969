/** The wire format of Google's Gemini API, seen from the server. */
import type { Json } from "../../core/text.ts";
import type { ScriptBlock, ScriptChunk, ScriptedAttempt } from "../script.ts";
import { fieldsOf, sseFrame, type WireFormat, type WireRequest } from "./format.ts";
import { geminiComplaint } from "./rules.ts";

const STATUS_NAMES: { readonly [status: number]: string } = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

const FINISH_REASONS = {
  end_turn: "STOP",
  tool_use: "STOP",
  max_tokens: "MAX_TOKENS",
  refusal: "SAFETY",
  other: "UNNAMED_REASON",
} as const;

/** Model and kind of answer are in the address: `…/models/<model>:streamGenerateContent`. */
const ADDRESS = /\/models\/([^/]+):(streamGenerateContent|generateContent)$/;

/** Is this an address of the Gemini API? */
export function isGeminiPath(path: string): boolean {
  return ADDRESS.test(path);
}

/** Google's format. It tells no count of cache writes, and has no form for redacted thinking but a signature. */
export const geminiWire: WireFormat = {
  name: "gemini",
  parse: (body, path) => parseContents(body, path),
  stream: (attempt) => ({
    head: "",
    chunks: attempt.chunks.map((chunk) => chunkFrame(attempt, chunk)),
    tail: sseFrame({ candidates: [{ content: content([]), ...finish(attempt) }], ...usageOf(attempt) }),
  }),
  whole: (attempt) => ({
    candidates: [{ content: content(attempt.blocks.map((block) => partOf(block))), ...finish(attempt) }],
    ...usageOf(attempt),
  }),
  errorBody: (status, errorType, message) => errorOf(status, errorType, message),
  errorFrame: (errorType, message) =>
    sseFrame(errorOf(errorType === "rate_limit_error" ? 429 : 503, undefined, message)),
};

function errorOf(code: number, errorType: string | undefined, message: string): Json {
  const status = errorType ?? STATUS_NAMES[code] ?? (code < 500 ? "INVALID_ARGUMENT" : "INTERNAL");
  return { error: { code, message, status } };
}

function parseContents(body: Json, path: string): WireRequest | undefined {
  const { contents } = fieldsOf(body);
  const [, model = "", kind] = ADDRESS.exec(path) ?? [];
  if (!Array.isArray(contents)) return undefined;
  const list = (contents as readonly Json[]).map((each) => fieldsOf(each));
  const first = list.findIndex(({ role }) => role === "model");
  const opening = list.slice(0, first < 0 ? undefined : first).flatMap(({ parts }) => textsOf(parts));
  return {
    model: decodeURIComponent(model),
    isStreaming: kind === "streamGenerateContent",
    assistantMessages: list.filter(({ role }) => role === "model").length,
    messageCount: list.length,
    opening: opening.join("\n"),
    wantsUsage: true,
    complaint: geminiComplaint(list),
  };
}

function textsOf(parts: Json | undefined): string[] {
  if (!Array.isArray(parts)) return [];
  return (parts as readonly Json[]).flatMap((part) => {
    const { text } = fieldsOf(part);
    return typeof text === "string" ? [text] : [];
  });
}

function content(parts: readonly Json[]): Json {
  return { role: "model", parts };
}

function finish(attempt: ScriptedAttempt): { readonly [key: string]: Json } {
  return { finishReason: FINISH_REASONS[attempt.stopReason], index: 0 };
}

/** Here the cached part is counted among the input. */
function usageOf({ usage }: ScriptedAttempt): { readonly [key: string]: Json } {
  if (usage === undefined) return {};
  const prompt = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  return {
    usageMetadata: {
      promptTokenCount: prompt,
      candidatesTokenCount: usage.outputTokens,
      cachedContentTokenCount: usage.cacheReadTokens,
      totalTokenCount: prompt + usage.outputTokens,
    },
  };
}

/** Calls come in one piece. */
function chunkFrame(attempt: ScriptedAttempt, chunk: ScriptChunk): string {
  const block = attempt.blocks[chunk.block];
  if (block === undefined || (block.type === "tool_call" && !chunk.isLast)) return "";
  const part = block.type === "tool_call" ? partOf(block) : partOf(block, chunk);
  return sseFrame({ candidates: [{ content: content([part]), index: 0 }] });
}

function partOf(block: ScriptBlock, chunk?: ScriptChunk): Json {
  const isLast = chunk?.isLast ?? true;
  switch (block.type) {
    case "thinking":
      return {
        text: chunk?.text ?? block.text,
        thought: true,
        ...(isLast && { thoughtSignature: block.signature }),
      };
    case "redacted_thinking":
      return { text: "", thought: true, thoughtSignature: block.data };
    case "text":
      return { text: chunk?.text ?? block.text };
    case "tool_call":
      return { functionCall: { id: block.id, name: block.name, args: argsOf(block.raw) } };
  }
}

/** What is no JSON goes as the text that it is. */
function argsOf(raw: string): Json {
  try {
    return JSON.parse(raw) as Json;
  } catch {
    return raw;
  }
}
