/** What every store refuses before it looks at its data. */
import { NightshiftError } from "../core/errors.ts";
import { isClientType } from "../core/events/index.ts";
import type { SealedEvent } from "../core/seal.ts";
import type { AppendBatch, EventRange, SubmitBatch } from "./contract.ts";

/** Longest append id, in characters. */
export const APPEND_ID_LENGTH_MAX = 64;
/** Most events in one batch. */
export const BATCH_EVENTS_MAX = 1000;
/** Most characters in the body of one event, its long texts aside. */
export const EVENT_BODY_LENGTH_MAX = 16 * 1024 * 1024;
/** Most bytes in one long text. */
export const BLOB_BYTES_MAX = 256 * 1024 * 1024;
/** Most event types that one read may name. */
export const TYPES_MAX = 200;
/** Longest page of events, sessions or due sessions. */
export const PAGE_MAX = 10_000;

/** @throws NightshiftError `E_EVENT_INVALID`, `E_EVENT_TOO_LARGE` */
export function checkAppend(batch: AppendBatch): void {
  checkBatch(batch);
  if (batch.spending === undefined) return;
  const { day, delta, cap } = batch.spending;
  const numbers = [day, ...Object.values(delta), ...Object.values(cap ?? {})];
  const wrong = numbers.find((number) => !Number.isSafeInteger(number));
  if (wrong !== undefined) throw invalid(`what is spent of a day are whole numbers, not ${wrong}`);
}

/** @throws NightshiftError `E_EVENT_INVALID`, `E_EVENT_TOO_LARGE` */
function checkBatch(batch: AppendBatch | SubmitBatch): void {
  const { appendId, at, events } = batch;
  if (appendId.length < 1 || appendId.length > APPEND_ID_LENGTH_MAX) {
    throw invalid(`an append id has 1 to ${APPEND_ID_LENGTH_MAX} characters, not ${appendId.length}`);
  }
  if (!Number.isSafeInteger(at) || at < 0) throw invalid(`at must be whole milliseconds, not ${at}`);
  if (events.length < 1 || events.length > BATCH_EVENTS_MAX) {
    throw invalid(`a batch has 1 to ${BATCH_EVENTS_MAX} events, not ${events.length}`);
  }
  for (const event of events) checkSize(event);
}

/** @throws NightshiftError what {@link checkBatch} throws; `E_EVENT_INVALID` unless `session.created` comes first */
export function checkCreate(batch: SubmitBatch): void {
  checkBatch(batch);
  const [first] = batch.events;
  if (first?.type !== "session.created") {
    throw invalid(`a session starts with session.created, not with ${first?.type}`);
  }
}

/** @throws NightshiftError what {@link checkBatch} throws; `E_EVENT_FORBIDDEN` for types that are not for clients */
export function checkSubmit(batch: SubmitBatch): void {
  checkBatch(batch);
  const forbidden = batch.events.find((event) => !isClientType(event.type));
  if (forbidden !== undefined) {
    throw new NightshiftError("E_EVENT_FORBIDDEN", `clients may not submit ${forbidden.type}`, {
      data: { type: forbidden.type },
    });
  }
}

/** @throws NightshiftError `E_USAGE` */
export function checkRange(range: EventRange): void {
  checkLimit(range.limit);
  const { after, types } = range;
  if (types !== undefined && types.length > TYPES_MAX) {
    throw new NightshiftError("E_USAGE", `at most ${TYPES_MAX} types can be asked for, not ${types.length}`);
  }
  if (after !== undefined && (!Number.isSafeInteger(after) || after < 0)) {
    throw new NightshiftError("E_USAGE", `after must be a position in the log, not ${after}`);
  }
}

/** @throws NightshiftError `E_USAGE` */
export function checkLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > PAGE_MAX) {
    throw new NightshiftError("E_USAGE", `limit must be 1 to ${PAGE_MAX}, not ${limit}`);
  }
}

/**
 * A point in time or a length of it in whole milliseconds, rounded up.
 * @throws NightshiftError `E_USAGE`
 */
export function wholeMs(value: number, name: string): number {
  const whole = Math.ceil(value);
  if (Number.isSafeInteger(whole) && whole >= 0) return whole;
  throw new NightshiftError("E_USAGE", `${name} must be milliseconds, not ${value}`);
}

function checkSize(event: SealedEvent): void {
  const isTooLong = event.body.length > EVENT_BODY_LENGTH_MAX;
  if (isTooLong || event.blobs.some((blob) => blob.bytes > BLOB_BYTES_MAX)) {
    const limit = `${EVENT_BODY_LENGTH_MAX} characters, ${BLOB_BYTES_MAX} bytes in one text`;
    throw new NightshiftError("E_EVENT_TOO_LARGE", `${event.type} is larger than an event may be (${limit})`);
  }
}

function invalid(message: string): NightshiftError {
  return new NightshiftError("E_EVENT_INVALID", message);
}
