/** What a plan is made of and made with: the initializer's seam. */
import type { Clock } from "../../core/clock.ts";
import type { ModelAdapter, ModelUsage } from "../../model/contract.ts";
import type { DraftedContract } from "../contract-source.ts";

/** What proposing takes. */
export interface PlanParts {
  readonly model: ModelAdapter;
  /** Id of the model, for its adapter. */
  readonly modelId: string;
  readonly maxOutputTokens: number;
  readonly clock: Clock;
  /** Takes secrets out of what is sent. */
  redact(text: string): string;
  /** Random characters that nobody could have written into a file before. */
  readonly nonce: string;
  /** Told of every answer that was not taken. */
  onTrouble(text: string): void;
}

/** What is planned. */
export interface PlanRequest {
  /** Verbatim. */
  readonly goal: string;
  /** The repository, absolute; only read. */
  readonly folder: string;
}

/** A contract as the model proposed it, that may be sealed. */
export interface ProposedPlan {
  readonly draft: DraftedContract;
  /** Model requests that were answered. */
  readonly requests: number;
  readonly usage: ModelUsage;
}
