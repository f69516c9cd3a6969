/** What the log holds of one verdict so far: what was found is not looked for again. */
import { canonicalJson } from "../core/contract/canonical.ts";
import type { EventBody, SessionEvent } from "../core/events/index.ts";
import type { Sequence } from "../core/ids.ts";
import type { OnFact, RefereeFact, RefereeFactType } from "./parts.ts";

/** A fact and its place in the log. */
export interface Logged<T extends RefereeFactType> {
  readonly seq: Sequence;
  readonly body: EventBody<T>;
}

/** Facts of one verdict: those that were there already, and those that are added. */
export class Evidence {
  readonly #onFact: OnFact;
  readonly #attributed: Logged<"referee.attributed">[] = [];
  readonly #checked: Logged<"referee.checked">[] = [];
  readonly #contrasted: Logged<"referee.contrasted">[] = [];
  readonly #graded: Logged<"judge.graded">[] = [];
  readonly #composed: EventBody<"referee.composed">[] = [];
  readonly #ratcheted: EventBody<"referee.ratcheted">[] = [];

  constructor(number: number, done: readonly SessionEvent<RefereeFactType>[], onFact: OnFact) {
    this.#onFact = onFact;
    for (const fact of done) if (fact.body.verdict === number) this.#take(fact, fact.seq);
  }

  /** In the order of the log. */
  get checked(): readonly Logged<"referee.checked">[] {
    return this.#checked.toSorted((left, right) => left.seq - right.seq);
  }

  get attributed(): readonly Logged<"referee.attributed">[] {
    return this.#attributed;
  }

  get contrasted(): readonly Logged<"referee.contrasted">[] {
    return this.#contrasted;
  }

  get graded(): readonly Logged<"judge.graded">[] {
    return this.#graded;
  }

  /** Has this very fact been logged? The trees and findings of equal commits are equal. */
  has(fact: Extract<RefereeFact, { type: "referee.composed" | "referee.ratcheted" }>): boolean {
    const known: readonly EventBody<"referee.composed" | "referee.ratcheted">[] =
      fact.type === "referee.composed" ? this.#composed : this.#ratcheted;
    return known.some((body) => canonicalJson(body) === canonicalJson(fact.body));
  }

  /** Logs it. */
  async add(fact: RefereeFact): Promise<void> {
    this.#take(fact, await this.#onFact(fact));
  }

  #take(fact: RefereeFact, seq: Sequence): void {
    switch (fact.type) {
      case "referee.composed":
        this.#composed.push(fact.body);
        break;
      case "referee.attributed":
        this.#attributed.push({ seq, body: fact.body });
        break;
      case "referee.checked":
        this.#checked.push({ seq, body: fact.body });
        break;
      case "referee.contrasted":
        this.#contrasted.push({ seq, body: fact.body });
        break;
      case "referee.ratcheted":
        this.#ratcheted.push(fact.body);
        break;
      case "judge.graded":
        this.#graded.push({ seq, body: fact.body });
        break;
    }
  }
}
