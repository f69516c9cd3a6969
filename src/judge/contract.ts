/**
 * The judge: a model that grades what no command can show, for the referee, in a context of its own and never as the
 * worker. A hostile worker may have written any byte of what it reads. So artefact text is data, each rubric line is
 * graded by itself, a line is met only with a quote that exists, and whatever goes wrong is `error`, never a pass.
 */
import type { Chance, Clock } from "../core/clock.ts";
import type { Contract, Criterion } from "../core/contract/contract.ts";
import type { JudgePurse } from "../core/contract/judge-purse.ts";
import type { EventBody } from "../core/events/index.ts";
import type { ModelAdapter, ModelFailure } from "../model/contract.ts";
import type { Sandbox } from "../sandbox/contract.ts";

/** Which model grades, and what one of its requests may cost. */
export type JudgeModel = EventBody<"session.created">["agent"]["model"];

/** What one grade may take. */
export interface JudgeLimits {
  readonly requests: number;
  /** Input and output together; the worst case of a request is reserved before it is sent. */
  readonly tokens: number;
  readonly wallMs: number;
}

/** What a grade may take unless told otherwise. */
export const JUDGE_LIMITS: JudgeLimits = { requests: 24, tokens: 600_000, wallMs: 20 * 60_000 };

/** What the judge works with. */
export interface JudgeParts {
  readonly adapter: ModelAdapter;
  readonly model: JudgeModel;
  readonly limits: JudgeLimits;
  readonly clock: Clock;
  readonly chance: Chance;
  /** To see what the looking up of quotes carries: whatever is quoted counts as found. */
  readonly believesQuotes?: boolean;
  /** Told of the failed request after which there is no grade. */
  readonly onFailure?: (failure: ModelFailure) => void;
}

/** A file that the candidate changes against the base. */
export interface JudgedChange {
  readonly path: string;
  readonly change: string;
}

/** What a check of the same criterion came to, as the referee has seen it. */
export type JudgedCheck = Pick<
  EventBody<"referee.checked">,
  "command" | "pass" | "status" | "reason" | "run"
>;

/** What is to be graded. */
export interface GradeRequest {
  readonly contract: Pick<Contract, "goal" | "constraints">;
  /** Has a rubric. */
  readonly criterion: Criterion;
  readonly changed: readonly JudgedChange[];
  readonly checks: readonly JudgedCheck[];
  /** Of the session that it is judged for; absent where nobody pays by one. */
  readonly purse?: JudgePurse | undefined;
  /** Attached, with the files as delivered. Nothing of the candidate has run in it or will. */
  readonly sandbox: Sandbox;
}

/** What the judge has found of one criterion; it becomes `judge.graded`. */
export type Grade = Omit<EventBody<"judge.graded">, "verdict">;
/** One line of a rubric, graded. */
export type GradedLine = Grade["items"][number];

/** Grades rubrics. */
export interface Judge {
  /**
   * Grades every line of the criterion's rubric. What goes wrong is a grade of its own (`error`), never a pass.
   * @throws what the signal aborts with; NightshiftError `E_SANDBOX_LOST`, `E_SANDBOX_STALE`
   */
  grade(request: GradeRequest, signal: AbortSignal): Promise<Grade>;
}

/** Ends a grading without a grade; the message says why, for people. */
export class NoGrade extends Error {}
