/** What was found about one commit, and what is said of it. */
import type { Finding } from "../core/contract/contract.ts";
import type { EventBody } from "../core/events/index.ts";
import type { Logged } from "./evidence.ts";
import type { Gate } from "./gates-list.ts";
import type { Review } from "./review.ts";

/** What a verdict says. */
export type Verdict = EventBody<"verdict.given">;
/** Of one criterion. */
export type CriterionVerdict = Verdict["criteria"][number];

/** Everything that was found about one commit. */
export interface Findings {
  readonly treeA: string | null;
  readonly treeB: string | null;
  readonly findings: readonly Finding[];
  readonly checked: readonly Logged<"referee.checked">[];
  readonly contrasted: readonly Logged<"referee.contrasted">[];
  readonly graded: readonly Logged<"judge.graded">[];
  readonly review: Review;
  readonly isIsolated: boolean;
  readonly gatesOff: ReadonlySet<Gate>;
  /** Ids of the criteria that nobody has to meet now. */
  readonly waived: ReadonlySet<string>;
  readonly durationMs: number;
  /** What went wrong on our side before anything could be checked. */
  readonly problem: string | null;
}
