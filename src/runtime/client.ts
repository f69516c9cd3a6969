/**
 * What people and programs do to sessions: create them and send them events. No lease is needed; the events are
 * durable when the call returns, and whoever drives picks them up.
 */
import type { Chance, Clock } from "../core/clock.ts";
import { NightshiftError } from "../core/errors.ts";
import {
  type ClientEventInput,
  type ClientEventType,
  type EventBody,
  type EventInput,
  event,
} from "../core/events/index.ts";
import { sessionId as asId, type SessionId } from "../core/ids.ts";
import { countOf } from "../core/reduce/portions.ts";
import { type Redactor, seal } from "../core/seal.ts";
import type { SessionState } from "../core/state.ts";
import type { Store, SubmitResult } from "../store/contract.ts";
import { loadState } from "./load.ts";
import { checkAmendments, checkAnswers, checkRetry, checkSealed } from "./person-checks.ts";
import { withRetries } from "./store-retry.ts";
import { uniqueSuffix } from "./system.ts";

/** Messages that may wait to be picked up. */
const QUEUE_MAX = 1000;

/** Names that a caller may give; drivers have dots in theirs. */
const APPEND_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** What a client needs. */
export interface ClientParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly redactor: Redactor;
}

/** An id that no session has: for whoever must make something for a session before it exists. */
export function newSessionId(parts: Pick<ClientParts, "clock" | "chance">): SessionId {
  return asId(uniqueSuffix(parts.clock, parts.chance));
}

/**
 * Makes a session, with its contract and first messages if any, and returns its id. It is due at once.
 * @throws NightshiftError `E_CONTRACT_INVALID` for a contract that cannot be verified, or is not the one of its hash
 */
export async function createSession(
  parts: ClientParts,
  config: EventBody<"session.created">,
  first: readonly EventInput<ClientEventType | "contract.sealed">[] = [],
  sessionId: SessionId = newSessionId(parts),
): Promise<SessionId> {
  await checkSealed(first, parts.redactor);
  const events = [event("session.created", config), ...first].map((input) => seal(input, parts.redactor));
  const batch = { appendId: parts.chance.unique(16), at: parts.clock.wallMs(), events };
  await withRetries(parts.clock, () => parts.store.create(sessionId, batch));
  return sessionId;
}

/** How events are sent. */
export interface SendOptions {
  /**
   * A name for this submission, 1 to 64 letters, digits, `_` and `-`, unique within the session. Sending the same
   * again under the same name, after an answer that got lost, stores nothing and gives the first answer.
   */
  readonly appendId?: string;
}

/**
 * Sends client events: all or none, in order.
 * @throws NightshiftError `E_SESSION_UNKNOWN`, `E_SESSION_TERMINATED`, `E_SESSION_BUSY` (policy `reject`), `E_QUEUE_FULL`,
 * `E_CONFIG` (a cap in money without a price), `E_APPEND_MISMATCH` (other events under the same name),
 * `E_RETRY_REFUSED`, `E_QUESTION_UNKNOWN`, `E_QUESTION_CLOSED`, `E_APPROVAL_STALE`, `E_CONTRACT_INVALID` (an amendment that
 * cannot be verified)
 */
export async function sendEvents(
  parts: ClientParts,
  sessionId: SessionId,
  inputs: readonly ClientEventInput[],
  options: SendOptions = {},
): Promise<SubmitResult> {
  const { appendId = parts.chance.unique(16) } = options;
  if (!APPEND_ID.test(appendId))
    throw new NightshiftError("E_USAGE", `an append id has 1 to 64 of A-Z a-z 0-9 _ -, not "${appendId}"`);
  // What is stored already was welcome then.
  const isRepeated = options.appendId !== undefined && (await isStored(parts, sessionId, appendId));
  if (!isRepeated) {
    const state = await loadState(parts.store, sessionId);
    checkWelcome(state, inputs);
    await checkAnswers(parts.store, state, inputs);
    await checkAmendments(inputs, parts.redactor);
  }
  const events = inputs.map((input) => seal(input, parts.redactor));
  const batch = { appendId, at: parts.clock.wallMs(), events };
  return withRetries(parts.clock, () => parts.store.submit(sessionId, batch));
}

async function isStored(parts: ClientParts, sessionId: SessionId, appendId: string): Promise<boolean> {
  return (await withRetries(parts.clock, () => parts.store.findAppend(sessionId, appendId))) !== undefined;
}

/**
 * Courtesy only: what races past it is refused by the harness, on the record.
 */
function checkWelcome(state: SessionState, inputs: readonly ClientEventInput[]): void {
  if (state.phase === "terminated") {
    throw new NightshiftError("E_SESSION_TERMINATED", `${state.sessionId} is over and takes no more events`);
  }
  checkRetry(state, inputs);
  const messages = inputs.filter((input) => input.type === "user.message");
  if (countOf(state.queue) + messages.length > QUEUE_MAX) {
    throw new NightshiftError(
      "E_QUEUE_FULL",
      `${state.sessionId} has ${countOf(state.queue)} messages waiting; the limit is ${QUEUE_MAX}`,
    );
  }
  const capsMoney = inputs.some(
    (input) => input.type === "control.set_limits" && input.body.limits.cost_micro_usd !== undefined,
  );
  if (capsMoney && state.config?.agent.model.price === undefined) {
    throw new NightshiftError("E_CONFIG", `a cap in money needs a price, and ${state.sessionId} has none`, {
      hint: "Cap tokens or model requests instead; a price is given when a session is made.",
    });
  }
  const standard = state.config?.policy.steering ?? "enqueue";
  const refused = messages.some((input) => (input.body.steering ?? standard) === "reject");
  if (refused && (state.phase === "running" || state.request !== null)) {
    throw new NightshiftError(
      "E_SESSION_BUSY",
      `${state.sessionId} is working, and its policy is to reject messages meanwhile`,
    );
  }
}
