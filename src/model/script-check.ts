/**
 * Says of ordinary scripts that they are valid, without loading zod: that takes longer than the program's start.
 * Whatever this is not sure of goes to the schema, which also has the words for what is wrong. It may know less than
 * the schema, never more; a test compares the two.
 */
import type { Json } from "../core/text.ts";
import type { Script } from "./script-schema.ts";

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string";
const count: Check = (value) => isWhole(value, 0, 1_000_000);
const milliseconds: Check = (value) => isWhole(value, 0, 86_400_000);
const tokens: Check = (value) => isWhole(value, 0, 1_000_000_000);
const path: Check = (value) => isText(value, 1, 4096);
const words: Check = (value) => isText(value, 0, 10_000);

const usage: Check = (value) =>
  value === null ||
  isObject(value, {
    input_tokens: tokens,
    output_tokens: tokens,
    cache_read_input_tokens: tokens,
    cache_creation_input_tokens: tokens,
  });

const tool: Check = (value) =>
  isObject(value, { name: (name) => isText(name, 1, 128), input: isJson, raw: text }, ["name"]);

const FAULTS: { readonly [kind: string]: { readonly [field: string]: Check } } = {
  status: { status: (value) => isWhole(value, 400, 599), headers: isTexts, error_type: text, message: words },
  reset: {},
  cut: { after_chunks: count },
  no_finish: { after_chunks: count },
  silence: { after_chunks: count },
  garbage: { after_chunks: count },
  error_event: { after_chunks: count, error_type: text, message: words },
};

const fault: Check = (value) => {
  const kind = typeof value === "object" && value !== null && "kind" in value ? value.kind : undefined;
  const fields = typeof kind === "string" && Object.hasOwn(FAULTS, kind) ? FAULTS[kind] : undefined;
  return (
    fields !== undefined && isObject(value, { kind: text, ...fields }, kind === "status" ? ["status"] : [])
  );
};

const STOPS: readonly unknown[] = ["end_turn", "tool_use", "max_tokens", "refusal", "other"];

const TURN: { readonly [field: string]: Check } = {
  thinking: text,
  signature: text,
  redacted_thinking: text,
  text,
  tools: (value) => isList(value, 128, tool),
  usage,
  stop: (value) => STOPS.includes(value),
  delay_ms: milliseconds,
  chunk_delay_ms: milliseconds,
  chunk_chars: (value) => isWhole(value, 1, 1_000_000),
  fail: (value) => isList(value, 1000, fault),
  fail_always: fault,
};

const SCRIPT: { readonly [field: string]: Check } = {
  turns: (value) => isList(value, 100_000, (turn) => isObject(turn, TURN)),
  variables: (value) => isTexts(value) && Object.keys(value as object).every((name) => /^\w+$/.test(name)),
  attempts_file: path,
  requests_file: path,
};

/** True only for values that the schema accepts unchanged; false for the others, and when in doubt. */
export function isPlainScript(value: unknown): value is Script {
  return isObject(value, SCRIPT, ["turns"]);
}

function isObject(
  value: unknown,
  fields: { readonly [field: string]: Check },
  required: readonly string[] = [],
): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const known = ([field, content]: [string, unknown]): boolean =>
    Object.hasOwn(fields, field) && fields[field]?.(content) === true;
  return Object.entries(value).every(known) && required.every((field) => Object.hasOwn(value, field));
}

function isList(value: unknown, lengthMax: number, check: Check): boolean {
  return Array.isArray(value) && value.length <= lengthMax && value.every(check);
}

function isTexts(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([name, content]) => name !== "__proto__" && text(content));
}

function isText(value: unknown, lengthMin: number, lengthMax: number): boolean {
  return typeof value === "string" && value.length >= lengthMin && value.length <= lengthMax;
}

function isWhole(value: unknown, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;
}

/** Anything out of `JSON.parse` is JSON; only deep nesting is left to the schema. */
function isJson(value: unknown, depth = 0): value is Json {
  if (depth > 64) return false;
  if (Array.isArray(value)) return value.every((item) => isJson(item, depth + 1));
  if (typeof value === "object" && value !== null)
    return Object.entries(value).every(([name, item]) => name !== "__proto__" && isJson(item, depth + 1));
  return value === null || ["string", "boolean"].includes(typeof value) || Number.isFinite(value);
}
