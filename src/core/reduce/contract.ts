/** Facts about the contract: what was agreed, what people and the agent say of it, what the referee has found. */
import { type Contract, servicesHash } from "../contract/contract.ts";
import { isAbout } from "../contract/declaration.ts";
import type { ContractState } from "../contract/state.ts";
import { VERDICT_CAP } from "../contract/verdict-cap.ts";
import type { EventBody, SessionEvent } from "../events/index.ts";
import type { SandboxState, SessionState, StopReason } from "../state.ts";
import { declarationDecided, declarationMade } from "./declarations.ts";

/** Notes `contract.*`, `preflight.*`, `verdict.*`, `approval.*` and what `control.*` says about contracts. */
export function reduceContract(state: SessionState, event: SessionEvent): SessionState {
  if (event.type === "contract.sealed")
    return state.contract === null ? { ...state, contract: sealed(event) } : state;
  const { contract } = state;
  if (contract === null) return state;
  const update = (changes: Partial<ContractState>): SessionState => ({
    ...state,
    contract: { ...contract, ...changes },
  });
  switch (event.type) {
    case "control.amend_contract":
      return amendmentAsked(state, contract, event);
    case "contract.amended":
      return amended(state, contract, event.body);
    case "control.waive": {
      const { criterion, owner, reason, expires_at: expiresAt } = event.body;
      const waiver = { criterion, owner, reason, expiresAt, seq: event.seq };
      const others = contract.waivers.filter((known) => known.criterion !== criterion);
      return update({ waivers: [...others, waiver] });
    }
    case "contract.declared":
      return update(declarationMade(contract, event));
    case "control.request_verdict":
      return state.phase === "terminated" ? state : update({ wanted: "person" });
    case "approval.decided":
      return contract.declared.some((known) => isAbout(event.body, known))
        ? declarationDecided(state, contract, event.body)
        : decided(state, contract, event.body);
    case "preflight.started":
      return update({ preflight: "running" });
    case "preflight.finished":
      return update(lookedAtBase(state, contract, event.body));
    case "verdict.requested": {
      const { number, commit, reason } = event.body;
      return update({ wanted: null, verdicts: number, making: { number, commit, reason, exhausted: null } });
    }
    case "budget.exhausted":
      return contract.making === null
        ? state
        : update({ making: { ...contract.making, exhausted: event.body.cap } });
    case "verdict.given":
      return contract.making?.number === event.body.number ? given(state, contract, event) : state;
    default:
      return state;
  }
}

function lookedAtBase(
  { threads, attempts }: SessionState,
  { contract, ending }: ContractState,
  { problems, criteria }: EventBody<"preflight.finished">,
): Pick<ContractState, "preflight" | "ending"> {
  if (problems.length > 0) return { preflight: "refused", ending };
  const isGreen = contract.criteria.every(({ id, check }) =>
    criteria.some(({ criterion, status }) => check !== null && criterion === id && status === "passed"),
  );
  const isUntouched = threads === 0 && attempts.number === 0;
  const hasNothingToDo = contract.goal_from === "checks" && isGreen && isUntouched;
  return { preflight: "passed", ending: hasNothingToDo ? { type: "already_green" } : ending };
}

function sealed({ seq, body }: SessionEvent<"contract.sealed">): ContractState {
  return {
    seq,
    contract: body.contract,
    hash: body.hash,
    amendments: 0,
    amendment: null,
    waivers: [],
    declared: [],
    denials: [],
    preflight: "owed",
    verdicts: 0,
    wanted: null,
    making: null,
    given: null,
    ending: null,
    review: [],
    decisions: [],
  };
}

/** A cap on verdicts is raised as the others are: what it holds goes on. */
function amendmentAsked(
  state: SessionState,
  contract: ContractState,
  { body, seq }: SessionEvent<"control.amend_contract">,
): SessionState {
  const { hold, stopReason } = state;
  const isRaised = body.contract.limits.verdicts > contract.contract.limits.verdicts;
  const isLifted = isRaised && hold === "budget_reached" && isOfVerdicts(stopReason);
  return {
    ...state,
    hold: isLifted ? null : hold,
    contract: { ...contract, amendment: { ...body, seq } },
  };
}

function isOfVerdicts(reason: StopReason | null): boolean {
  return reason?.type === "budget_reached" && reason.cap === VERDICT_CAP;
}

/** A new text is a new condition: what checks say of the base has to be learnt again, and no old verdict counts. */
function amended(
  state: SessionState,
  contract: ContractState,
  { contract: text, hash }: EventBody<"contract.amended">,
): SessionState {
  const ids = new Set(text.criteria.map(({ id }) => id));
  const next = {
    ...contract,
    contract: text,
    hash,
    amendments: contract.amendments + 1,
    amendment: null,
    declared: contract.declared.filter(({ criterion }) => ids.has(criterion)),
    denials: contract.denials.filter(({ criterion }) => ids.has(criterion)),
    preflight: "owed" as const,
    making: null,
    wanted: contract.wanted ?? contract.making?.reason ?? null,
    ending: null,
    review: [],
  };
  const hold = state.hold === "budget_reached" || state.hold === "failed" ? null : state.hold;
  const hasBegun = state.thread !== null || (state.command !== null && state.attempts.number > 0);
  const answerOwed = hasBegun || state.answerOwed;
  return { ...state, hold, contract: next, answerOwed, sandbox: withOutdated(state.sandbox, text) };
}

