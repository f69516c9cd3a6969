/** What the wire formats of the scripted server have in common. */
import type { Json } from "../../core/text.ts";
import type { ScriptedAttempt } from "../script.ts";

/** What the server needs to know of a request. */
export interface WireRequest {
  readonly model: string;
  readonly isStreaming: boolean;
  /** Number of assistant messages: which turn of the script is wanted. */
  readonly assistantMessages: number;
  readonly messageCount: number;
  /** What comes before the first of them. */
  readonly opening: string;
  /** Does the client want to be told the usage of a stream? */
  readonly wantsUsage: boolean;
  /** Why the real provider would refuse it; undefined when it would not. */
  readonly complaint: string | undefined;
}

/** A streamed answer. `chunks[n]` belongs to chunk n of the script, so that faults strike at the same place on every wire. */
export interface WireStream {
  readonly head: string;
  readonly chunks: readonly string[];
  readonly tail: string;
}

/** One provider's wire format, seen from the server. */
export interface WireFormat {
  readonly name: "anthropic" | "openai" | "gemini";
  /** Undefined when the body is not a request. @param path - of the address, which may say what is wanted */
  parse(body: Json, path: string): WireRequest | undefined;
  stream(attempt: ScriptedAttempt, request: WireRequest): WireStream;
  whole(attempt: ScriptedAttempt, request: WireRequest): Json;
  errorBody(status: number, errorType: string | undefined, message: string): Json;
  /** An error reported inside of a stream. */
  errorFrame(errorType: string | undefined, message: string): string;
}

/** The fields of a JSON object; none for any other value. */
export function fieldsOf(value: Json | undefined): { readonly [key: string]: Json | undefined } {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { readonly [key: string]: Json })
    : {};
}

/** The request behind a body in which `messages` is a list of `{ role, … }`, as in the formats of Anthropic and OpenAI. */
export function parseMessages(
  body: Json,
  options: {
    readonly wantsUsage: boolean;
    readonly complaint: (messages: readonly Json[]) => string | undefined;
  },
): WireRequest | undefined {
  const { model, messages, stream } = fieldsOf(body);
  if (typeof model !== "string" || !Array.isArray(messages)) return undefined;
  const list: readonly Json[] = messages;
  return {
    model,
    isStreaming: stream === true,
    assistantMessages: list.filter(isAssistants).length,
    messageCount: list.length,
    opening: openingOf(list),
    wantsUsage: options.wantsUsage,
    complaint: options.complaint(list),
  };
}

function isAssistants(message: Json): boolean {
  return fieldsOf(message).role === "assistant";
}

/** Content is a text, or a list of blocks of which some are texts. */
function openingOf(messages: readonly Json[]): string {
  const end = messages.findIndex(isAssistants);
  const texts = messages.slice(0, end < 0 ? undefined : end).flatMap((message): Json[] => {
    const { role, content } = fieldsOf(message);
    if (role !== "user") return [];
    return Array.isArray(content) ? content.map((block) => fieldsOf(block).text ?? "") : [content ?? ""];
  });
  return texts.filter((text) => typeof text === "string").join("\n");
}

/** One server-sent event. */
export function sseFrame(data: Json, event?: string): string {
  const name = event === undefined ? "" : `event: ${event}\n`;
  return `${name}data: ${JSON.stringify(data)}\n\n`;
}
