/** What a writer is asked and answers. Plain data, because it crosses to the writer's thread. */
import type { Spending } from "../../core/budget/state.ts";
import { type ErrorCode, NightshiftError } from "../../core/errors.ts";
import type { Sequence, SessionId } from "../../core/ids.ts";
import type { SealedBlob } from "../../core/seal.ts";
import type { DayCharge, SnapshotInput } from "../contract.ts";

/** The part of a sealed event that is stored. */
export interface RowEvent {
  readonly type: string;
  readonly v: number;
  readonly body: string;
  /** Hex. */
  readonly bodyHash: string;
  readonly blobs: readonly SealedBlob[];
}

/** Events that go into the log together. */
export interface RowBatch {
  readonly appendId: string;
  readonly at: number;
  readonly events: readonly RowEvent[];
}

/** Makes a session. */
export interface CreateRequest {
  readonly kind: "create";
  readonly sessionId: SessionId;
  readonly batch: RowBatch;
}

/** Adds a client's events. */
export interface SubmitRequest {
  readonly kind: "submit";
  readonly sessionId: SessionId;
  readonly batch: RowBatch;
}

/** Adds a driver's events. */
export interface AppendRequest {
  readonly kind: "append";
  readonly sessionId: SessionId;
  readonly epoch: number;
  readonly expectedSeq: Sequence | null;
  readonly batch: RowBatch;
  readonly snapshot: SnapshotInput | null;
  readonly summary: string | null;
  readonly spending: DayCharge | null;
}

/** Takes a lease. */
export interface ClaimRequest {
  readonly kind: "claim";
  readonly sessionId: SessionId;
  /** JSON. */
  readonly owner: string;
  readonly ttlMs: number;
  readonly at: number;
  readonly monotonicMs: number;
  /** The epoch whose owner was found to be dead; null for none. */
  readonly deadEpoch: number | null;
}

/** Prolongs a lease. */
export interface RenewRequest {
  readonly kind: "renew";
  readonly sessionId: SessionId;
  readonly epoch: number;
  readonly leaseUntilMs: number;
}

/** Gives a lease back. */
export interface ReleaseRequest {
  readonly kind: "release";
  readonly sessionId: SessionId;
  readonly epoch: number;
  readonly seq: Sequence;
  readonly due: number | null;
}

/** Asks whether other processes have committed. */
export interface VersionRequest {
  readonly kind: "version";
}

/** Anything for the writer. */
export type WriteRequest =
  | CreateRequest
  | SubmitRequest
  | AppendRequest
  | ClaimRequest
  | RenewRequest
  | ReleaseRequest
  | VersionRequest;

/** What came of a request. */
export type WriteOutcome =
  | {
      readonly kind: "stored";
      readonly firstSeq: Sequence;
      readonly seq: Sequence;
      readonly repeated: boolean;
      readonly fenced: boolean;
    }
  | { readonly kind: "conflict"; readonly seq: Sequence }
  | { readonly kind: "over_day"; readonly spent: Spending }
  | { readonly kind: "fenced"; readonly epoch: number }
  | { readonly kind: "claimed"; readonly epoch: number }
  /** The lease is in force as far as the database can tell; the owner of that epoch may still be dead. */
  | {
      readonly kind: "held";
      readonly epoch: number;
      readonly owner: string;
      readonly leaseUntilMs: number;
    }
  | { readonly kind: "renewed" }
  | { readonly kind: "released" }
  | { readonly kind: "moved"; readonly seq: Sequence }
  /** Another number whenever another connection has committed. */
  | { readonly kind: "version"; readonly version: number }
  | { readonly kind: "failed"; readonly failure: Failure };

/** An error of ours in a form that survives the way between threads. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly hint: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The error's plain form. */
export function failureOf(error: NightshiftError): Failure {
  const { code, message, retryable, hint, data } = error;
  return { code, message, retryable, hint, data };
}

/** The error again. */
export function errorOf(failure: Failure): NightshiftError {
  const { code, message, ...details } = failure;
  return new NightshiftError(code, message, details);
}
