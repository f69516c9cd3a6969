/**
 * A session without a runtime: `decide` drives, whatever it names may be answered in any order and any way, people
 * may send anything at any moment, and the driver may die. For properties of the policy.
 */
import { assert } from "vitest";
import {
  type Context,
  closeTurn,
  emptyContext,
  messagesOf,
  reduceContext,
  tokensOf,
} from "../../src/core/context.ts";
import { decide, type Intent, type Step } from "../../src/core/decide.ts";
import type { EventInput, SessionEvent } from "../../src/core/events/index.ts";
import type { Message } from "../../src/core/message.ts";
import { reduce } from "../../src/core/reduce.ts";
import { emptyState, type SessionState } from "../../src/core/state.ts";
import { type DayBudget, isOpen } from "../../src/core/step.ts";
import { created, SESSION, START_MS, type Variations, woke } from "./events.ts";
import { PROFILE } from "./logs.ts";

/** More decisions in a row mean that the policy argues with itself. */
const DECISIONS_MAX = 40;

/** The log, its fold, and a clock. */
export class ModelSession {
  readonly log: SessionEvent[] = [];
  /** What each request sent. */
  readonly sent: (readonly Message[])[] = [];
  /** Which of them were the first of another context. */
  readonly anew: Set<number> = new Set();
  state: SessionState = emptyState(SESSION);
  context: Context = emptyContext();
  epoch = 1;
  at = START_MS;
  quietMs = 0;
  /** What all sessions have spent today; absent: that is not capped. */
  day: DayBudget | undefined;

  /** @param first - comes with the session, before anybody drives */
  constructor(variations?: Variations, first: readonly EventInput[] = []) {
    for (const input of [created(variations), ...first]) this.#add(input);
  }

  /** Sends what clients send. */
  submit(...inputs: readonly EventInput[]): void {
    for (const input of inputs) this.#add(input);
  }

  /** Another driver takes over: it knows the log and nothing else. */
  crash(): void {
    this.epoch += 1;
    this.state = JSON.parse(JSON.stringify(this.state)) as SessionState;
    this.context = this.log.reduce(reduceContext, emptyContext());
  }

  pass(ms: number): void {
    this.at += ms;
    if (ms > 0) this.quietMs += ms;
  }

  /** Decides until there is nothing to write. @returns what is wanted then */
  settle(): Exclude<Step, { kind: "append" }> {
    for (let decisions = 0; decisions < DECISIONS_MAX; decisions++) {
      const step = this.#decide();
      if (step.kind !== "append") return step;
      assert(step.events.length > 0, "a decision writes something");
      for (const event of step.events) this.#decided(event);
    }
    assert.fail(`no end of decisions: ${this.log.slice(-6).map((event) => event.type)}`);
  }

  /** Notes what came of an intent, as the journal does: nothing, when the log no longer waits for it. */
  receive(intent: Intent, facts: readonly EventInput[]): void {
    if (isOpen(this.state, intent)) for (const fact of facts) this.#decided(fact);
  }

  #decide(): Step {
    return decide(this.state, {
      at: this.at,
      epoch: this.epoch,
      ...(this.day !== undefined && { day: this.day }),
      quietMs: this.quietMs,
      profile: PROFILE,
      inputOf: () => null,
      context: () => {
        // The draft that is asked may be thrown away, or become what is committed: neither may show.
        const draft = closeTurn(this.context);
        if (this.log.length % 2 === 0) this.context = draft;
        return { hash: draft.digest, tokens: tokensOf(draft) };
      },
    });
  }

  #decided(input: EventInput): void {
    if (this.state.epoch !== this.epoch) this.#add(woke(this.epoch));
    this.#add(input);
    if (input.type === "session.thread_created" && ["reset", "compact"].includes(input.body.reason))
      this.anew.add(this.sent.length);
    if (input.type === "span.model_request_start") this.sent.push([...messagesOf(this.context)]);
  }

  #add(input: EventInput): void {
    this.at += 1;
    this.quietMs = 0;
    const event = { ...input, seq: this.state.seq + 1, at: this.at } as SessionEvent;
    this.log.push(event);
    this.state = reduce(this.state, event);
    this.context = reduceContext(this.context, event);
  }
}
