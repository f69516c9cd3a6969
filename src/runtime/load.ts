/**
 * Opening a session: the newest snapshot, the tail after it, and the current thread's events for the context. The
 * cost depends on the length of the thread and of the tail, never on that of the log.
 */
import { type Context, emptyContext, PLACED_TYPES, RECALLED_TYPES, recallContext } from "../core/context.ts";
import type { SessionEvent } from "../core/events/index.ts";
import { FOLD_DIGEST } from "../core/fold-digest.ts";
import type { Sequence, SessionId } from "../core/ids.ts";
import { reduce } from "../core/reduce.ts";
import { contextStart, emptyState, type SessionState } from "../core/state.ts";
import type { Store } from "../store/contract.ts";

/**
 * Folded page by page, so that no more than a page is in memory besides the context. Short pages are also faster:
 * what is read is garbage before anybody has to move it.
 */
const PAGE = 200;

/** A session as far as it has been read. */
export interface Loaded {
  readonly state: SessionState;
  readonly context: Context;
  /** Position of the snapshot that was used; 0 for none. */
  readonly snapshotSeq: Sequence;
  /**
   * Events of the thread that were read without checking the chain, because the check can run beside the first
   * model request; null when everything was checked.
   */
  readonly unverified: { readonly fromSeq: Sequence; readonly throughSeq: Sequence } | null;
}

/** Reads and folds. @throws what {@link Store.getEvents} throws */
export async function loadSession(store: Store, sessionId: SessionId): Promise<Loaded> {
  const snapshot = await store.getSnapshot(sessionId, FOLD_DIGEST);
  const start = snapshot === undefined ? emptyState(sessionId) : (JSON.parse(snapshot.body) as SessionState);
  const tail: SessionEvent[] = [];
  let state = start;
  for await (const page of pagesAfter(store, sessionId, start.seq)) {
    for (const event of page) state = reduce(state, event);
    tail.push(...page);
  }
  const fromSeq = contextStart(state);
  let context = await recallOlder(store, sessionId, fromSeq, start.seq);
  for (const event of tail) if (event.seq >= fromSeq) context = recallContext(context, event);
  const unverified = fromSeq <= start.seq ? { fromSeq, throughSeq: start.seq } : null;
  return { state, context, snapshotSeq: start.seq, unverified };
}

/** Only the fold, for those who look. @throws NightshiftError `E_SESSION_UNKNOWN` and what reading throws */
export async function loadState(store: Store, sessionId: SessionId): Promise<SessionState> {
  const snapshot = await store.getSnapshot(sessionId, FOLD_DIGEST);
  let state = snapshot === undefined ? emptyState(sessionId) : (JSON.parse(snapshot.body) as SessionState);
  for await (const page of pagesAfter(store, sessionId, state.seq)) {
    for (const event of page) state = reduce(state, event);
  }
  return state;
}

/**
 * Checks the chain over what was read without. Lets other work go first, page by page: what was started before must
 * not wait for it. @throws NightshiftError `E_LOG_CORRUPT`; the signal's reason
 */
export async function verifyOlder(
  store: Store,
  sessionId: SessionId,
  range: { readonly fromSeq: Sequence; readonly throughSeq: Sequence },
  pause: () => Promise<void>,
): Promise<void> {
  let after = range.fromSeq - 1;
  while (after < range.throughSeq) {
    await pause();
    const events = await store.getEvents(sessionId, {
      after,
      limit: Math.min(500, range.throughSeq - after),
    });
    const last = events.at(-1);
    if (last === undefined) return;
    after = last.seq;
  }
}

/** The log after a position, checked. */
async function* pagesAfter(
  store: Store,
  sessionId: SessionId,
  after: Sequence,
): AsyncGenerator<readonly SessionEvent[]> {
  for (let from = after; ; ) {
    const page = await store.getEvents(sessionId, { after: from, limit: PAGE });
    yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    from = last.seq;
  }
}

/** The context between two positions, from events that are read without a check. */
async function recallOlder(
  store: Store,
  sessionId: SessionId,
  fromSeq: Sequence,
  throughSeq: Sequence,
): Promise<Context> {
  let context = emptyContext();
  let request = await newestRequest(store, sessionId, fromSeq, throughSeq);
  for (let after = fromSeq - 1; after < throughSeq; ) {
    const range = { after, limit: PAGE, types: RECALLED_TYPES, verify: false };
    const page = await store.getEvents(sessionId, range);
    for (const event of page.filter(({ seq }) => seq <= throughSeq)) {
      if (request !== undefined && request.seq < event.seq) {
        context = recallContext(context, request);
        request = undefined;
      }
      if (PLACED_TYPES.includes(event.type)) {
        // What comes between a request and its answer is nothing but such texts, so it may be given as late as here.
        const before = await newestRequest(store, sessionId, fromSeq, event.seq - 1);
        if (before !== undefined && before.body.request !== context.turn.request)
          context = recallContext(context, before);
      }
      context = recallContext(context, event);
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) break;
    after = last.seq;
  }
  return request === undefined ? context : recallContext(context, request);
}

async function newestRequest(
  store: Store,
  sessionId: SessionId,
  fromSeq: Sequence,
  throughSeq: Sequence,
): Promise<SessionEvent<"span.model_request_start"> | undefined> {
  if (fromSeq > throughSeq) return undefined;
  const [request] = await store.getEvents(sessionId, {
    after: throughSeq + 1,
    backwards: true,
    limit: 1,
    types: ["span.model_request_start"],
    verify: false,
  });
  return request?.type === "span.model_request_start" && request.seq >= fromSeq ? request : undefined;
}
