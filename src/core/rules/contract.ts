/**
 * Work under a contract: the checks run on the base before anything else, an agent's word only asks for a verdict,
 * and a verdict is about a commit, so the files are saved first.
 */
import { contractHash } from "../contract/contract.ts";
import { amendmentText } from "../contract/tell.ts";
import { hasSpentVerdicts, VERDICT_CAP } from "../contract/verdict-cap.ts";
import { type EventInput, event } from "../events/index.ts";
import { countOf } from "../reduce/portions.ts";
import type { SessionState } from "../state.ts";
import { append, inFlight, type Now, perform, type Step } from "../step.ts";
import { capReached } from "./budget.ts";
import { checkpointBefore, isCheckpointing } from "./checkpoint.ts";
import { askedLayer } from "./environment.ts";

/** What the contract wants next; null when it wants nothing now. */
export type ContractWish = "amending" | "preflight" | "verdict" | null;

/** Preflight comes before the first request; a verdict that the agent asked for before its next one. */
export function contractWish(state: SessionState): ContractWish {
  const { contract } = state;
  if (contract === null) return null;
  if (contract.amendment !== null) return "amending";
  if (contract.preflight !== "passed") return hasWork(state) ? "preflight" : null;
  if (contract.making !== null) return "verdict";
  if (contract.wanted === null || state.workspace === null) return null;
  // What the files need is not decided, so nothing that checks say would count.
  if (askedLayer(state) !== null) return null;
  // At the end of a turn, what a person has said meanwhile is answered first.
  const isAnswering = state.queue.length > 0 || state.answerOwed;
  return contract.wanted === "rest" && isAnswering ? null : "verdict";
}

function hasWork({ queue, answerOwed, contract }: SessionState): boolean {
  return queue.length > 0 || answerOwed || contract?.wanted !== null;
}

/** What a person wants instead becomes the contract. */
export function amending(state: SessionState): Step {
  const { contract } = state;
  if (contract === null || contract.amendment === null) return append();
  const { contract: next, reason, author, seq } = contract.amendment;
  return append(
    event("contract.amended", {
      contract: next,
      hash: contractHash(next),
      previous_hash: contract.hash,
      reason,
      author,
      asked_seq: seq,
      content: [{ type: "text", text: amendmentText(next, reason) }],
    }),
  );
}

/** Runs the checks on the base, and does not begin when they cannot run. */
export function preflighting(state: SessionState): Step {
  const { contract, config } = state;
  const base = config?.sandbox.checkout?.base;
  switch (contract?.preflight) {
    case "owed":
      // Without a commit to begin with, nothing can be compared with anything.
      return append(base === undefined ? cannotBegin() : event("preflight.started", { commit: base }));
    case "refused":
      return append(cannotBegin());
    default:
      return perform(inFlight(state));
  }
}

/** Are the checks all that is wanted, and green before any work? Whoever has written something else since wants more. */
export function isAlreadyGreen({ contract, queue, thread }: SessionState): boolean {
  return contract?.ending?.type === "already_green" && thread === null && countOf(queue) <= 1;
}

/** Takes note of the goal, and rests: no model is asked. */
export function nothingToDo({ queue }: SessionState): Step {
  const seqs = queue.flat().map(({ seq }) => seq);
  const idle = event("session.status_idle", { stop_reason: { type: "already_green" } });
  return seqs.length === 0 ? append(idle) : append(event("harness.input_accepted", { seqs }), idle);
}

/** Saves the files, then lets the referee look at them. */
export function judging(state: SessionState, now: Now): Step {
  const { contract, workspace } = state;
  const cap = contract?.making?.exhausted ?? null;
  if (cap !== null) return append(event("session.status_idle", { stop_reason: capReached(cap, now) }));
  if (contract === null || workspace === null || contract.making !== null || isCheckpointing(state))
    return perform(inFlight(state));
  if (contract.wanted !== "person" && hasSpentVerdicts(contract)) return append(verdictsSpent());
  const checkpoint = checkpointBefore(state, "verdict");
  if (checkpoint.length > 0) return append(...checkpoint);
  // Files that are being made again are not what the agent has left.
  if (state.sandbox?.status === "requested") return perform(inFlight(state));
  if (workspace.unsaved > 0 && workspace.failures > 0) {
    const code = workspace.failureCode === "" ? "E_WORKSPACE_GIT" : workspace.failureCode;
    return append(event("session.status_idle", { stop_reason: { type: "failed", code } }));
  }
  return append(
    event("verdict.requested", {
      number: contract.verdicts + 1,
      commit: workspace.saved.commit,
      reason: contract.wanted ?? "rest",
    }),
  );
}

/** Says that the worker has had all the verdicts that it may ask for, and rests. */
export function verdictsSpent(): EventInput {
  return event("session.status_idle", { stop_reason: { type: "budget_reached", cap: VERDICT_CAP } });
}

function cannotBegin(): EventInput {
  return event("session.status_idle", { stop_reason: { type: "failed", code: "E_PREFLIGHT" } });
}
