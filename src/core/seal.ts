/**
 * Sealing turns an event into the exact bytes that are stored: secrets are redacted, long texts become blobs.
 * A store takes sealed events only, so nothing can reach the log around the redactor; and because contexts and
 * executions are made from sealed events too, the first use of a text equals every later one.
 */
import { hash } from "node:crypto";
import { bodyHash } from "./chain.ts";
import type { EventInput, EventType, SessionEvent } from "./events/index.ts";
import { EVENT_VERSIONS } from "./events/index.ts";
import type { Sequence } from "./ids.ts";
import { BLOB_BYTES_MIN, type Json } from "./text.ts";

/** Removes secrets from texts. Must be idempotent: `redact(redact(x)) === redact(x)`. */
export interface Redactor {
  /** The text with every secret replaced; the same string object when there is none. */
  redact(text: string): string;
}

/** A redactor that finds nothing; for tests and tools that only read. */
export const NO_REDACTION: Redactor = { redact: (text) => text };

/** A long text of one event. */
export interface SealedBlob {
  /** SHA-256 of the UTF-8 bytes, hex. */
  readonly hash: string;
  readonly text: string;
  readonly bytes: number;
}

declare const sealed: unique symbol;
/** An event ready to be stored; only {@link seal} makes one. */
export interface SealedEvent {
  readonly [sealed]: true;
  readonly type: EventType;
  readonly v: number;
  /** The JSON text that is stored and hashed, with long texts replaced by references. */
  readonly body: string;
  /** Of the body, hex: what the chain covers. Made here, because a writer's thread has less time than its callers. */
  readonly bodyHash: string;
  readonly blobs: readonly SealedBlob[];
  /** The redacted event with all texts in place. */
  readonly event: EventInput;
}

/** Redacts, extracts long texts and serialises. */
export function seal(input: EventInput, redactor: Redactor): SealedEvent {
  const body = redactBody(input, redactor);
  const blobs: SealedBlob[] = [];
  let stored = JSON.stringify(body);
  if (mayNeedBlobs(stored)) stored = JSON.stringify(extractBlobs(body, blobs));
  const event = (body === input.body ? input : { type: input.type, body }) as EventInput;
  return {
    type: input.type,
    v: EVENT_VERSIONS[input.type],
    body: stored,
    bodyHash: bodyHash(stored),
    blobs,
    event,
  } as unknown as SealedEvent;
}

/** The event as it will read once stored at `seq`; used to fold a batch before it is committed. */
export function placed(event: SealedEvent, seq: Sequence, at: number): SessionEvent {
  return { type: event.type, body: event.event.body, seq, at } as SessionEvent;
}

/**
 * Blocks of a model that carry a signature cannot be changed without voiding it, so a block with a secret in it
 * is dropped whole: its text is emptied and its provider data removed.
 */
function redactBody(input: EventInput, redactor: Redactor): Json {
  const body = input.body as { readonly [key: string]: Json };
  // The outermost keys are the catalogue's own.
  const redacted = mapObject(body, (item) => redactJson(item, redactor));
  const isSigned = input.type.startsWith("agent.") && body.provider !== undefined;
  if (redacted === body || !isSigned) return redacted;
  const { provider: _signature, ...rest } = redacted;
  return "text" in rest ? { ...rest, text: "" } : rest;
}

/** Keys are texts too: a model chooses those of its tool input. */
function redactJson(value: Json, redactor: Redactor): Json {
  if (typeof value === "string") return cleaned(value, redactor);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return mapArray(value, (item) => redactJson(item, redactor));
  const redacted = mapObject(value as { readonly [key: string]: Json }, (item) => redactJson(item, redactor));
  for (const key of Object.keys(redacted)) {
    if (cleaned(key, redactor) !== key) return renameKeys(redacted, (each) => cleaned(each, redactor));
  }
  return redacted;
}

