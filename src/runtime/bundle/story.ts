/** What a log says of contract and verdicts, in its order: what was agreed, who said what, what was found. Pure. */
import { type Contract, contractHash } from "../../core/contract/contract.ts";
import type { EventBody, EventType, SessionEvent } from "../../core/events/index.ts";
import type { Layer } from "../../core/state.ts";
import type { RefereeFactType, VerdictRequest } from "../../referee/parts.ts";

/** A verdict with all that it follows from. */
export interface ToldVerdict {
  readonly seq: number;
  readonly at: number;
  readonly body: EventBody<"verdict.given">;
  readonly request: VerdictRequest;
  /** Of changed dependencies; null for that of the base. */
  readonly layer: Layer | null;
}

/** A log, read. */
export interface Story {
  readonly config: EventBody<"session.created"> | null;
  readonly verdicts: readonly ToldVerdict[];
  /** What does not fit together; the first is what went wrong first. */
  readonly problems: readonly string[];
}

interface Telling {
  config: EventBody<"session.created"> | null;
  contract: { readonly contract: Contract; readonly hash: string } | null;
  preflight: EventBody<"preflight.finished"> | null;
  readonly waivers: Map<string, VerdictRequest["waivers"][number]>;
  readonly declared: Map<string, VerdictRequest["declared"][number]>;
  readonly decisions: Map<string, "approve" | "deny">;
  layer: Layer | null;
  requested: EventBody<"verdict.requested"> | null;
  readonly facts: SessionEvent<RefereeFactType>[];
  readonly verdicts: ToldVerdict[];
  readonly problems: string[];
}

/** @param events - from the first on, without gaps */
export function storyOf(events: Iterable<SessionEvent>): Story {
  const telling: Telling = {
    config: null,
    contract: null,
    preflight: null,
    waivers: new Map(),
    declared: new Map(),
    decisions: new Map(),
    layer: null,
    requested: null,
    facts: [],
    verdicts: [],
    problems: [],
  };
  for (const event of events) {
    tellAgreement(telling, event);
    tellVerdict(telling, event);
  }
  const { config, verdicts, problems } = telling;
  return { config, verdicts, problems };
}

function tellAgreement(telling: Telling, event: SessionEvent): void {
  if (is(event, "session.created")) telling.config ??= event.body;
  if (is(event, "contract.sealed")) telling.contract ??= agreed(telling, event);
  if (is(event, "contract.amended")) {
    if (telling.contract?.hash !== event.body.previous_hash)
      telling.problems.push(`event ${event.seq} amends a contract that is not in force`);
    telling.contract = agreed(telling, event);
    telling.requested = null;
  }
  if (is(event, "preflight.finished")) telling.preflight = event.body;
  if (is(event, "environment.decided")) {
    const { key, commit, decision } = event.body;
    telling.layer = decision === "make" ? { key, commit } : null;
  }
  if (is(event, "control.waive")) {
    const { criterion, owner, expires_at: expiresAt } = event.body;
    telling.waivers.set(criterion, { criterion, owner, expiresAt });
  }
  if (is(event, "contract.declared")) telling.declared.set(event.body.criterion, event.body);
  if (is(event, "approval.decided")) telling.decisions.set(event.body.hash, event.body.result);
}

function agreed(
  { problems }: Telling,
  { seq, body: { contract, hash } }: SessionEvent<"contract.sealed"> | SessionEvent<"contract.amended">,
): Telling["contract"] {
  if (contractHash(contract) !== hash) problems.push(`the contract of event ${seq} does not have its hash`);
  return { contract, hash };
}

function tellVerdict(telling: Telling, event: SessionEvent): void {
  if (is(event, "verdict.requested")) telling.requested = event.body;
  if (
    is(event, "referee.composed") ||
    is(event, "referee.attributed") ||
    is(event, "referee.checked") ||
    is(event, "referee.ratcheted") ||
    is(event, "judge.graded")
  )
    telling.facts.push(event);
  if (is(event, "verdict.given")) giveVerdict(telling, event);
}

function giveVerdict(telling: Telling, { seq, at, body }: SessionEvent<"verdict.given">): void {
  const { config, contract, preflight, requested, facts, problems } = telling;
  const base = config?.sandbox.checkout?.base;
  const complain = (what: string): number => problems.push(`verdict ${body.number} (event ${seq}) ${what}`);
  if (config === null || contract === null || preflight === null || base === undefined)
    return void complain("was given without a contract, a base and its checks");
  // The harness passes over an answer that it no longer waits for, and so does this.
  if (requested?.number !== body.number) return;
  if (requested.commit !== body.commit) complain("is not about the commit that it was asked for");
  if (contract.hash !== body.contract_hash) complain("is on another contract than the one in force");
  const done = facts.filter((fact) => fact.body.verdict === body.number);
  const known = new Set(done.map((fact) => fact.seq));
  const lost = body.criteria.flatMap(({ evidence }) => evidence).find((each) => !known.has(each));
  if (lost !== undefined) complain(`names event ${lost} as evidence, which is none of it`);
  const decided = (result: "approve" | "deny"): ReadonlySet<string> =>
    new Set([...telling.decisions].flatMap(([hash, each]) => (each === result ? [hash] : [])));
  const request: VerdictRequest = {
    ...{ sessionId: "", number: body.number, epoch: 0, commit: body.commit, base, preflight, done },
    ...{ contract: contract.contract, contractHash: contract.hash },
    waivers: [...telling.waivers.values()],
    declared: [...telling.declared.values()],
    approved: decided("approve"),
    denied: decided("deny"),
  };
  telling.verdicts.push({ seq, at, body, request, layer: telling.layer });
}

function is<T extends EventType>(event: SessionEvent, type: T): event is SessionEvent<T> {
  return event.type === type;
}
