/**
 * What the real providers refuse about a history. The scripted server refuses it too, so that a rehearsal finds the
 * mistake and not the first night.
 */
import type { Json } from "../../core/text.ts";
import { fieldsOf } from "./format.ts";

type Fields = ReturnType<typeof fieldsOf>;

const CALL_ID = /^[A-Za-z0-9_-]+$/;

/** What Anthropic would say against these messages; undefined for nothing. */
export function anthropicComplaint(messages: readonly Json[]): string | undefined {
  if (messages.length === 0) return "messages: at least one message is required";
  if (fieldsOf(messages[0]).role !== "user") return "messages: the first message must be of the user";
  const seen = new Set<string>();
  let wanted: readonly string[] = [];
  for (const [index, message] of messages.entries()) {
    const { role, content } = fieldsOf(message);
    const blocks = blocksOf(content);
    const complaint =
      contentComplaint(blocks) ??
      resultComplaint(wanted, idsOf(blocks, "tool_result", "tool_use_id")) ??
      callComplaint(blocks, seen);
    if (complaint !== undefined) return `messages.${index}: ${complaint}`;
    wanted = role === "assistant" ? idsOf(blocks, "tool_use", "id") : [];
  }
  return wanted.length === 0 ? undefined : `tool calls without results: ${wanted.join(", ")}`;
}

/** A text as content is short for one block. */
function blocksOf(content: Json | undefined): readonly Fields[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return Array.isArray(content) ? (content as readonly Json[]).map((block) => fieldsOf(block)) : [];
}

function idsOf(blocks: readonly Fields[], type: string, field: string): readonly string[] {
  return blocks.flatMap((block) => (block.type === type ? [String(block[field])] : []));
}

function contentComplaint(blocks: readonly Fields[]): string | undefined {
  if (blocks.length === 0) return "the content is empty";
  const isBlank = ({ type, text }: Fields): boolean => type === "text" && String(text ?? "").trim() === "";
  return blocks.some(isBlank) ? "text blocks must not be blank" : undefined;
}

function resultComplaint(wanted: readonly string[], given: readonly string[]): string | undefined {
  const missing = wanted.filter((id) => !given.includes(id));
  if (missing.length > 0) return `tool calls without results right after them: ${missing.join(", ")}`;
  const stray = given.filter((id) => !wanted.includes(id));
  return stray.length > 0 ? `tool results without calls right before them: ${stray.join(", ")}` : undefined;
}

function callComplaint(blocks: readonly Fields[], seen: Set<string>): string | undefined {
  for (const { type, id, input } of blocks) {
    if (type !== "tool_use") continue;
    const name = String(id);
    if (!CALL_ID.test(name)) return `the id of a tool call must match ${CALL_ID}`;
    if (seen.has(name)) return `the id ${name} names two tool calls`;
    seen.add(name);
    if (typeof input !== "object" || input === null || Array.isArray(input)) {
      return "the input of a tool call must be an object";
    }
  }
  return undefined;
}

/** What OpenAI would say against these messages; undefined for nothing. */
export function openaiComplaint(messages: readonly Json[]): string | undefined {
  if (messages.length === 0) return "messages: at least one message is required";
  let wanted: readonly string[] = [];
  for (const [index, message] of messages.entries()) {
    const { role, tool_call_id, tool_calls } = fieldsOf(message);
    if (role === "tool") {
      const id = String(tool_call_id);
      if (!wanted.includes(id)) return `messages.${index}: a tool result without its call: ${id}`;
      wanted = wanted.filter((each) => each !== id);
      continue;
    }
    if (wanted.length > 0) return `messages.${index}: tool calls without results: ${wanted.join(", ")}`;
    const calls = Array.isArray(tool_calls)
      ? (tool_calls as readonly Json[]).map((call) => fieldsOf(call))
      : [];
    const isBroken = calls.some((call) => !isJson(fieldsOf(call.function).arguments));
    if (isBroken) return `messages.${index}: the arguments of a tool call must be JSON`;
    wanted = calls.map((call) => String(call.id));
  }
  return wanted.length === 0 ? undefined : `tool calls without results: ${wanted.join(", ")}`;
}

/** What Google would say against these contents; undefined for nothing. */
export function geminiComplaint(contents: readonly Fields[]): string | undefined {
  if (contents.length === 0) return "contents is not specified";
  let wanted = 0;
  for (const [index, { role, parts }] of contents.entries()) {
    if (role !== "user" && role !== "model") return `contents.${index}: please use a valid role: user, model`;
    const list = blocksOf(parts);
    if (list.length === 0) return `contents.${index}: parts must not be empty`;
    const results = list.filter((part) => part.functionResponse !== undefined).length;
    if (results !== wanted)
      return `contents.${index}: the number of function responses must equal that of the function calls before them`;
    wanted = role === "model" ? list.filter((part) => part.functionCall !== undefined).length : 0;
  }
  return wanted === 0 ? undefined : "function calls without responses";
}

function isJson(text: Json | undefined): boolean {
  try {
    JSON.parse(String(text));
    return true;
  } catch {
    return false;
  }
}
