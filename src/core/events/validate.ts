/**
 * Checks events against the catalogue. This loads zod, so it is for the edges only: what clients send, and `fsck`.
 * Import it with `import()`.
 */
import type * as z from "zod";
import { NightshiftError } from "../errors.ts";
import type { Json } from "../text.ts";
import { CATALOGUE } from "./catalogue.ts";
import type { ClientEventInput, SessionEvent } from "./index.ts";
import { isClientType } from "./index.ts";

/** Most events that one submission may bring. */
export const SUBMISSION_EVENTS_MAX = 50;
/** Most bytes of JSON that one submission may be. */
export const SUBMISSION_BYTES_MAX = 1_000_000;

const SCHEMAS: { readonly [type: string]: z.ZodType } = CATALOGUE;

/**
 * Parses what a client sent: a list of `{type, body}`. Unknown fields are refused, because a misspelt one would
 * otherwise do nothing without a word; references to long texts are refused, because a client could name the text
 * of another session.
 * @throws NightshiftError `E_EVENT_INVALID`, `E_EVENT_FORBIDDEN`, `E_EVENT_TOO_LARGE`
 */
export function validateClientEvents(inputs: unknown): readonly ClientEventInput[] {
  if (!Array.isArray(inputs)) throw invalid("events", "must be a list");
  if (inputs.length === 0) throw invalid("events", "must not be empty");
  if (inputs.length > SUBMISSION_EVENTS_MAX) {
    throw tooLarge(`${inputs.length} events; a submission takes ${SUBMISSION_EVENTS_MAX} at the most`);
  }
  checkBytes(inputs);
  return inputs.map((input, index) => validateClientEvent(input, `events[${index}]`));
}

function checkBytes(inputs: readonly unknown[]): void {
  let text: string;
  try {
    text = JSON.stringify(inputs);
  } catch (error) {
    throw invalid("events", "must be plain JSON", error);
  }
  const bytes = Buffer.byteLength(text);
  if (bytes <= SUBMISSION_BYTES_MAX) return;
  throw tooLarge(`${bytes} bytes; a submission takes ${SUBMISSION_BYTES_MAX} at the most`);
}

function validateClientEvent(input: unknown, path: string): ClientEventInput {
  if (!isObject(input)) throw invalid(path, "must be an object with type and body");
  const { type, body, ...others } = input;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalid(`${path}.${unknown}`, "is not a field of an event");
  if (typeof type !== "string") throw invalid(`${path}.type`, "must be a text");
  if (!isClientType(type)) {
    throw new NightshiftError("E_EVENT_FORBIDDEN", `${path}.type: clients may not submit ${quoted(type)}`, {
      data: { path: `${path}.type` },
    });
  }
  const parsed = parse(type, body, `${path}.body`);
  refuseUnknown(body, parsed, `${path}.body`);
  refuseReferences(parsed, `${path}.body`);
  return { type, body: parsed } as ClientEventInput;
}

/**
 * Checks an event that was read from a log, upcast and with its long texts in place. Unknown fields are allowed:
 * they are part of what was hashed.
 * @returns what is wrong with it, or undefined
 */
export function validateStoredEvent(event: SessionEvent): string | undefined {
  const schema = Object.hasOwn(SCHEMAS, event.type) ? SCHEMAS[event.type] : undefined;
  if (schema === undefined) return `${quoted(event.type)} is no type of event`;
  const result = schema.safeParse(event.body);
  return result.success ? undefined : issueOf(result.error, "body").join(" ");
}

function parse(type: string, body: unknown, path: string): Json {
  const result = (SCHEMAS[type] as z.ZodType).safeParse(body);
  if (result.success) return result.data as Json;
  const [at, message] = issueOf(result.error, path);
  throw invalid(at, message);
}

/** The first thing that is wrong: where, and what. */
function issueOf(error: z.ZodError, path: string): [at: string, message: string] {
  const [issue] = error.issues;
  return [pathText(path, issue?.path ?? []), issue?.message ?? "does not fit"];
}

function pathText(start: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : `${text}.${String(key)}`),
    start,
  );
}

/** A schema drops what it does not know; comparing shows what that was. */
function refuseUnknown(given: unknown, parsed: unknown, path: string): void {
  if (Array.isArray(given) && Array.isArray(parsed)) {
    for (const [index, item] of given.entries()) refuseUnknown(item, parsed[index], `${path}[${index}]`);
    return;
  }
  if (!isObject(given) || !isObject(parsed)) return;
  for (const [key, item] of Object.entries(given)) {
    if (item === undefined) continue;
    if (!Object.hasOwn(parsed, key)) throw invalid(`${path}.${key}`, "is not a field of this event");
    refuseUnknown(item, parsed[key], `${path}.${key}`);
  }
}

function refuseReferences(value: unknown, path: string): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuseReferences(item, `${path}[${index}]`);
    return;
  }
  if (!isObject(value)) return;
  if (Object.hasOwn(value, "$blob")) throw invalid(path, "must be a text, not a reference to one");
  for (const [key, item] of Object.entries(value)) refuseReferences(item, `${path}.${key}`);
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function invalid(path: string, message: string, cause?: unknown): NightshiftError {
  return new NightshiftError("E_EVENT_INVALID", `${path}: ${message}`, { data: { path }, cause });
}

function tooLarge(message: string): NightshiftError {
  return new NightshiftError("E_EVENT_TOO_LARGE", message);
}
