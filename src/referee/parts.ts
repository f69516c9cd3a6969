/** What the referee works with, and what it is asked. Plain data but for the parts. */

import type { Chance, Clock } from "../core/clock.ts";
import type { Contract, Criterion } from "../core/contract/contract.ts";
import type { JudgePurse } from "../core/contract/judge-purse.ts";
import type { EventBody, EventInput, SessionEvent } from "../core/events/index.ts";
import type { Sequence } from "../core/ids.ts";
import type { Sandbox, SandboxBackend, SandboxSpec } from "../sandbox/contract.ts";
import type { ChangedFile, CommitHash } from "../workspace/contract.ts";
import type { Ratchet, RefereeTrees, Runners } from "./contract.ts";
import type { Gate } from "./gates-list.ts";

/** What checks need besides the files: toolchain and dependencies, all of them read-only. */
export type Surroundings = Required<Pick<SandboxSpec, "mounts" | "environment">>;

/** What the referee and the preflight work with. */
export interface RefereeParts {
  readonly backend: SandboxBackend;
  /**
   * Has a sandbox of this backend a view of its own? Otherwise nothing can be mounted, commands see the machine as it
   * is, and every verdict says so.
   */
  readonly isIsolated: boolean;
  readonly trees: RefereeTrees;
  readonly runners: Runners;
  readonly ratchet: Ratchet;
  /**
   * Finds or makes what checks need. @param pristine - a folder with the files of the base
   * @throws NightshiftError `E_TOOLCHAIN_MISSING`, `E_LAYER_FAILED`, `E_SOURCE_REFUSED`
   */
  readonly surroundings: ((pristine: string, signal: AbortSignal) => Promise<Surroundings>) | null;
  readonly judge: JudgeSeam | null;
  /** What the judge may spend of its session; absent where nobody pays by one. */
  readonly purse?: JudgePurse;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Absolute; folders of single runs are made here, and removed after them. */
  readonly scratch: string;
  /** Folder with the held-out files of that digest; undefined when they are not on this machine. */
  heldOut(digest: string): string | undefined;
  /** To see what each gate carries; every verdict says so. No command and no contract can ask for it. */
  readonly gatesOff?: ReadonlySet<Gate>;
}

/** A model that grades what no command can show. */
export interface JudgeSeam {
  /**
   * Grades every line of the criterion's rubric. What goes wrong is a grade of its own (`error`), never a pass.
   * @throws what the signal aborts with; NightshiftError `E_SANDBOX_LOST`, `E_CAP_REACHED`
   */
  grade(request: JudgeRequest, signal: AbortSignal): Promise<Omit<EventBody<"judge.graded">, "verdict">>;
}

/** What a judge is given. */
export interface JudgeRequest {
  readonly contract: Contract;
  readonly criterion: Criterion;
  /** Against the base. */
  readonly changed: readonly ChangedFile[];
  /** What the checks of this criterion came to. */
  readonly checks: readonly EventBody<"referee.checked">[];
  readonly purse?: JudgePurse | undefined;
  /** Of the judge's own, with the files as delivered; it is destroyed afterwards. */
  readonly sandbox: Sandbox;
}

/** Facts that a verdict consists of. */
export type RefereeFactType =
  | "referee.composed"
  | "referee.attributed"
  | "referee.checked"
  | "referee.contrasted"
  | "referee.ratcheted"
  | "judge.graded";
/** One of them. */
export type RefereeFact = EventInput<RefereeFactType>;

/** Puts a fact into the log. @returns its place, once it is durable */
export type OnFact = (fact: RefereeFact) => Promise<Sequence>;

/** A criterion that is not asked for until then. */
export interface Waiver {
  readonly criterion: string;
  readonly owner: string;
  readonly expiresAt: number;
}

/** What a verdict is about. */
export interface VerdictRequest {
  readonly sessionId: string;
  /** Which verdict of the session. */
  readonly number: number;
  /** Of the driver's lease: the referee's sandboxes are made and attached under it. Null for who drives nothing. */
  readonly epoch: number | null;
  readonly contract: Contract;
  readonly contractHash: string;
  /** `provider:id` of who did the work; absent when no model of ours did. */
  readonly workerModels?: readonly string[];
  readonly base: CommitHash;
  readonly commit: CommitHash;
  readonly preflight: EventBody<"preflight.finished">;
  readonly waivers: readonly Waiver[];
  /** What the worker says cannot be met, or not without help. */
  readonly declared: readonly Pick<EventBody<"contract.declared">, "criterion" | "status" | "reason">[];
  /** Hashes of review items (see `reviewHash`) that a person has approved, and denied. */
  readonly approved: ReadonlySet<string>;
  readonly denied: ReadonlySet<string>;
  /** Facts of this very verdict that are in the log already: what they say is not done again. */
  readonly done: readonly SessionEvent<RefereeFactType>[];
}

/** What a preflight is about. */
export interface PreflightRequest {
  readonly sessionId: string;
  readonly epoch: number | null;
  readonly contract: Contract;
  readonly base: CommitHash;
}
