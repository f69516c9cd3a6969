/** What a judge may spend of its session: asked before each of its requests, told after it. */
import type { EventBody } from "../events/index.ts";

/** A request that is about to be sent. */
export interface JudgeReservation {
  readonly criterion: string;
  /** `provider:id` of the judge. */
  readonly model: string;
  /** The most that it can use. */
  readonly tokens: number;
  /** Null: nobody knows the price. */
  readonly costMicroUsd: number | null;
}

/** What came of it. */
export type JudgeSettlement = Omit<EventBody<"judge.request_end">, "request">;

/** The session's own caps and ledger. */
export interface JudgePurse {
  /**
   * Puts the reservation into the log. @returns what settles it; a reservation that is never settled stays charged
   * @throws NightshiftError `E_CAP_REACHED` with the event's body as `data.exhausted`; then nothing may be sent
   */
  reserve(reservation: JudgeReservation): Promise<(settlement: JudgeSettlement) => Promise<void>>;
}
