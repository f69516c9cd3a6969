/** Handoffs of one session: what log and git say is read here, and written by the core. */
import type { Clock } from "../core/clock.ts";
import { assert } from "../core/errors.ts";
import type { EventType } from "../core/events/catalogue.ts";
import { type EventInput, event, type SessionEvent } from "../core/events/index.ts";
import { writeHandoff } from "../core/handoff/derive.ts";
import { missingFields } from "../core/handoff/probe.ts";
import type { Handoff } from "../core/handoff/sources.ts";
import type { SessionState } from "../core/state.ts";
import type { Store } from "../store/contract.ts";
import type { SessionWorkspaces } from "./checkouts.ts";
import { withRetries } from "./store-retry.ts";

/** Messages of people that are handed over: the newest, besides the first. */
const PEOPLE_MAX = 30;
const NOTES_MAX = 200;
const VERDICTS_MAX = 50;
const CHECKS_MAX = 100;
const CALLS_MAX = 10;
const WRITES_MAX = 1000;

/** What it is made of. */
export interface HandoffParts {
  readonly store: Pick<Store, "getEvents">;
  readonly clock: Clock;
  readonly workspaces: () => Promise<Pick<SessionWorkspaces, "changedFiles">>;
}

/** Writes the handoff that the fold asks for. */
export async function recordHandoff(
  parts: HandoffParts,
  number: number,
  state: SessionState,
  signal: AbortSignal,
): Promise<EventInput> {
  return event("handoff.recorded", await handoffOf(parts, number, state, signal));
}

/** What log and git say now. */
export async function handoffOf(
  parts: HandoffParts,
  number: number,
  state: SessionState,
  signal: AbortSignal,
): Promise<Handoff> {
  const { attempts, contract } = state;
  const since = attempts.open?.seq ?? attempts.handoff?.seq ?? 0;
  const newest = <T extends EventType>(type: T, limit: number): Promise<readonly SessionEvent<T>[]> =>
    newestOf(parts, state, type, limit);
  const checks = await newest("referee.checked", CHECKS_MAX);
  const people = await newest("user.message", PEOPLE_MAX);
  const handoff = writeHandoff(number, attempts.number === 0 ? null : attempts.number, {
    state,
    at: parts.clock.wallMs(),
    people: [...(await firstMessage(parts, state, people)), ...people],
    notes: await newest("handoff.noted", NOTES_MAX),
    verdicts: await newest("verdict.given", VERDICTS_MAX),
    failure: checks.findLast(({ body }) => body.status === "unmet") ?? null,
    calls: (await newest("agent.tool_use", CALLS_MAX)).filter(({ seq }) => seq > since),
    results: await newest("agent.tool_result", WRITES_MAX),
    writes: (await newest("tool.prepared", WRITES_MAX)).filter(({ seq }) => seq > since),
    changed: await changedPaths(parts, state, signal),
  });
  const criteria = contract?.contract.criteria.map(({ id }) => id) ?? [];
  const missing = missingFields(handoff, criteria);
  assert(missing.length === 0, `a handoff has everything that it needs (missing: ${missing.join(", ")})`);
  return handoff;
}

async function newestOf<T extends EventType>(
  { store, clock }: HandoffParts,
  { sessionId, seq }: SessionState,
  type: T,
  limit: number,
): Promise<readonly SessionEvent<T>[]> {
  // As the fold knows it: a harness that writes it again after a crash writes the same.
  const range = { after: seq + 1, backwards: true, limit, types: [type] };
  const events = await withRetries(clock, () => store.getEvents(sessionId, range));
  return events.toReversed() as unknown as readonly SessionEvent<T>[];
}

/** What a session began with is handed over however many messages came after it. */
async function firstMessage(
  { store, clock }: HandoffParts,
  { sessionId }: SessionState,
  newest: readonly SessionEvent<"user.message">[],
): Promise<readonly SessionEvent<"user.message">[]> {
  if (newest.length < PEOPLE_MAX) return [];
  const range = { after: 0, limit: 1, types: ["user.message"] };
  const events = await withRetries(clock, () => store.getEvents(sessionId, range));
  return events.filter((each): each is SessionEvent<"user.message"> => each.type === "user.message");
}

/** A handoff without a list of files is better than none. */
async function changedPaths(
  { workspaces }: HandoffParts,
  { sessionId, workspace, config }: SessionState,
  signal: AbortSignal,
): Promise<readonly string[] | null> {
  const base = config?.sandbox.checkout?.base;
  if (workspace === null || base === undefined) return null;
  try {
    const range = { from: base, to: workspace.saved.commit };
    const files = await (await workspaces()).changedFiles(sessionId, range, signal);
    return files.map(({ path }) => path);
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}
