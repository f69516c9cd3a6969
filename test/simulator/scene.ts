/** A simulation as its parts see it: each part knows this, and only the world knows all the parts. */
import type { ClientEventInput } from "../../src/core/events/index.ts";
import type { SessionId } from "../../src/core/ids.ts";
import type { ModelAdapter } from "../../src/model/contract.ts";
import type { Harness } from "../../src/runtime/wake.ts";
import type { CheckoutHost } from "./checkouts.ts";
import type { Judge } from "./judge.ts";
import type { ObservedLog } from "./log.ts";
import type { Machine } from "./machine.ts";
import type { ModelWatch } from "./model.ts";
import type { NoticeWatch } from "./notifier.ts";
import type { Process } from "./process.ts";
import type { RefereeWatch } from "./referee.ts";
import type { SandboxHost, SandboxWatch } from "./sandbox.ts";
import type { Scheduler } from "./scheduler.ts";
import type { StoreWatch } from "./store.ts";
import type { Trace } from "./trace.ts";
import type { Workload } from "./workload.ts";

/** What every part may use. */
export interface Scene extends StoreWatch, SandboxWatch, ModelWatch, RefereeWatch, NoticeWatch {
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly judge: Judge;
  readonly machine: Machine;
  readonly sandboxes: SandboxHost;
  readonly checkouts: CheckoutHost;
  readonly workload: Workload;
  readonly logs: ReadonlyMap<SessionId, ObservedLog>;
  /** The log of a session, empty if nobody has heard of it yet. */
  log(session: SessionId): ObservedLog;
  /** The newest session of that label. */
  sessionOf(label: string): SessionId | null;
  /** The provider's end of a session's model. It belongs to no process. */
  provider(label: string): ModelAdapter;
}

/** A process with the real harness in it. */
export interface RunningHarness {
  readonly process: Process;
  readonly harness: Harness;
}

/** The processes as faults see them. */
export interface Crowd {
  /** Harnesses that run at this moment. */
  running(): readonly RunningHarness[];
  /** Harnesses that run or stand still. */
  living(): readonly RunningHarness[];
  startHarness(): void;
  /** Wakes a session by name, as a second engine or a person might. */
  wakeWith(harness: RunningHarness, session: SessionId): void;
  /** Ends a process for good, and starts another one in its place after a while. */
  crash(process: Process): void;
  /** Sends events at this very instant. @returns whether there was a client that could */
  sendNow(session: SessionId, events: readonly ClientEventInput[]): boolean;
}
