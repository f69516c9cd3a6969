/** Facts about what waits for a person. */
import type { EventBody, SessionEvent } from "../events/index.ts";
import type { CallId } from "../ids.ts";
import type { ApprovalState, QuestionAnswer, QuestionState } from "../people/state.ts";
import type { CallState, SessionState } from "../state.ts";

/** Questions of one turn at the most; what is asked beyond is refused. */
const QUESTIONS_MAX = 20;

/** Notes `question.*`, `approval.*` and what ends either of them. */
export function reducePeople(state: SessionState, event: SessionEvent): SessionState {
  switch (event.type) {
    case "question.asked":
      return asked(state, event);
    case "question.answered": {
      const { question, text, author, channel = null } = event.body;
      return closed(state, question, { text, author, channel, at: event.at });
    }
    case "question.expired": {
      const { question, text } = event.body;
      return closed(state, question, { text, author: null, channel: null, at: event.at });
    }
    case "approval.requested":
      return requested(state, event);
    case "approval.expired":
      return expired(state, event.body);
    case "agent.tool_result":
    case "tool.started":
      return settled(state, event.body.call, event.type === "agent.tool_result");
    case "session.status_idle":
      return { ...state, people: { ...state.people, notice: { seq: event.seq, at: event.at, told: [] } } };
    case "session.status_running":
    case "session.status_terminated":
      return state.people.notice === null ? state : { ...state, people: { ...state.people, notice: null } };
    case "notification.sent":
      return told(state, event.body);
    case "workspace.restored":
    case "workspace.rewound":
      return changedUnder(state);
    case "session.forked": {
      const next = changedUnder(state);
      return { ...next, people: { ...next.people, notice: null } };
    }
    default:
      return state;
  }
}

function asked(state: SessionState, { body, seq, at }: SessionEvent<"question.asked">): SessionState {
  const { questions } = state.people;
  const isOpen = state.calls.some(({ call, status }) => call === body.call && status === "requested");
  const isKnown = questions.some(({ question, call }) => question === body.question || call === body.call);
  if (!isOpen || isKnown || questions.length >= QUESTIONS_MAX) return state;
  const question: QuestionState = {
    question: body.question,
    call: body.call as CallId,
    seq,
    askedAt: at,
    expiresAt: body.expires_at ?? null,
    default: body.default ?? null,
    answer: null,
  };
  return { ...state, people: { ...state.people, questions: [...questions, question] } };
}

/** The first answer counts; a later one, or one to a question that nobody asks any more, changes nothing. */
function closed(state: SessionState, name: string, answer: QuestionAnswer): SessionState {
  const { questions } = state.people;
  const index = questions.findIndex((each) => each.question === name && each.answer === null);
  const question = questions[index];
  if (question === undefined || state.phase === "terminated") return state;
  const people = { ...state.people, questions: questions.with(index, { ...question, answer }) };
  return { ...state, people, hold: lifted(state) };
}

function requested(state: SessionState, event: SessionEvent<"approval.requested">): SessionState {
  const { call, hash, through_seq, expires_at } = event.body;
  const others = state.people.approvals.filter((each) => each.call !== call);
  const approval: ApprovalState = {
    call: call as CallId,
    seq: event.seq,
    hash,
    throughSeq: through_seq,
    askedAt: event.at,
    expiresAt: expires_at ?? null,
    isStale: false,
  };
  return { ...state, people: { ...state.people, approvals: [...others, approval] } };
}

/** As if a person had said no, in words that say otherwise. */
function expired(state: SessionState, body: EventBody<"approval.expired">): SessionState {
  const isMeant = state.people.approvals.some(({ call, hash }) => call === body.call && hash === body.hash);
  if (!isMeant) return state;
  const denyMessage =
    body.reason === "time"
      ? "Nobody approved it in time, so it counts as denied."
      : "Nobody is there to approve it, so it counts as denied.";
  const calls = state.calls.map(
    (call): CallState =>
      call.call === body.call && call.confirmation === null
        ? { ...call, confirmation: "deny", denyMessage }
        : call,
  );
  const approvals = state.people.approvals.map((each) =>
    each.call === body.call ? { ...each, isStale: true } : each,
  );
  return { ...state, calls, people: { ...state.people, approvals }, hold: lifted(state) };
}

function lifted({ hold }: SessionState): SessionState["hold"] {
  return hold === "requires_action" ? null : hold;
}

/** A permission is for one run; a question ends with the call that asks it. */
function settled(state: SessionState, name: string, isAnswered: boolean): SessionState {
  const { questions, approvals } = state.people;
  const people = {
    ...state.people,
    questions: isAnswered ? questions.filter(({ call }) => call !== name) : questions,
    approvals: approvals.filter(({ call }) => call !== name),
  };
  const isSame = people.questions.length === questions.length && people.approvals.length === approvals.length;
  return isSame ? state : { ...state, people };
}

function told(state: SessionState, body: EventBody<"notification.sent">): SessionState {
  const { notice } = state.people;
  if (notice?.seq !== body.event_seq || notice.told.includes(body.target)) return state;
  return {
    ...state,
    people: { ...state.people, notice: { ...notice, told: [...notice.told, body.target] } },
  };
}

/** Other files, or another log: what a person has allowed is not what would be done now. */
function changedUnder(state: SessionState): SessionState {
  const { people } = state;
  if (people.approvals.length === 0) return state;
  const stale = new Set(people.approvals.map(({ call }) => call));
  const calls = state.calls.map(
    (call): CallState => (stale.has(call.call) ? { ...call, confirmation: null, denyMessage: null } : call),
  );
  const approvals = people.approvals.map((approval) => ({ ...approval, isStale: true }));
  return { ...state, calls, people: { ...people, approvals } };
}
