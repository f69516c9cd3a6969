/** The referee of one session: what the fold and the log know, as the referee wants to be asked. */
import type { Clock } from "../core/clock.ts";
import type { JudgePurse } from "../core/contract/judge-purse.ts";
import { assert, NightshiftError } from "../core/errors.ts";
import { type EventBody, type EventInput, event, type SessionEvent } from "../core/events/index.ts";
import type { Sequence, SessionId } from "../core/ids.ts";
import { exceededByJudge, type Wanted } from "../core/rules/budget.ts";
import { wantedLayer } from "../core/rules/environment.ts";
import { nameOf } from "../core/rules/model.ts";
import type { Layer, SessionState } from "../core/state.ts";
import type { RefereeFactType, RefereeParts, VerdictRequest } from "../referee/parts.ts";
import type { Lease, Store } from "../store/contract.ts";
import { ContractCopy, type CopyMoment } from "./contract-copy.ts";
import { withRetries } from "./store-retry.ts";

/** What performers ask of it. Both may be asked again after a crash: what is in the log is not done twice. */
export interface SessionReferee {
  /** Runs the checks on the base. */
  preflight(state: SessionState, signal: AbortSignal): Promise<EventBody<"preflight.finished">>;
  /** Judges the commit that the fold names. @throws NightshiftError `E_CAP_REACHED`, with `data.exhausted` */
  verdict(moment: JudgingMoment): Promise<EventBody<"verdict.given">>;
  /** Before something runs in the sandbox: the agent's copy is that of the contract in force. */
  renewCopy(moment: CopyMoment): Promise<void>;
}

/** What a verdict needs of the moment. */
export interface JudgingMoment {
  readonly state: SessionState;
  /** The committed fold as it is by now. */
  readonly latest: () => SessionState;
  readonly signal: AbortSignal;
  /** Puts evidence into the log before it is relied on. */
  readonly onFact: (fact: EventInput) => Promise<Sequence>;
  /** @throws NightshiftError `E_CAP_REACHED`, with `data.exhausted` */
  readonly onReservation: (fact: EventInput, wanted: Wanted) => Promise<Sequence>;
}

/** Of the log, only reading. */
type LogReader = Pick<Store, "getEvents">;

/** What it is made of. */
export interface SessionRefereeParts {
  readonly store: Store;
  readonly lease: Lease;
  readonly clock: Clock;
  /** Made when the first check is to run. */
  readonly parts: (layer: Layer | null) => Promise<RefereeParts>;
  /** What the copy of the contract in the workspace holds; null when it is no file any more, undefined without one. */
  readonly rendering: () => Promise<Buffer | null | undefined>;
}

const FACT_TYPES: readonly RefereeFactType[] = [
  "referee.composed",
  "referee.attributed",
  "referee.checked",
  "referee.contrasted",
  "referee.ratcheted",
  "judge.graded",
];
const FACTS_MAX = 5_000;

/** The referee of the session that this lease is for. */
export function createSessionReferee({
  store,
  lease,
  clock,
  parts,
  rendering,
}: SessionRefereeParts): SessionReferee {
  const log: LogReader = {
    getEvents: (sessionId, range) => withRetries(clock, () => store.getEvents(sessionId, range)),
  };
  const copy = new ContractCopy({ log, read: rendering });
  return {
    renewCopy: (moment) => copy.renew(moment),
    async preflight(state, signal) {
      const { runPreflight } = await import("../referee/index.ts");
      const { contract, base } = agreed(state);
      const { sessionId, epoch } = lease;
      return await runPreflight(
        await parts(null),
        { sessionId, epoch, contract: contract.contract, base },
        signal,
      );
    },
    async verdict({ state, latest, signal, onFact, onReservation }) {
      const { giveVerdict } = await import("../referee/index.ts");
      await copy.noteDrift(state, onFact);
      const request = await requestOf(log, lease, state);
      const purse = purseOf(request.number, latest, { onFact, onReservation });
      return await giveVerdict({ ...(await parts(wantedLayer(state))), purse }, request, signal, onFact);
    },
  };
}

