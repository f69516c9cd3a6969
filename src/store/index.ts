/** The store: the contract, and following a log. Backends have entries of their own, or come through the registry. */
export type {
  AppendBatch,
  AppendResult,
  ClaimResult,
  DayCharge,
  DueSessions,
  EventRange,
  Lease,
  LogProblem,
  Owner,
  ReleaseResult,
  SessionCheck,
  SessionRecord,
  Snapshot,
  SnapshotInput,
  Store,
  StoreChange,
  StoreCheck,
  SubmitBatch,
  SubmitResult,
} from "./contract.ts";
export { follow } from "./follow.ts";
export type { OwnerProbe } from "./owner.ts";
