/** Following a log: positions are the truth, the store's notifications only say when to look. */
import type { SessionEvent } from "../core/events/index.ts";
import type { Sequence, SessionId } from "../core/ids.ts";
import type { Store } from "./contract.ts";

const PAGE = 500;

/**
 * Yields every event after `after`, in order, each once, until the signal aborts (then it returns).
 * @throws what {@link Store.getEvents} throws
 */
export async function* follow(
  store: Store,
  sessionId: SessionId,
  options: { readonly after: Sequence; readonly types?: readonly string[]; readonly signal: AbortSignal },
): AsyncGenerator<SessionEvent, void, void> {
  const { signal, types } = options;
  let after = options.after;
  let changed = Promise.withResolvers<void>();
  const wakeUp = () => changed.resolve();
  const unsubscribe = store.subscribe(wakeUp);
  signal.addEventListener("abort", wakeUp, { once: true });
  try {
    while (!signal.aborted) {
      changed = Promise.withResolvers<void>();
      const events = await store.getEvents(sessionId, { after, limit: PAGE, ...(types && { types }) });
      for (const event of events) {
        after = event.seq;
        yield event;
        if (signal.aborted) return;
      }
      if (events.length === 0) await changed.promise;
    }
  } finally {
    unsubscribe();
    signal.removeEventListener("abort", wakeUp);
  }
}