/** The session's own caps, and that of the day: what fits is reserved in the log before anything is sent. */
function purseOf(
  verdict: number,
  latest: () => SessionState,
  { onFact, onReservation }: Pick<JudgingMoment, "onFact" | "onReservation">,
): JudgePurse {
  return {
    async reserve({ criterion, model, tokens, costMicroUsd }) {
      const state = latest();
      const exhausted = exceededByJudge(state, { tokens, costMicroUsd });
      if (exhausted !== null) {
        const { cap, used, limit } = exhausted;
        const message = `the judge may not be asked: ${used} of ${limit} ${cap} are charged`;
        throw new NightshiftError("E_CAP_REACHED", message, { data: { exhausted } });
      }
      const request = state.ledger.judgeRequests + 1;
      const reservation = { tokens, cost_micro_usd: costMicroUsd ?? 0 };
      const started = event("judge.request_start", { verdict, criterion, request, model, reservation });
      await onReservation(started, { requests: 1, tokens, costMicroUsd });
      return async (settlement) =>
        void (await onFact(event("judge.request_end", { request, ...settlement })));
    },
  };
}

/** What is asked of the referee about one commit, under the contract in force and what people have said of it. */
export async function verdictRequest(
  log: LogReader,
  state: SessionState,
  about: Pick<VerdictRequest, "number" | "epoch" | "commit" | "done">,
): Promise<VerdictRequest> {
  const { contract, base } = agreed(state);
  const { sessionId } = state;
  const decided = (result: "approve" | "deny"): ReadonlySet<string> =>
    new Set(contract.decisions.filter((each) => each.result === result).map(({ hash }) => hash));
  return {
    ...about,
    sessionId,
    contract: contract.contract,
    contractHash: contract.hash,
    base,
    preflight: await newestPreflight(log, sessionId),
    waivers: contract.waivers,
    declared: contract.declared,
    approved: decided("approve"),
    denied: decided("deny"),
    workerModels: await modelsAtWork(log, state),
  };
}

async function requestOf(log: LogReader, lease: Lease, state: SessionState): Promise<VerdictRequest> {
  const making = agreed(state).contract.making;
  assert(making !== null, "the fold names the verdict to be given");
  const { number, commit } = making;
  const done = await factsOf(log, lease, number);
  return await verdictRequest(log, state, { number, commit, epoch: lease.epoch, done });
}

/** The agent's own, and the one that has stood in for it, if it ever had to. */
async function modelsAtWork(log: LogReader, { sessionId, config }: SessionState): Promise<string[]> {
  const { model, fallback } = config?.agent ?? {};
  const hasSwitched =
    fallback === undefined
      ? []
      : await log.getEvents(sessionId, { backwards: true, limit: 1, types: ["model.switched"] });
  return [model, hasSwitched.length === 0 ? undefined : fallback].flatMap((each) =>
    each === undefined ? [] : [nameOf(each)],
  );
}

function agreed({ contract, config }: SessionState) {
  const base = config?.sandbox.checkout?.base;
  assert(contract !== null && base !== undefined, "a session with a contract has a checkout");
  return { contract, base };
}

async function newestPreflight(
  log: LogReader,
  sessionId: SessionId,
): Promise<EventBody<"preflight.finished">> {
  const range = { backwards: true, limit: 1, types: ["preflight.finished"] };
  const [event] = await log.getEvents(sessionId, range);
  assert(event?.type === "preflight.finished", "checks ran on the base before any verdict");
  return event.body;
}

/** What is in the log of this very verdict, from a harness that died over it. */
async function factsOf(
  log: LogReader,
  { sessionId }: Lease,
  number: number,
): Promise<SessionEvent<RefereeFactType>[]> {
  const range = { backwards: true, limit: FACTS_MAX, types: FACT_TYPES };
  const events = (await log.getEvents(sessionId, range)) as SessionEvent<RefereeFactType>[];
  return events.filter(({ body }) => body.verdict === number).toReversed();
}
