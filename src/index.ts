/**
 * Nightshift as a library: open a harness, make a session, wake it; kill the process whenever you like and wake it
 * again from another one. Backends are found by name, or handed in; the seams have entries of their own
 * (`nightshift/store`, `nightshift/model`, …).
 */

export type { ErrorCode } from "./core/errors.ts";
export { ERROR_CODES, isNightshiftError, NightshiftError } from "./core/errors.ts";
export type {
  ClientEventInput,
  EventBody,
  EventInput,
  EventType,
  SessionEvent,
} from "./core/events/index.ts";
export { event } from "./core/events/index.ts";
export type { Sequence, SessionId } from "./core/ids.ts";
export { eventId, isSessionId } from "./core/ids.ts";
export type { SessionState } from "./core/state.ts";
export { costCharged, tokensCharged } from "./core/state.ts";
export type { ModelAdapter, ModelPart, ModelRequest } from "./model/contract.ts";
export type { SendOptions } from "./runtime/client.ts";
export { createSession, sendEvents } from "./runtime/client.ts";
export type { DayCaps } from "./runtime/day-tally.ts";
export type { EngineOptions } from "./runtime/engine.ts";
export { runEngine } from "./runtime/engine.ts";
export { loadState } from "./runtime/load.ts";
export type { OpenHarness, OpenOptions } from "./runtime/open.ts";
export { openHarness } from "./runtime/open.ts";
export type { SessionConfig, SessionOptions, SessionPolicy } from "./runtime/session-config.ts";
export { sessionConfig } from "./runtime/session-config.ts";
export type { WakeOptions, WakeResult } from "./runtime/wake.ts";
export { wake } from "./runtime/wake.ts";
export type { SessionRecord, Store } from "./store/contract.ts";
export { follow } from "./store/follow.ts";