function withOutdated(sandbox: SandboxState | null, { services }: Contract): SandboxState | null {
  if (sandbox === null || sandbox.services === null) return sandbox;
  if (sandbox.services.hash === servicesHash(services)) return sandbox;
  return { ...sandbox, services: { ...sandbox.services, status: "outdated" } };
}

/** Once everything is approved, the verdict is asked for again; a denial is told to the agent. */
function decided(
  state: SessionState,
  contract: ContractState,
  { item, hash, result }: EventBody<"approval.decided">,
): SessionState {
  const isMeant = contract.review.some((known) => known.item === item && known.hash === hash);
  if (!isMeant || state.phase === "terminated") return state;
  const decisions = [...contract.decisions.filter((known) => known.hash !== hash), { hash, result }];
  const isApproved = contract.review.every((known) =>
    decisions.some((each) => each.hash === known.hash && each.result === "approve"),
  );
  return {
    ...state,
    answerOwed: state.answerOwed || result === "deny",
    contract: { ...contract, decisions, wanted: isApproved ? "person" : contract.wanted },
  };
}

function given(
  state: SessionState,
  contract: ContractState,
  { body, seq }: SessionEvent<"verdict.given">,
): SessionState {
  const { number, commit, contract_hash: contractHash, outcome } = body;
  // A verdict on another text says nothing about this one.
  if (contractHash !== contract.hash)
    return { ...state, contract: { ...contract, making: null, wanted: contract.making?.reason ?? null } };
  const before = contract.given;
  const criteria = body.criteria.map(({ criterion, status }) => ({ criterion, status }));
  const review = body.review.map(({ item, hash, path }) => ({ item, path, hash }));
  // A program does not know that it could go on: it gets further attempts, as long as they change something.
  // One that could not be made has told nobody anything.
  const isKnown = before?.outcome !== "error" && before?.commit === commit;
  const isRepeated = state.command === null && isKnown && before.contractHash === contractHash;
  const ending = endingOf(contract, body, isRepeated);
  return {
    ...state,
    answerOwed: ending === null,
    contract: {
      ...contract,
      making: null,
      wanted: null,
      given: { number, seq, commit, contractHash, outcome, criteria },
      ending,
      review,
    },
  };
}

/** Work goes on after a negative verdict, unless nothing was changed since the one before, or there are no more. */
function endingOf(
  contract: ContractState,
  { number, outcome }: EventBody<"verdict.given">,
  isRepeated: boolean,
): StopReason | null {
  switch (outcome) {
    case "met":
      return { type: "verified", verdict: number };
    case "review":
      return { type: "review", verdict: number };
    case "error":
      return { type: "failed", code: "E_REFEREE" };
    case "unmet":
      if (isRepeated) return { type: "unmet", verdict: number };
      if (number >= contract.contract.limits.verdicts) return { type: "budget_reached", cap: VERDICT_CAP };
      return null;
  }
}

/**
 * An agent that ends its turn under a contract has, in effect, asked for a verdict, also where its provider has no
 * better word for it.
 */
export function turnEnded(state: SessionState, stop: string | undefined): ContractState | null {
  const { contract, attempts } = state;
  // What answers for a handoff says nothing of the work.
  const isAsked = attempts.change !== null && attempts.change.askedRequest === state.requests;
  return contract !== null && (stop === "end_turn" || stop === "other") && !isAsked
    ? { ...contract, wanted: contract.wanted ?? "rest" }
    : contract;
}

/** A worker wants a verdict; what a person wants besides stays theirs, as they have no cap. */
export function verdictWished(contract: ContractState, reason: "asked" | "attempt"): ContractState {
  return { ...contract, wanted: contract.wanted === "person" ? "person" : reason };
}

/** The agent goes on: what its last turn's end has asked for is no longer wanted, and what was to end work does not. */
export function turnBegun({ contract }: SessionState): ContractState | null {
  if (contract === null) return null;
  return { ...contract, wanted: contract.wanted === "rest" ? null : contract.wanted, ending: null };
}

/**
 * A person was answered, or stopped it: a verdict in the making is made anew when work goes on, if it still counts, and
 * so is one whose end was cut off by the stop, or that the referee could not give.
 */
export function contractAtRest(
  contract: ContractState | null,
  reason: StopReason,
  isOver: boolean,
): ContractState | null {
  if (contract === null) return null;
  const { wanted, ending } = contract;
  // One that a cap has stopped goes on where it was: what has been found for it is not paid for twice.
  const isParked = reason.type === "budget_reached" && contract.making !== null;
  const kept = isParked && contract.making !== null ? { ...contract.making, exhausted: null } : null;
  const making = isParked ? null : contract.making;
  const isCutOff = ending !== null && (ending.type !== reason.type || ending.type === "failed");
  // Without a verdict to be had, what is said next is answered before it is wished for again.
  const asked = wanted === "asked" && isOfVerdicts(reason) ? "rest" : wanted;
  const again = isOver ? null : (asked ?? making?.reason ?? (isCutOff ? "rest" : null));
  const preflight = contract.preflight === "running" ? "owed" : contract.preflight;
  return { ...contract, making: kept, wanted: again, ending: null, preflight };
}
