/** Short names for what is agreed, asked for and found under a contract. */
import { CONTRACT_DEFAULTS, type Contract, contractHash } from "../../src/core/contract/contract.ts";
import { declarationHash, declarationItem } from "../../src/core/contract/declaration.ts";
import { type EventBody, type EventInput, event } from "../../src/core/events/index.ts";
import { BASE, commitOf, START_MS } from "./events.ts";

/** A contract with one check, unless told otherwise. */
export function contractWith(changes: Partial<Contract> = {}): Contract {
  return {
    ...CONTRACT_DEFAULTS,
    goal: "Make the tests pass.",
    criteria: [
      {
        id: "tests",
        description: "The tests pass.",
        steps: [],
        check: { argv: ["npm", "test"], folder: "", shell: false },
        role: null,
        rubric: [],
        needs: [],
      },
    ],
    ...changes,
  };
}

export const sealed = (contract: Contract = contractWith()): EventInput =>
  event("contract.sealed", { contract, hash: contractHash(contract), source: "--check" });

export const amend = (contract: Contract): EventInput =>
  event("control.amend_contract", {
    contract,
    hash: contractHash(contract),
    reason: "it was too narrow",
    author: "somebody",
  });

/** What comes of {@link amend}. */
export const amended = (contract: Contract, before: Contract = contractWith()): EventInput =>
  event("contract.amended", {
    ...{ contract, hash: contractHash(contract), previous_hash: contractHash(before) },
    ...{ reason: "it was too narrow", author: "somebody", asked_seq: 1, content: [] },
  });

export const waive = (criterion = "tests", expires_at = START_MS + 1_000_000): EventInput =>
  event("control.waive", { criterion, reason: "not now", owner: "somebody", expires_at });

export const declared = (call: string, criterion = "tests"): EventInput =>
  event("contract.declared", {
    criterion,
    status: "impossible",
    reason: "it cannot be",
    evidence: "see",
    call,
  });

/** What a person says to {@link declared}. */
export const declarationDecided = (
  result: "approve" | "deny",
  call = "c1_0",
  criterion = "tests",
): EventInput =>
  event("approval.decided", {
    item: declarationItem(criterion),
    hash: declarationHash({ criterion, status: "impossible", reason: "it cannot be", call }),
    result,
    reason: "the key is there now",
    author: "ada",
  });

export const verdictWanted: EventInput = event("control.request_verdict", {});

export const preflightStarted: EventInput = event("preflight.started", { commit: BASE });

type ProblemCode = EventBody<"preflight.finished">["problems"][number]["code"];

export const preflightFinished = (problem?: ProblemCode): EventInput =>
  event("preflight.finished", {
    commit: BASE,
    criteria: [],
    problems: problem === undefined ? [] : [{ code: problem, message: "it cannot run" }],
    content: [{ type: "text", text: "one test fails" }],
    duration_ms: 5,
  });

export const verdictRequested = (
  number = 1,
  checkpoint = 0,
  reason: EventBody<"verdict.requested">["reason"] = "rest",
): EventInput => event("verdict.requested", { number, commit: commitOf(checkpoint), reason });

/** What a verdict says of the one criterion of {@link contractWith}. */
export const verdictGiven = (
  number: number,
  outcome: EventBody<"verdict.given">["outcome"],
  more: Partial<EventBody<"verdict.given">> = {},
): EventInput =>
  event("verdict.given", {
    number,
    commit: commitOf(0),
    tree_a: commitOf(1),
    tree_b: commitOf(2),
    contract_hash: contractHash(contractWith()),
    outcome,
    criteria: [
      {
        criterion: "tests",
        status: outcome === "met" ? "met" : outcome === "error" ? "error" : "unmet",
        strength: "in-process",
        reason: "as it was found",
        evidence: [],
      },
    ],
    review: [],
    gaps: [],
    content: [{ type: "text", text: `verdict ${number}: ${outcome}` }],
    duration_ms: 5,
    ...more,
  });

/** Names what was looked at. */
export const LOOKED_AT = "ab".repeat(32);

/** As the referee names what waits for a person. */
const REVIEW_ITEM = `review-${LOOKED_AT.slice(0, 16)}`;

export const reviewOf = (path = "test/a.test.js"): EventBody<"verdict.given">["review"] => [
  { item: REVIEW_ITEM, hash: LOOKED_AT, detail: "protected: a test was changed", path },
];

export const decidedOn = (result: "approve" | "deny", reason?: string): EventInput =>
  event("approval.decided", {
    ...{ item: REVIEW_ITEM, hash: LOOKED_AT, result, author: "somebody" },
    ...(reason !== undefined && { reason }),
  });

/** The first attempt at the one criterion of {@link contractWith}, unless told otherwise. */
export const attemptStarted = (
  attempt = 1,
  criterion: string | null = "tests",
  reason: EventBody<"attempt.started">["reason"] = "first",
): EventInput => event("attempt.started", { attempt, criterion, reason, commit: BASE });

export const attemptEnded = (
  ending: EventBody<"attempt.ended">["ending"],
  duration_ms: number,
  attempt = 1,
): EventInput => event("attempt.ended", { attempt, ending, duration_ms });

/** A handoff of nothing in particular. */
export const handoffRecorded = (number = 1, more: Partial<EventBody<"handoff.recorded">> = {}): EventInput =>
  event("handoff.recorded", {
    number,
    attempt: 1,
    source: "log",
    goal: "Make the tests pass.",
    constraints: [],
    criteria: [{ criterion: "tests", status: "unmet", reason: "one fails" }],
    frontier: { last_verified: null, in_flight: [], next_step: "Run the tests." },
    decisions: [],
    tried_and_failed: [],
    people: [],
    how_to_run: { checks: [{ criterion: "tests", command: "npm test" }], setup: "" },
    files: { base: BASE, commit: BASE, checkpoint: 0, changed: [], changed_count: 0 },
    last_failure: null,
    notes: "",
    rejected: [],
    corrections: [],
    content: [{ type: "text", text: `handoff ${number}` }],
    ...more,
  });
