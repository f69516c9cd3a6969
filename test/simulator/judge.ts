/** Calls every invariant at every step and keeps the first thing that any of them complains about. */

import type { EventInput, SessionEvent } from "../../src/core/events/index.ts";
import type { ExecId, SandboxId, Sequence } from "../../src/core/ids.ts";
import type { Message } from "../../src/core/message.ts";
import type { ModelRequest } from "../../src/model/contract.ts";
import type { Notification } from "../../src/runtime/notify/contract.ts";
import type { ExecRequest } from "../../src/sandbox/contract.ts";
import type { CheckoutHost, Files } from "./checkouts.ts";
import type { LogRow, ObservedLog } from "./log.ts";
import type { Writer } from "./store.ts";

/** One event as it appears in the files. */
export interface EventMoment {
  readonly log: ObservedLog;
  readonly row: LogRow;
  readonly event: SessionEvent;
  readonly writer: Writer;
  /** The newest lease of the session. */
  readonly newestEpoch: number;
  readonly checkouts: CheckoutHost;
  /** Does this execution run somewhere at this moment? */
  readonly isRunning: (exec: ExecId) => boolean;
}

/** A model request as it arrives at the provider. */
export interface RequestMoment {
  readonly log: ObservedLog;
  readonly number: number;
  readonly epoch: number;
  readonly messages: readonly Message[];
  readonly request: ModelRequest;
}

/** The end of a request that has arrived at the provider, whatever came of it. */
export interface RequestOverMoment {
  readonly log: ObservedLog;
  readonly number: number;
  readonly request: ModelRequest;
}

/** A fact that a referee relies on from now on, since it was told that the log holds it at `seq`. */
export interface ReliedMoment {
  readonly log: ObservedLog;
  readonly seq: Sequence;
  readonly fact: EventInput;
}

/** Something that has reached a person who is away. */
export interface ToldMoment {
  readonly log: ObservedLog;
  readonly target: string;
  readonly notification: Notification;
}

/** A run or an effect in a sandbox. */
export interface RunMoment {
  readonly log: ObservedLog;
  readonly request: ExecRequest;
  readonly incarnation: string;
  /** Of the lease of the harness that asked for it. */
  readonly epoch: number;
  /** The newest lease under which anybody has attached to this session's sandbox. */
  readonly attachedEpoch: number;
}

/** Something about to be done to a sandbox as a whole. */
export interface SandboxMoment {
  readonly log: ObservedLog;
  readonly sandbox: SandboxId;
  readonly what: "provision" | "destroy";
}

/** A daemon that begins its life, for a session with a checkout. */
export interface BeginMoment {
  readonly log: ObservedLog;
  readonly files: Files;
  /** Of the lease of the harness that asked for it. */
  readonly epoch: number;
  /** The newest lease of the session. */
  readonly newestEpoch: number;
  readonly checkouts: CheckoutHost;
}

/** Something that has been done to a sandbox as a whole. */
export interface SandboxChange {
  readonly sandbox: SandboxId;
  /** Of the lease of the harness that has done it. */
  readonly epoch: number;
  /** The newest lease under which anybody has made or ended a sandbox of this session before. */
  readonly newestEpoch: number;
}

/** The end of a simulation, after the faults have stopped and everything has come to rest. */
export interface EndMoment {
  readonly logs: readonly ObservedLog[];
  readonly liveSandboxes: readonly SandboxId[];
  readonly checkouts: CheckoutHost;
}

/** What an invariant guards, and its looks at what happens: each gives a complaint, or null. */
export interface Invariant {
  /** Name of the promise. */
  readonly promise: string;
  readonly onEvent?: (moment: EventMoment) => string | null;
  readonly onRequest?: (moment: RequestMoment) => string | null;
  readonly onRequestOver?: (moment: RequestOverMoment) => string | null;
  readonly onRelied?: (moment: ReliedMoment) => string | null;
  readonly onTold?: (moment: ToldMoment) => string | null;
  readonly onRun?: (moment: RunMoment) => string | null;
  readonly onEffect?: (moment: RunMoment) => string | null;
  readonly onSandbox?: (moment: SandboxMoment) => string | null;
  readonly onBegin?: (moment: BeginMoment) => string | null;
  readonly onSandboxChange?: (change: SandboxChange) => string | null;
  readonly onSnapshot?: (log: ObservedLog, seq: number, body: string) => string | null;
  readonly atEnd?: (moment: EndMoment) => string | null;
}

/** A broken promise. */
export interface Violation {
  readonly promise: string;
  readonly detail: string;
}

/** Judges one simulation. */
export class Judge {
  readonly #invariants: readonly Invariant[];
  readonly #onViolation: (violation: Violation) => void;
  #violation: Violation | null = null;

  /** @param invariants - made for this simulation, since some remember what they saw */
  constructor(invariants: readonly Invariant[], onViolation: (violation: Violation) => void) {
    this.#invariants = invariants;
    this.#onViolation = onViolation;
  }

  get violation(): Violation | null {
    return this.#violation;
  }

  /** For promises that are watched elsewhere. */
  complain(promise: string, detail: string): void {
    if (this.#violation !== null) return;
    this.#violation = { promise, detail };
    this.#onViolation(this.#violation);
  }

  onEvent(moment: EventMoment): void {
    this.#ask((invariant) => invariant.onEvent?.(moment));
  }

  onRequest(moment: RequestMoment): void {
    this.#ask((invariant) => invariant.onRequest?.(moment));
  }

  onRequestOver(moment: RequestOverMoment): void {
    this.#ask((invariant) => invariant.onRequestOver?.(moment));
  }

  onRelied(moment: ReliedMoment): void {
    this.#ask((invariant) => invariant.onRelied?.(moment));
  }

  onTold(moment: ToldMoment): void {
    this.#ask((invariant) => invariant.onTold?.(moment));
  }

  onRun(moment: RunMoment): void {
    this.#ask((invariant) => invariant.onRun?.(moment));
  }

  onEffect(moment: RunMoment): void {
    this.#ask((invariant) => invariant.onEffect?.(moment));
  }

  onSandbox(moment: SandboxMoment): void {
    this.#ask((invariant) => invariant.onSandbox?.(moment));
  }

  onBegin(moment: BeginMoment): void {
    this.#ask((invariant) => invariant.onBegin?.(moment));
  }

  onSandboxChange(change: SandboxChange): void {
    this.#ask((invariant) => invariant.onSandboxChange?.(change));
  }

  onSnapshot(log: ObservedLog, seq: number, body: string): void {
    this.#ask((invariant) => invariant.onSnapshot?.(log, seq, body));
  }

  atEnd(moment: EndMoment): void {
    this.#ask((invariant) => invariant.atEnd?.(moment));
  }

  #ask(look: (invariant: Invariant) => string | null | undefined): void {
    for (const invariant of this.#invariants) {
      const complaint = look(invariant);
      if (typeof complaint === "string") this.complain(invariant.promise, complaint);
    }
  }
}
