/** What the live view shows of a session, gathered from its state, its row, and who is there to wake it. */
import type { SessionEvent } from "../core/events/index.ts";
import { openApprovals, openQuestions } from "../core/rules/people.ts";
import type { SessionState } from "../core/state.ts";
import type { SessionRecord } from "../store/contract.ts";
import { capRows } from "./cap-rows.ts";
import { openReview } from "./inbox-items.ts";
import type { ScreenFacts, VerdictFact } from "./render/screen.ts";
import { criteriaOf } from "./session-facts.ts";
import { activityOf, standingOf } from "./standing.ts";

/** What the state does not have. */
export interface Surroundings {
  readonly record: SessionRecord;
  readonly lastType: string;
  readonly verdicts: readonly VerdictFact[];
  /** Texts of questions, by their names. */
  readonly questions: ReadonlyMap<string, string>;
  /** Does this very process drive it, or stand by to do so? */
  readonly isDriver: boolean;
  /** Other processes that stay for it. */
  readonly watchers: readonly number[];
  /** Makes a whole command line. */
  readonly commandLine: (words: readonly string[]) => string;
  readonly keys: string;
  readonly now: number;
}

/** All of it. */
export function screenFacts(state: SessionState, around: Surroundings): ScreenFacts {
  const { record, now, isDriver, watchers } = around;
  const standing = standingOf(state, record, now);
  const isOwn = isDriver && state.phase === "running" && (record.held || record.due === null);
  const isSeenTo = state.retry !== null && (isDriver || watchers.length > 0);
  const isAlone = !isDriver && !record.held && watchers.length === 0;
  return {
    session: state.sessionId,
    title: state.config?.title ?? "",
    stands:
      isOwn || (state.phase === "running" && !record.held && isSeenTo)
        ? activityOf(state, now)
        : standing.text,
    last: { type: around.lastType, at: state.lastEventAt },
    criteria: state.contract === null ? [] : criteriaOf(state.contract),
    verdicts: around.verdicts,
    caps: capRows(state, now).filter(
      ({ used, limit, cap }) => limit !== null || (used > 0 && isTelling(state, cap)),
    ),
    asks: asksOf(state, around.questions),
    wakes: wakesOf(state, around),
    next: isAlone && standing.next !== null ? around.commandLine(standing.next) : null,
    keys: around.keys,
  };
}

/** Without a cap only what was spent is of interest, and money only where somebody knows the price. */
function isTelling({ config }: SessionState, cap: string): boolean {
  if (cap === "cost_micro_usd") return config?.agent.model.price !== undefined;
  return cap === "model_requests" || cap === "tokens";
}

function asksOf(state: SessionState, texts: ReadonlyMap<string, string>): ScreenFacts["asks"] {
  const questions = openQuestions(state).map(({ question }) => ({
    name: question,
    text: texts.get(question) ?? "",
  }));
  const approvals = openApprovals(state).map(({ call }) => {
    const name = state.calls.find((each) => each.call === call)?.name ?? "it";
    return { name: call, text: `may ${name} run?` };
  });
  const changes = openReview(state).map(({ path }) => ({ name: path, text: "this change waits for a look" }));
  return [...questions, ...approvals, ...changes];
}

function wakesOf(
  state: SessionState,
  { record, now, isDriver, watchers }: Surroundings,
): ScreenFacts["wakes"] {
  const at = state.retry?.resumeAt ?? record.due;
  if (at === null || at <= now || state.phase === "terminated") return null;
  const driver = record.held ? record.owner?.pid : watchers[0];
  if (isDriver) return { at, by: "this process sees to it" };
  return { at, by: driver === undefined ? "nobody is there to wake it" : `process ${driver} sees to it` };
}

/** What the history says of one verdict. */
export function verdictFact({ body }: SessionEvent<"verdict.given">): VerdictFact {
  const met = body.criteria.filter(({ status }) => status === "met").length;
  return { number: body.number, outcome: body.outcome, met, of: body.criteria.length };
}
