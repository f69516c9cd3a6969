/** Promises about the log itself. */
import { bodyHash, eventHash, genesisHash } from "../../../src/core/chain.ts";
import { isClientType } from "../../../src/core/events/index.ts";
import { foldEvents } from "../../../src/core/reduce.ts";
import type { SessionState } from "../../../src/core/state.ts";
import type { EventMoment, Invariant } from "../judge.ts";
import type { ObservedLog } from "../log.ts";

/** The rows of a log follow each other without a gap, and each hash covers the one before. */
export function denseAndChained(): Invariant {
  return {
    promise: "dense-and-chained",
    onEvent: ({ log, row }) => {
      const before = log.rows.at(-2);
      const expected = (before?.seq ?? 0) + 1;
      if (row.seq !== expected) return `event ${row.seq} stands where ${expected} belongs`;
      const { seq, type, v, at, body } = row;
      const header = { session: log.session, seq, type, v, at };
      const hash = eventHash(before?.hash ?? genesisHash(log.session), header, bodyHash(body));
      return hash === row.hash ? null : `the hash of event ${seq} does not fit`;
    },
  };
}

/** A driver with an older lease than somebody else's adds nothing. */
export function zombieWritesNothing(): Invariant {
  return {
    promise: "zombie-writes-nothing",
    onEvent: ({ event, writer, newestEpoch }) =>
      writer.epoch !== null && writer.epoch < newestEpoch
        ? `${event.type} was written under epoch ${writer.epoch}, but ${newestEpoch} holds the lease`
        : null,
  };
}

/** What a session is made with. */
const BEGINNINGS: ReadonlySet<string> = new Set(["session.created", "contract.sealed"]);

/** Drivers follow each other: each announces itself with a higher epoch, and nobody writes in another's name. */
export function oneDriver(): Invariant {
  const newest = new Map<ObservedLog, number>();
  return {
    promise: "one-driver",
    onEvent: ({ log, event, writer }) => {
      const current = newest.get(log) ?? 0;
      if (event.type === "harness.woke") {
        newest.set(log, event.body.epoch);
        if (event.body.epoch <= current) return `epoch ${event.body.epoch} woke after ${current}`;
        return event.body.epoch === writer.epoch
          ? null
          : `woke says ${event.body.epoch}, not ${writer.epoch}`;
      }
      if (writer.epoch === null)
        return isClientType(event.type) || BEGINNINGS.has(event.type)
          ? null
          : `${event.type} came without a lease`;
      return writer.epoch === current
        ? null
        : `${event.type} of epoch ${writer.epoch} among those of ${current}`;
    },
  };
}

/** Every request and every call gets exactly one receipt, and intents come in order. */
export function oneReceiptPerIntent(): Invariant {
  const answered = new Set<string>();
  const open = new Map<ObservedLog, number>();
  return {
    promise: "one-receipt-per-intent",
    onEvent: (moment) => receiptComplaint(moment, answered, open),
    atEnd: ({ logs }) => {
      for (const log of logs) {
        const request = [...log.requests.values()].find((candidate) => candidate.end === null);
        if (request !== undefined) return `request ${request.start.request} never got its receipt`;
        const waits = log.state.hold !== null;
        const call = [...log.calls.values()].find((candidate) => candidate.result === null);
        if (call !== undefined && !waits) return `call ${call.use.call} never got its receipt`;
      }
      return null;
    },
  };
}

function receiptComplaint(
  { log, event }: EventMoment,
  answered: Set<string>,
  open: Map<ObservedLog, number>,
): string | null {
  switch (event.type) {
    case "span.model_request_start":
      if (open.has(log)) return `request ${event.body.request} starts while ${open.get(log)} is open`;
      open.set(log, event.body.request);
      return null;
    case "span.model_request_end":
      if (open.get(log) !== event.body.request)
        return `a receipt for request ${event.body.request}, which is not open`;
      open.delete(log);
      return null;
    case "agent.tool_result": {
      const key = `${log.session}/${event.body.call}`;
      if (answered.has(key)) return `call ${event.body.call} has two receipts`;
      answered.add(key);
      return log.calls.has(event.body.call as never)
        ? null
        : `a receipt for ${event.body.call}, which nobody made`;
    }
    case "tool.started": {
      const call = log.calls.get(event.body.call as never);
      if (call === undefined) return `${event.body.call} starts, but nobody has made that call`;
      if (call.starts.length !== event.body.run)
        return `${event.body.call} starts run ${event.body.run} out of order`;
      return answered.has(`${log.session}/${event.body.call}`)
        ? `${event.body.call} starts after its receipt`
        : null;
    }
    default:
      return null;
  }
}

/** What is saved as the fold of a log is the fold of that log. */
export function snapshotEqualsFullFold(): Invariant {
  const folds = new Map<ObservedLog, Fold>();
  return {
    promise: "snapshot-equals-full-fold",
    onSnapshot: (log, seq, body) => {
      const fold = foldUpTo(log, seq, folds.get(log));
      folds.set(log, fold);
      return fold.text === body ? null : `the snapshot at ${seq} differs from the full fold`;
    },
  };
}

/** The fold of a log up to a position, and its text. */
interface Fold {
  readonly seq: number;
  readonly state: SessionState;
  readonly text: string;
}

/** Goes on from an earlier fold where it can: the same snapshot is read again and again. */
function foldUpTo(log: ObservedLog, seq: number, known: Fold | undefined): Fold {
  if (known?.seq === seq) return known;
  const from = known !== undefined && known.seq < seq ? known : undefined;
  const state = foldEvents(log.session, log.events.slice(from?.seq ?? 0, seq), from?.state);
  return { seq: state.seq, state, text: JSON.stringify(state) };
}