/** A lone surrogate has no UTF-8 form: it would hash and compare differently once stored, so it becomes U+FFFD. */
function cleaned(text: string, redactor: Redactor): string {
  return redactor.redact(text.isWellFormed() ? text : text.toWellFormed());
}

/** `$blob` is our key: a user's own object with that key is escaped, so that it reads back unchanged. */
const RESERVED = /^\$+blob$/;

/** Nearly every event is short and has no key of ours: its JSON tells that, without a walk through its values. */
function mayNeedBlobs(stored: string): boolean {
  return stored.length * 3 > BLOB_BYTES_MIN || stored.includes("$blob");
}

function extractBlobs(value: Json, blobs: SealedBlob[]): Json {
  if (typeof value === "string")
    return value.length * 3 <= BLOB_BYTES_MIN ? value : extractText(value, blobs);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return mapArray(value, (item) => extractBlobs(item, blobs));
  const mapped = mapObject(value as { [key: string]: Json }, (item) => extractBlobs(item, blobs));
  return Object.keys(mapped).some((key) => RESERVED.test(key))
    ? renameKeys(mapped, (key) => (RESERVED.test(key) ? `$${key}` : key))
    : mapped;
}

function extractText(value: string, blobs: SealedBlob[]): Json {
  const bytes = Buffer.byteLength(value);
  if (bytes <= BLOB_BYTES_MIN) return value;
  const blob = { hash: hash("sha256", value, "hex"), text: value, bytes };
  blobs.push(blob);
  return { $blob: blob.hash, bytes };
}

/** Puts long texts back. `lookup` throws for a blob that is missing. */
export function hydrate(value: Json, lookup: (blobHash: string) => string): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return mapArray(value, (item) => hydrate(item, lookup));
  const object = value as { readonly [key: string]: Json };
  if (typeof object.$blob === "string") return lookup(object.$blob);
  const mapped = mapObject(object, (item) => hydrate(item, lookup));
  return Object.keys(mapped).some((key) => RESERVED.test(key))
    ? renameKeys(mapped, (key) => (RESERVED.test(key) ? key.slice(1) : key))
    : mapped;
}

/** Every blob that a stored body refers to. */
export function blobHashes(value: Json, found: Set<string> = new Set()): Set<string> {
  if (typeof value !== "object" || value === null) return found;
  if (Array.isArray(value)) {
    for (const item of value) blobHashes(item, found);
    return found;
  }
  const object = value as { readonly [key: string]: Json };
  if (typeof object.$blob === "string") found.add(object.$blob);
  else for (const item of Object.values(object)) blobHashes(item, found);
  return found;
}

function mapArray(items: readonly Json[], change: (item: Json) => Json): readonly Json[] {
  let mapped: Json[] | undefined;
  for (const [index, item] of items.entries()) {
    const next = change(item);
    if (next === item) continue;
    mapped ??= [...items];
    mapped[index] = next;
  }
  return mapped ?? items;
}

function mapObject(
  object: { readonly [key: string]: Json },
  change: (item: Json) => Json,
): { readonly [key: string]: Json } {
  let mapped: Record<string, Json> | undefined;
  for (const key of Object.keys(object)) {
    const item = object[key];
    const next = item === undefined ? item : change(item);
    if (next === undefined || next === item) continue;
    mapped ??= { ...object };
    defineKey(mapped, key, next);
  }
  return mapped ?? object;
}

function renameKeys(
  object: { readonly [key: string]: Json },
  rename: (key: string) => string,
): { readonly [key: string]: Json } {
  const renamed: Record<string, Json> = {};
  for (const [key, item] of Object.entries(object)) {
    let name = rename(key);
    // Two keys that were told apart by a secret only: both values stay.
    while (Object.hasOwn(renamed, name)) name += "'";
    defineKey(renamed, name, item);
  }
  return renamed;
}

/** Assignment would run the setter of `__proto__`; model input may hold any key. */
function defineKey(target: Record<string, Json>, key: string, value: Json): void {
  if (key === "__proto__")
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  else target[key] = value;
}
