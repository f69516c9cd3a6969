/** Promises about people: what they answer, how long they have for it, and what they are told. */
import type { EventBody, SessionEvent } from "../../../src/core/events/index.ts";
import type { EventMoment, Invariant, ToldMoment } from "../judge.ts";
import type { ObservedLog } from "../log.ts";
import { TARGET } from "../notifier.ts";

type Asked = SessionEvent<"question.asked">;
type End = SessionEvent<"question.answered" | "question.expired">;

/** A question, and what came of it first. */
interface Question {
  readonly asked: Asked;
  end: End | null;
}

/**
 * The agent is given the first answer to its question, once, in the words of whoever gave it, with name, way and time;
 * a later one changes nothing, and without an answer none is made up.
 */
export function anAnswerIsGivenOnce(): Invariant {
  const questions = new Map<ObservedLog, Map<string, Question>>();
  return {
    promise: "an-answer-is-given-once",
    onEvent: ({ log, event }) => {
      const known = questions.get(log) ?? new Map<string, Question>();
      questions.set(log, known);
      switch (event.type) {
        case "question.asked":
          known.set(event.body.question, { asked: event, end: null });
          return null;
        case "question.answered":
        case "question.expired": {
          const question = known.get(event.body.question);
          const isOpen = question !== undefined && log.calls.get(callOf(question))?.result === null;
          if (isOpen && question.end === null) question.end = event;
          return null;
        }
        case "agent.tool_result":
          return answerComplaint(known, event.body);
        default:
          return null;
      }
    },
    atEnd: ({ logs }) => {
      for (const log of logs) {
        if (log.state.phase === "terminated" || log.state.hold !== null) continue;
        for (const [name, question] of questions.get(log) ?? [])
          if (log.calls.get(callOf(question))?.result === null)
            return `${name} was never answered to the agent`;
      }
      return null;
    },
  };
}

function callOf({ asked }: Question): Parameters<ObservedLog["calls"]["get"]>[0] {
  return asked.body.call as Parameters<ObservedLog["calls"]["get"]>[0];
}

function answerComplaint(
  questions: ReadonlyMap<string, Question>,
  { call, content, ending }: EventBody<"agent.tool_result">,
): string | null {
  const found = [...questions].find(([, { asked }]) => asked.body.call === call);
  // What a person stops is answered by nobody.
  if (found === undefined || ending === "cancelled") return null;
  const [name, { end }] = found;
  const text = content.map((block) => String(block.text)).join("\n");
  if (end === null) return ending === "refused" ? null : `${name} is answered to the agent, and nobody has`;
  const expected = wordsOf(end);
  return expected.every((words) => text.includes(words))
    ? null
    : `${name} was answered at ${end.seq} with ${expected.join(", ")}, and the agent is told ${text}`;
}

/** What the agent has to be told of it. */
function wordsOf(end: End): string[] {
  const when = new Date(end.at).toISOString();
  if (end.type === "question.answered") {
    const { author, text, channel } = end.body;
    return [author, when, text, ...(channel === undefined ? [] : [channel])];
  }
  return [end.body.reason === "time" ? when : "Nobody", ...(end.body.text === null ? [] : [end.body.text])];
}

/** Whoever is asked has the time that was said, unless nobody is to be asked at all. */
export function peopleHaveTheirTime(): Invariant {
  return {
    promise: "people-have-their-time",
    onEvent: ({ log, event }) => {
      if (event.type !== "question.expired" && event.type !== "approval.expired") return null;
      if (event.body.reason === "unattended")
        return log.state.config?.policy.questions === "none"
          ? null
          : `${event.type}, although people are there`;
      const until = expiryOf(log, event);
      if (until === undefined) return `${event.type} at ${event.seq} is about what has no end`;
      return event.at < until ? `${event.type} comes ${until - event.at} ms before its time` : null;
    },
  };
}

function expiryOf(
  log: ObservedLog,
  event: SessionEvent<"question.expired" | "approval.expired">,
): number | undefined {
  const asked = log.events.findLast((each): each is SessionEvent<"question.asked" | "approval.requested"> =>
    event.type === "question.expired"
      ? each.type === "question.asked" && each.body.question === event.body.question
      : each.type === "approval.requested" && each.body.hash === event.body.hash,
  );
  return asked?.body.expires_at;
}

/**
 * For those who are away: what a rest is to them; the others are nobody's news. Under a contract only a verdict ends
 * work, so the end of a turn is the work of a person who interrupted it.
 */
const NEWS: { readonly [reason: string]: string } = {
  ...{ end_turn: "done", verified: "done", already_green: "done" },
  ...{ requires_action: "blocked", review: "blocked", unmet: "blocked", refusal: "blocked" },
  ...{ max_tokens: "blocked", failed: "blocked", retries_exhausted: "blocked" },
  ...{ budget_reached: "budget", stalled: "stall" },
};

/**
 * Whoever is away hears of every rest that is news, at least once, and each time under the same name: so a second
 * time can be told from a second rest. What the log says of it is so.
 */
export function whoeverIsAwayIsTold(): Invariant {
  const told = new Map<ObservedLog, Map<number, string>>();
  let isTold = false;
  return {
    promise: "whoever-is-away-is-told",
    onTold: (moment) => {
      isTold = true;
      const known = told.get(moment.log) ?? new Map<number, string>();
      told.set(moment.log, known);
      return toldComplaint(moment, known);
    },
    onEvent: ({ log, event }: EventMoment) => {
      if (event.type !== "notification.sent" || !event.body.ok) return null;
      const { event_seq } = event.body;
      return told.get(log)?.has(event_seq) ? null : `the log says that ${event_seq} was told, and nobody was`;
    },
    atEnd: ({ logs }) => {
      if (!isTold) return null;
      const silent = logs.find(owesNews);
      return silent === undefined ? null : `nobody was told how ${silent.session} rests`;
    },
  };
}

function newsOf({ state }: ObservedLog, { body }: SessionEvent<"session.status_idle">): string | undefined {
  const { type } = body.stop_reason;
  return type === "end_turn" && state.contract !== null ? undefined : NEWS[type];
}

function toldComplaint({ log, notification }: ToldMoment, known: Map<number, string>): string | null {
  const seq = Number(notification.data.event_seq);
  const rest = log.events[seq - 1];
  if (rest?.type !== "session.status_idle") return `${notification.id} is about ${seq}, which is no rest`;
  if (newsOf(log, rest) !== notification.kind)
    return `${notification.id} says ${notification.kind}, the log says ${rest.body.stop_reason.type}`;
  const before = known.get(seq);
  if (before !== undefined && before !== notification.id)
    return `the rest at ${seq} is told as ${before} and as ${notification.id}`;
  const other = [...known].find(([at, id]) => at !== seq && id === notification.id);
  if (other !== undefined) return `${notification.id} names the rests at ${other[0]} and at ${seq}`;
  known.set(seq, notification.id);
  return null;
}

/** Does it rest for a reason that is news, and the log does not say what became of telling it? */
function owesNews(log: ObservedLog): boolean {
  const { events, state } = log;
  const rest = events.findLast(({ type }) => type.startsWith("session.status_"));
  if (state.phase !== "idle" || rest?.type !== "session.status_idle") return false;
  if (newsOf(log, rest) === undefined) return false;
  return !events.some(
    ({ type, body }) => type === "notification.sent" && body.event_seq === rest.seq && body.target === TARGET,
  );
}
