/** What a grading may still spend, and what it has spent. */
import type { ModelRequest, ModelUsage } from "../model/contract.ts";
import { estimateInputTokens } from "../model/estimate.ts";
import { costMicroUsd } from "../model/price.ts";
import { type JudgeLimits, type JudgeModel, NoGrade } from "./contract.ts";

/** The worst that a request can come to. */
export interface Reservation {
  readonly usage: ModelUsage;
}

/** Counts the requests of one grading. */
export class Meter {
  readonly #model: JudgeModel;
  readonly #limits: JudgeLimits;
  #requests = 0;
  #tokens = 0;
  #costMicroUsd = 0;

  constructor(model: JudgeModel, limits: JudgeLimits) {
    this.#model = model;
    this.#limits = limits;
  }

  get requests(): number {
    return this.#requests;
  }

  get costMicroUsd(): number {
    return this.#costMicroUsd;
  }

  get requestsLeft(): number {
    return this.#limits.requests - this.#requests;
  }

  /** Takes the worst case of a request off the budget. @throws NoGrade when it does not fit */
  reserve(request: ModelRequest): Reservation {
    const { requests, tokens } = this.#limits;
    if (this.requestsLeft < 1) throw new NoGrade(`the budget of ${requests} requests is used up`);
    const inputTokens = estimateInputTokens(request);
    const wanted = inputTokens + request.maxOutputTokens;
    if (this.#tokens + wanted > tokens) {
      throw new NoGrade(
        `the budget of ${tokens} tokens is used up: ${this.#tokens} are spent, and the next request may take ${wanted}`,
      );
    }
    this.#requests += 1;
    const usage = {
      inputTokens,
      outputTokens: request.maxOutputTokens,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
    };
    this.#charge(usage, 1);
    return { usage };
  }

  /** Puts what was really used in the place of a reservation; without it, the reservation stays charged. */
  settle(reservation: Reservation, usage: ModelUsage | undefined): void {
    if (usage === undefined) return;
    this.#charge(reservation.usage, -1);
    this.#charge(usage, 1);
  }

  #charge(usage: ModelUsage, sign: 1 | -1): void {
    const { price } = this.#model;
    const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens } = usage;
    this.#tokens += sign * (inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens);
    if (price !== undefined) this.#costMicroUsd += sign * costMicroUsd(usage, price);
  }
}
