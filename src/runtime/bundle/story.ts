/**
 * What a log says of contract and verdicts, in its order: what was agreed, who said what, what was found. Who counts as
 * having said something is the fold's to say, as it is while a session runs. Pure.
 */
import { contractHash } from "../../core/contract/contract.ts";
import type { ContractState } from "../../core/contract/state.ts";
import type { EventBody, EventType, SessionEvent } from "../../core/events/index.ts";
import type { SessionId } from "../../core/ids.ts";
import { reduce } from "../../core/reduce.ts";
import { emptyState, type Layer, type SessionState } from "../../core/state.ts";
import type { RefereeFactType, VerdictRequest } from "../../referee/parts.ts";
import { factProblems } from "./facts.ts";

/** What people and the agent have said by some moment. */
type Said = Pick<ContractState, "waivers" | "declared" | "decisions">;

/** A verdict with all that it follows from. */
export interface ToldVerdict {
  readonly seq: number;
  readonly at: number;
  readonly body: EventBody<"verdict.given">;
  /**
   * What the referee can have been asked: the log tells between which events it began, and somebody may have said
   * something meanwhile.
   */
  readonly requests: readonly VerdictRequest[];
  /** Of changed dependencies; null for that of the base. */
  readonly layer: Layer | null;
  /** An event of its own that was erased: what it said nobody can see. */
  readonly erased: number | null;
}

/** A log, read. */
export interface Story {
  readonly config: EventBody<"session.created"> | null;
  readonly verdicts: readonly ToldVerdict[];
  /** What does not fit together; the first is what went wrong first. */
  readonly problems: readonly string[];
}

/** The log of a bundle. */
export interface ToldLog {
  readonly sessionId: SessionId;
  /** From the first on, without gaps. */
  readonly events: Iterable<SessionEvent>;
  /** Places of the events whose texts were erased. */
  readonly erased: ReadonlySet<number>;
}

interface Telling {
  readonly erased: ReadonlySet<number>;
  state: SessionState;
  preflight: EventBody<"preflight.finished"> | null;
  layer: Layer | null;
  /** What had been said while the verdict was in the making, each time it changed. */
  said: Said[];
  readonly facts: SessionEvent<RefereeFactType>[];
  readonly verdicts: ToldVerdict[];
  readonly problems: string[];
}

/** Whatever these say, verdicts follow from. */
const AGREEMENT: ReadonlySet<EventType> = new Set<EventType>([
  "session.created",
  "contract.sealed",
  "contract.amended",
  "contract.declared",
  "control.waive",
  "approval.decided",
  "preflight.finished",
  "environment.decided",
  "verdict.requested",
]);

/** Reads it from its beginning. */
export function storyOf({ sessionId, events, erased }: ToldLog): Story {
  const telling: Telling = {
    erased,
    state: emptyState(sessionId),
    preflight: null,
    layer: null,
    said: [],
    facts: [],
    verdicts: [],
    problems: [],
  };
  for (const event of events) {
    tellAgreement(telling, event);
    tellVerdict(telling, event);
    telling.state = reduce(telling.state, event);
    tellStanding(telling);
  }
  const { state, verdicts, problems } = telling;
  return { config: state.config, verdicts, problems };
}

function tellAgreement(telling: Telling, event: SessionEvent): void {
  const { problems, erased } = telling;
  if (AGREEMENT.has(event.type) && erased.has(event.seq))
    problems.push(`event ${event.seq} (${event.type}), which verdicts follow from, was erased`);
  if (is(event, "contract.sealed") || is(event, "contract.amended")) {
    const { contract, hash } = event.body;
    if (contractHash(contract) !== hash)
      problems.push(`the contract of event ${event.seq} does not have its hash`);
  }
  if (is(event, "contract.amended")) {
    if (telling.state.contract?.hash !== event.body.previous_hash)
      problems.push(`event ${event.seq} amends a contract that is not in force`);
    // What checks say of the base has to be learnt again.
    telling.preflight = null;
  }
  if (is(event, "preflight.finished")) {
    const base = telling.state.config?.sandbox.checkout?.base;
    if (event.body.commit !== base)
      problems.push(`the checks of event ${event.seq} ran on another commit than the base`);
    telling.preflight = event.body;
  }
  if (is(event, "environment.decided")) {
    const { key, commit, decision } = event.body;
    telling.layer = decision === "make" ? { key, commit } : null;
  }
}

function tellVerdict(telling: Telling, event: SessionEvent): void {
  if (
    is(event, "referee.composed") ||
    is(event, "referee.attributed") ||
    is(event, "referee.checked") ||
    is(event, "referee.contrasted") ||
    is(event, "referee.ratcheted") ||
    is(event, "judge.graded")
  )
    telling.facts.push(event);
  if (is(event, "verdict.given")) giveVerdict(telling, event);
}

/** Whatever was said while a verdict was in the making may be known to it, or not. */
function tellStanding(telling: Telling): void {
  const { contract } = telling.state;
  const known = telling.said.at(-1);
  if (contract === null || contract.making === null) telling.said = [];
  else if (
    known?.waivers !== contract.waivers ||
    known.declared !== contract.declared ||
    known.decisions !== contract.decisions
  )
    telling.said.push(contract);
}

function standingOf({
  waivers,
  declared,
  decisions,
}: Said): Pick<VerdictRequest, "waivers" | "declared" | "approved" | "denied"> {
  const decided = (result: "approve" | "deny"): ReadonlySet<string> =>
    new Set(decisions.filter((each) => each.result === result).map(({ hash }) => hash));
  return { waivers, declared, approved: decided("approve"), denied: decided("deny") };
}

function giveVerdict(telling: Telling, { seq, at, body }: SessionEvent<"verdict.given">): void {
  const { state, preflight, facts, said, problems, erased } = telling;
  const { contract } = state;
  const base = state.config?.sandbox.checkout?.base;
  const complain = (what: string): number => problems.push(`verdict ${body.number} (event ${seq}) ${what}`);
  if (contract === null || preflight === null || base === undefined)
    return void complain("was given without a contract, a base and its checks");
  // The harness passes over an answer that it no longer waits for, and so does this.
  if (contract.making?.number !== body.number) return;
  if (contract.making.commit !== body.commit) complain("is not about the commit that it was asked for");
  if (contract.hash !== body.contract_hash) complain("is on another contract than the one in force");
  const done = facts.filter((fact) => fact.body.verdict === body.number);
  const known = new Set(done.map((fact) => fact.seq));
  const lost = body.criteria.flatMap(({ evidence }) => evidence).find((each) => !known.has(each));
  if (lost !== undefined) complain(`names event ${lost} as evidence, which is none of it`);
  const gone = [...known, seq].find((each) => erased.has(each)) ?? null;
  if (gone === null)
    for (const problem of factProblems({ base, contract: contract.contract, body, done })) complain(problem);
  const asked = {
    ...{ sessionId: "", number: body.number, epoch: 0, commit: body.commit, base, preflight, done },
    ...{ contract: contract.contract, contractHash: contract.hash },
  };
  const requests = said.map((each): VerdictRequest => ({ ...asked, ...standingOf(each) }));
  telling.verdicts.push({ seq, at, body, requests, layer: telling.layer, erased: gone });
}

function is<T extends EventType>(event: SessionEvent, type: T): event is SessionEvent<T> {
  return event.type === type;
}
