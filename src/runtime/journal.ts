/**
 * The driver's view of the log: the committed fold, and the one way to add to it. Facts (receipts) and the
 * decisions that follow from them are folded into a draft first and committed together, so a turn needs two
 * commits. When others wrote in between, the draft is thrown away, their events are folded, and everything is
 * decided anew; a fact is never lost and never conflicts.
 */

import { dayOf } from "../core/budget/day.ts";
import type { Clock } from "../core/clock.ts";
import { type Context, closeTurn, reduceContext, tokensOf, withOwnMessages } from "../core/context.ts";
import { decide, type Intent, type Now, type Step } from "../core/decide.ts";
import { assert, NightshiftError } from "../core/errors.ts";
import { type EventInput, event, type SessionEvent } from "../core/events/index.ts";
import { FOLD_DIGEST } from "../core/fold-digest.ts";
import type { Sequence } from "../core/ids.ts";
import { reduce } from "../core/reduce.ts";
import { type Exhausted, exceededDay, type Wanted } from "../core/rules/budget.ts";
import { placed, type Redactor, type SealedEvent, seal } from "../core/seal.ts";
import type { SessionState } from "../core/state.ts";
import { type HarnessProfile, isOpen } from "../core/step.ts";
import { summarize } from "../core/summary.ts";
import type { AppendBatch, AppendResult, DayCharge, Lease, Store } from "../store/contract.ts";
import { type DayCaps, DayTally } from "./day-tally.ts";
import type { Loaded } from "./load.ts";
import { withRetries } from "./store-retry.ts";

/** Decisions between two commits; more means that the policy argues with itself. */
const DECISIONS_MAX = 200;
/** Drafts in a row that others have left no room for; more means that policy and store count differently. */
const REFUSALS_MAX = 200;
/** A snapshot at least every so many events, unless told otherwise. */
const SNAPSHOT_EVENTS = 400;

/** What a journal is made of. */
export interface JournalParts {
  readonly store: Store;
  readonly lease: Lease;
  readonly owner: string;
  readonly clock: Clock;
  readonly redactor: Redactor;
  readonly profile: HarnessProfile;
  readonly snapshotEvents?: number;
  /** On what all sessions of the store spend in a day; absent: no day is read or charged. */
  readonly dayCaps?: DayCaps;
}

/** What came of an intent; `intent` is null for facts that nobody asked for (a suspension). */
export interface Receipt {
  readonly intent: Intent | null;
  readonly events: readonly EventInput[];
  /** Told once they are durable, with the place of each in the log. */
  readonly onCommitted?: (seqs: readonly Sequence[]) => void;
  /** For a reservation, which is no fact yet: it is not written when the day has no room for it. */
  readonly reserving?: Reserving;
}

/** What a reservation needs of the day. */
export interface Reserving {
  readonly wanted: Wanted;
  /** Told instead of `onCommitted`. */
  readonly onRefused: (exhausted: Exhausted) => void;
}

/** Folded state and context that belong together. */
interface Fold {
  readonly state: SessionState;
  readonly context: Context;
}

/** Commits facts and decisions of one driver. */
export class Journal {
  readonly #parts: JournalParts;
  #fold: Fold;
  #receipts: Receipt[] = [];
  #appends = 0;
  #snapshotSeq: number;
  /** Where the append in flight would bring the log; 0 without one. */
  #appending = 0;
  #readers = 0;

  constructor(parts: JournalParts, loaded: Loaded) {
    this.#parts = parts;
    this.#fold = { state: loaded.state, context: loaded.context };
    this.#snapshotSeq = loaded.snapshotSeq;
  }

  /** The committed fold of the log. */
  get state(): SessionState {
    return this.#fold.state;
  }

  /** The committed context. */
  get context(): Context {
    return this.#fold.context;
  }

