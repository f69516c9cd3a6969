/**
 * What waits for a person. The session keeps nothing while it waits; an answer, or the end of the time for one, is an
 * event before anything follows from it.
 */
import { type EventInput, event } from "../events/index.ts";
import type { Sequence } from "../ids.ts";
import { type Action, actionHash } from "../people/action.ts";
import type { ApprovalState, QuestionState } from "../people/state.ts";
import type { CallState, SessionState } from "../state.ts";
import { append, type Now, type Step } from "../step.ts";
import { answeredHere, neverRan } from "./results.ts";
import type { CallStep } from "./run.ts";

/** How long an approval waits before it counts as denied. */
const APPROVAL_MS = 86_400_000;

/** The call that asks: nothing to do before its question is answered, or its time is over. */
export function askingCall(state: SessionState, call: CallState): CallStep {
  const question = state.people.questions.find((each) => each.call === call.call);
  if (question === undefined)
    return { kind: "event", event: neverRan(call, "refused", "Too many questions at once. Ask fewer.") };
  if (question.answer === null) return { kind: "person", request: null };
  return { kind: "event", event: answerOf(state, call, question, question.answer) };
}

/** Who said it, when and by what way is told by the harness, which alone writes results. */
function answerOf(
  state: SessionState,
  call: CallState,
  question: QuestionState,
  { text, author, channel, at }: NonNullable<QuestionState["answer"]>,
): EventInput {
  const when = new Date(at).toISOString();
  if (author !== null && text !== null) {
    const way = channel === null ? "" : ` by ${channel}`;
    return answeredHere(call, `[harness] ${author} answered${way} at ${when}:\n${text}`);
  }
  const nobody = isUnattended(state)
    ? "[harness] Nobody is there to answer in this run"
    : `[harness] Nobody answered ${question.question} by ${when}`;
  return text === null
    ? neverRan(
        call,
        "refused",
        `${nobody}. Go on without: take the safest reading, or declare the criterion blocked.`,
      )
    : answeredHere(call, `${nobody}, so your default counts:\n${text}`);
}

/** A run that nobody is to be asked in. */
function isUnattended({ config }: SessionState): boolean {
  return config?.policy.questions === "none";
}

/** The call needs a person: asks for the approval of exactly this, once, then waits. */
export function awaitApproval(
  state: SessionState,
  now: Now,
  call: CallState,
  why: "policy" | "in_doubt",
): CallStep {
  const known = state.people.approvals.find((each) => each.call === call.call);
  if (known !== undefined && !known.isStale && call.confirmation === null)
    return { kind: "person", request: null };
  const waitMs = state.config?.policy.approval_ms ?? APPROVAL_MS;
  return {
    kind: "person",
    request: event("approval.requested", {
      call: call.call,
      run: call.run + 1,
      why,
      hash: actionHash(actionOf(state, now, call, state.seq)),
      through_seq: state.seq,
      expires_at: now.at + waitMs,
    }),
  };
}

/** Is what would run now what was asked for? An older log has calls that were allowed without such a question. */
export function isAsAsked(state: SessionState, now: Now, call: CallState): boolean {
  const known = state.people.approvals.find((each) => each.call === call.call);
  return known === undefined || known.hash === actionHash(actionOf(state, now, call, known.throughSeq));
}

function actionOf(state: SessionState, now: Now, call: CallState, throughSeq: Sequence): Action {
  const { sessionId: session } = state;
  const input = now.inputOf(call.call);
  return { session, call: call.call, run: call.run + 1, name: call.name, input, throughSeq };
}

/** What nobody has answered in time. Not while a person keeps the session from going on. */
export function overdue(state: SessionState, now: Now): EventInput[] {
  if (!isWaited(state)) return [];
  const reason = isUnattended(state) ? "unattended" : "time";
  const isOver = (expiresAt: number | null): boolean =>
    reason === "unattended" || (expiresAt !== null && expiresAt <= now.at);
  return [
    ...openQuestions(state)
      .filter(({ expiresAt }) => isOver(expiresAt))
      .map(({ question, default: text }) => event("question.expired", { question, text, reason })),
    ...openApprovals(state)
      .filter(({ expiresAt }) => isOver(expiresAt))
      .map(({ call, hash }) => event("approval.expired", { call, hash, reason })),
  ];
}

/** Notes what is over. */
export function expiring(state: SessionState, now: Now): Step {
  return append(...overdue(state, now));
}

/** When the next of them is over; null for never. */
export function nextExpiry(state: SessionState): number | null {
  if (!isWaited(state)) return null;
  const open = [...openQuestions(state), ...openApprovals(state)];
  const times = open.flatMap(({ expiresAt }) => (expiresAt === null ? [] : [expiresAt]));
  return times.length === 0 ? null : Math.min(...times);
}

function isWaited({ phase, halt, hold }: SessionState): boolean {
  return phase !== "terminated" && halt === null && (hold === null || hold === "requires_action");
}

/** Questions that nobody has answered yet, oldest first. */
export function openQuestions({ people }: SessionState): readonly QuestionState[] {
  return people.questions.filter(({ answer }) => answer === null);
}

/** Calls that wait for a person's permission, oldest first. */
export function openApprovals({ people, calls }: SessionState): readonly ApprovalState[] {
  return people.approvals.filter(
    ({ call: name, isStale }) =>
      !isStale && calls.some(({ call, confirmation }) => call === name && confirmation === null),
  );
}
