/** Where a session stands with its contract, as far as the log knows. Part of the session's state. */
import type { EventBody } from "../events/index.ts";
import type { Sequence } from "../ids.ts";
import type { Contract, CriterionStatus } from "./contract.ts";

/** Who wants a verdict: the agent by its tool, its turn that ended, a person, or the end of a program's attempt. */
export type VerdictReason = EventBody<"verdict.requested">["reason"];

/** The contract in force and what has been found about it. */
export interface ContractState {
  /** Where it was sealed. */
  readonly seq: Sequence;
  readonly contract: Contract;
  readonly hash: string;
  /** How often it was amended. */
  readonly amendments: number;
  /** What a person wants instead; null once it is in force. */
  readonly amendment: (EventBody<"control.amend_contract"> & { readonly seq: Sequence }) | null;
  readonly waivers: readonly Waiver[];
  readonly declared: readonly Declaration[];
  /** What people do not accept of what was declared; the newest of each criterion. */
  readonly denials: readonly DeniedDeclaration[];
  /** `owed`: nothing may begin before it; `refused`: it found a reason not to begin. */
  readonly preflight: "owed" | "running" | "passed" | "refused";
  /** Number of the last verdict that was asked for. */
  readonly verdicts: number;
  readonly wanted: VerdictReason | null;
  /** The verdict in the making. */
  readonly making: {
    readonly number: number;
    readonly commit: string;
    readonly reason: VerdictReason;
    /** The cap that stands in the way of its judge; null for none. */
    readonly exhausted: string | null;
  } | null;
  /** The newest. It is stale as soon as its commit or its contract is no longer the current one. */
  readonly given: GivenVerdict | null;
  /** What the session is to end its work with, decided by the newest verdict or the base; null: work goes on. */
  readonly ending: EventBody<"session.status_idle">["stop_reason"] | null;
  /** What the newest verdict says has to be looked at by a person. */
  readonly review: readonly ReviewItem[];
  /** What people have decided, for good: by what exactly was looked at. */
  readonly decisions: readonly ReviewDecision[];
}

/** A criterion that is not asked for until then. */
export interface Waiver {
  readonly criterion: string;
  readonly owner: string;
  readonly reason: string;
  readonly expiresAt: number;
  readonly seq: Sequence;
}

/** What the agent said of a criterion that it cannot meet. */
export interface Declaration {
  readonly criterion: string;
  readonly status: "impossible" | "blocked";
  readonly reason: string;
  readonly call: string;
  readonly seq: Sequence;
}

/** A person says that the criterion can be met. */
export interface DeniedDeclaration extends Pick<Declaration, "criterion" | "status"> {
  /** In their words; empty for none. */
  readonly reason: string;
  readonly author: string;
}

/** What a verdict came to; what rested on a declaration that a person has denied since is unmet. */
export interface GivenVerdict {
  readonly number: number;
  readonly seq: Sequence;
  readonly commit: string;
  readonly contractHash: string;
  readonly outcome: EventBody<"verdict.given">["outcome"];
  readonly criteria: readonly { readonly criterion: string; readonly status: CriterionStatus }[];
}

/** One thing to look at, named by what exactly is looked at. */
export interface ReviewItem {
  readonly item: string;
  /** Relative to the workspace. */
  readonly path: string;
  readonly hash: string;
}

/** What a person has said of one {@link ReviewItem.hash}. */
export interface ReviewDecision {
  readonly hash: string;
  readonly result: "approve" | "deny";
}