  /** Everything up to here is folded, or will be once the append in flight is answered, whatever the answer. */
  get reach(): Sequence {
    return Math.max(this.#fold.state.seq, this.#appending);
  }

  /**
   * Lets a performer read the committed context for as long as it takes. An adapter may wait before it reads the
   * messages; were the request given up meanwhile, the next turn would already be on the same list.
   */
  async lend<T>(read: () => Promise<T>): Promise<T> {
    this.#readers++;
    try {
      return await read();
    } finally {
      this.#readers--;
    }
  }

  /** Takes note of what a performer found; {@link settle} commits it. */
  note(receipt: Receipt): void {
    this.#receipts.push(receipt);
  }

  /** Is a receipt for this intent noted that no commit has taken yet? */
  holdsReceipt(key: string): boolean {
    return this.#receipts.some(({ intent }) => intent?.key === key);
  }

  /**
   * Commits all noted facts with the decisions that follow, and returns the step that is next once they are in the
   * log. @throws NightshiftError `E_FENCED` when the lease is lost
   */
  async settle(quietMs: number): Promise<Exclude<Step, { kind: "append" }>> {
    let refusals = 0;
    for (;;) {
      const draft = await this.#draft(quietMs);
      const receipts = this.#receipts.length;
      draft.addFacts(this.#receipts);
      const { step, decisions } = draft.decide();
      const expected = this.#fold.state.seq;
      const outcome = await this.#commit(draft, receipts, decisions > 0 ? expected : undefined);
      if (outcome === "as drafted") return step;
      if (outcome === "over day") refusals += 1;
      assert(refusals <= REFUSALS_MAX, "what is decided keeps within the day's cap");
    }
  }

  /** Commits the noted facts alone, for a driver that was told to go: what was found is not found again. */
  async commitFacts(): Promise<void> {
    // Whoever wanted to reserve something is gone, too.
    this.#receipts = this.#receipts.filter(({ reserving }) => reserving === undefined);
    const draft = await this.#draft(0);
    const receipts = this.#receipts.length;
    draft.addFacts(this.#receipts);
    await this.#commit(draft, receipts, undefined);
  }

  /** Knows what the day has been charged, where that is capped. */
  async #draft(quietMs: number): Promise<Draft> {
    const { store, clock, dayCaps } = this.#parts;
    const at = clock.wallMs();
    if (dayCaps === undefined) return new Draft(this.#base(), this.#parts, { at, quietMs });
    const spent = await withRetries(clock, () => store.getDaySpending(dayOf(at)));
    return new Draft(this.#base(), this.#parts, { at, quietMs, day: new DayTally(dayCaps, spent) });
  }

  /** What the next fold starts from. */
  #base(): Fold {
    if (this.#readers === 0) return this.#fold;
    return { state: this.#fold.state, context: withOwnMessages(this.#fold.context) };
  }

  /** @returns whether the log is now as the draft foresaw; otherwise what is next must be decided anew */
  async #commit(
    draft: Draft,
    receipts: number,
    expectedSeq: Sequence | undefined,
  ): Promise<"as drafted" | "moved" | "over day"> {
    if (draft.sealed.length > 0) {
      const { seq } = this.#fold.state;
      this.#appending = draft.fold.state.seq;
      const result = await this.#append(draft, expectedSeq);
      this.#appending = 0;
      if (result.status === "fenced") throw fenced(this.#parts.lease, result.epoch);
      if (result.status === "conflict") {
        this.#absorb(result.events);
        await this.catchUp();
        return "moved";
      }
      if (result.status === "over_day") return "over day";
      if (result.fenced) throw fenced(this.#parts.lease, this.#parts.lease.epoch + 1);
      draft.tellCommitted(result.firstSeq);
      // Only facts were written, and others wrote before them: read the log as it is.
      if (result.firstSeq !== seq + 1) {
        this.#receipts.splice(0, receipts);
        draft.tellRefused();
        await this.catchUp();
        return "moved";
      }
      this.#fold = draft.fold;
    }
    this.#receipts.splice(0, receipts);
    draft.tellRefused();
    return "as drafted";
  }

  /** Folds what others have written. */
  async catchUp(): Promise<void> {
    const { store, lease, clock } = this.#parts;
    for (;;) {
      const range = { after: this.#fold.state.seq, limit: 1000 };
      const events = await withRetries(clock, () => store.getEvents(lease.sessionId, range));
      if (events.length === 0) return;
      this.#absorb(events);
    }
  }

  #absorb(events: readonly SessionEvent[]): void {
    let { state, context } = this.#base();
    for (const item of events) {
      if (item.seq <= state.seq) continue;
      state = reduce(state, item);
      context = reduceContext(context, item);
    }
    this.#fold = { state, context };
  }

  /** A lost reply is resolved by sending the same bytes under the same id again. */
  async #append(draft: Draft, expectedSeq: number | undefined): Promise<AppendResult> {
    const { store, lease, clock } = this.#parts;
    const { state } = draft.fold;
    const snapshotEvents = this.#parts.snapshotEvents ?? SNAPSHOT_EVENTS;
    const takesSnapshot = state.seq - this.#snapshotSeq >= snapshotEvents;
    const spending = draft.charge;
    const batch: AppendBatch = {
      appendId: `${lease.epoch}.${++this.#appends}`,
      at: draft.at,
      events: draft.sealed,
      summary: summarize(state),
      ...(expectedSeq === undefined ? {} : { expectedSeq }),
      ...(takesSnapshot && expectedSeq !== undefined
        ? { snapshot: { fold: FOLD_DIGEST, body: JSON.stringify(state) } }
        : {}),
      ...(spending !== undefined && { spending }),
    };
    const result = await withRetries(clock, () => store.append(lease, batch));
    if (batch.snapshot !== undefined && result.status === "appended") this.#snapshotSeq = state.seq;
    return result;
  }
}

/** What a draft is made at. */
interface DraftMoment {
  readonly at: number;
  readonly quietMs: number;
  readonly day?: DayTally;
}

/** A fold that is ahead of the log. */
class Draft {
  readonly sealed: SealedEvent[] = [];
  readonly at: number;
  readonly #parts: JournalParts;
  readonly #quietMs: number;
  readonly #day: DayTally | undefined;
  /** The one that may have been quiet. */
  readonly #openRequest: number | undefined;
  /** Who is to be told, and which of {@link sealed} are theirs. */
  readonly #told: { readonly receipt: Receipt; readonly from: number; readonly count: number }[] = [];
  readonly #refused: (() => void)[] = [];
  #state: SessionState;
  #context: Context;

  constructor(base: Fold, parts: JournalParts, { at, quietMs, day }: DraftMoment) {
    this.#parts = parts;
    this.at = at;
    this.#quietMs = quietMs;
    this.#day = day;
    this.#openRequest = base.state.request?.number;
    this.#state = base.state;
    this.#context = base.context;
  }

  /** What the day is to be charged; undefined for nothing. */
  get charge(): DayCharge | undefined {
    return this.#day?.chargeAt(this.at);
  }

  get fold(): Fold {
    return { state: this.#state, context: this.#context };
  }

  /** Adds the receipts that the log still waits for. */
  addFacts(receipts: readonly Receipt[]): void {
    for (const receipt of receipts) {
      const { intent, events } = receipt;
      // What was given up meanwhile (a stalled request, a stopped call) has its receipt already.
      if (intent !== null && !isOpen(this.#state, intent)) continue;
      if (this.#isRefused(receipt)) continue;
      for (const fact of events) this.#add(fact);
      const count = events.length;
      if (receipt.onCommitted !== undefined)
        this.#told.push({ receipt, from: this.sealed.length - count, count });
    }
  }

  #isRefused({ reserving }: Receipt): boolean {
    if (reserving === undefined || this.#day === undefined) return false;
    const exhausted = exceededDay(this.#day.budget, reserving.wanted);
    if (exhausted === null) return false;
    this.#refused.push(() => reserving.onRefused(exhausted));
    return true;
  }

  /** To be called once the receipts are gone from the journal. */
  tellRefused(): void {
    for (const tell of this.#refused) tell();
  }

  /** @param firstSeq - where the first of {@link sealed} is in the log */
  tellCommitted(firstSeq: Sequence): void {
    for (const { receipt, from, count } of this.#told)
      receipt.onCommitted?.(Array.from({ length: count }, (_, index) => firstSeq + from + index));
  }

  /** Adds decisions until the next step is not one to write. */
  decide(): { readonly step: Exclude<Step, { kind: "append" }>; readonly decisions: number } {
    let decisions = 0;
    for (;;) {
      const step = decide(this.#state, this.#now());
      if (step.kind !== "append") return { step, decisions };
      assert(step.events.length > 0, "a decision writes something");
      for (const decision of step.events) this.#add(decision);
      decisions += 1;
      assert(decisions <= DECISIONS_MAX, `the policy comes to an end (last: ${step.events.at(-1)?.type})`);
    }
  }

  #add(input: EventInput): void {
    const { lease, owner, profile } = this.#parts;
    if (this.#state.epoch !== lease.epoch) {
      this.#place(event("harness.woke", { epoch: lease.epoch, owner, version: profile.version }));
    }
    this.#place(input);
  }

  #place(input: EventInput): void {
    const sealed = seal(input, this.#parts.redactor);
    const item = placed(sealed, this.#state.seq + 1, this.at);
    const before = this.#state;
    this.#state = reduce(before, item);
    this.#day?.note(before, this.#state, item);
    this.#context = reduceContext(this.#context, item);
    this.sealed.push(sealed);
  }

  #now(): Now {
    return {
      at: this.at,
      epoch: this.#parts.lease.epoch,
      quietMs: this.#state.request?.number === this.#openRequest ? this.#quietMs : 0,
      profile: this.#parts.profile,
      ...(this.#day !== undefined && { day: this.#day.budget }),
      context: () => {
        this.#context = closeTurn(this.#context);
        return { hash: this.#context.digest, tokens: tokensOf(this.#context) };
      },
      inputOf: (name) => this.#context.turn.calls.find(({ call }) => call === name)?.input ?? null,
    };
  }
}

/** The lease is lost: whoever holds it now goes on from the log. */
export function fenced(lease: Lease, epoch: number): NightshiftError {
  return new NightshiftError(
    "E_FENCED",
    `the lease of ${lease.sessionId} at epoch ${lease.epoch} was superseded by ${epoch}`,
    {
      data: { sessionId: lease.sessionId, epoch: lease.epoch, newer: epoch },
    },
  );
}
