/** Deliberate mistakes about people, limits, and contexts that follow each other; see `mutant-table.ts`. */
import type { Mutant } from "./mutant.ts";

/** Seeds in which agents ask and people answer. */
const ANSWERS = /@answer\./;
/** Seeds in which whoever is away is told. */
const NOTICES = /@notify\./;

/** Every mutant of these. */
export const PEOPLE: readonly Mutant[] = [
  {
    name: "the last answer to a question counts",
    promise: "an-answer-is-given-once",
    file: "src/core/reduce/people.ts",
    find: "questions.findIndex((each) => each.question === name && each.answer === null);",
    replace: "questions.findIndex((each) => each.question === name);",
    aim: ANSWERS,
  },
  {
    name: "an answer does not say whose it is",
    promise: "an-answer-is-given-once",
    file: "src/core/reduce/people.ts",
    find: "closed(state, question, { text, author, channel, at: event.at })",
    replace: 'closed(state, question, { text, author: author && "somebody", channel, at: event.at })',
    aim: ANSWERS,
  },
  {
    name: "what nobody has answered is made up",
    promise: "an-answer-is-given-once",
    file: "src/core/rules/people.ts",
    find: 'if (question.answer === null) return { kind: "person", request: null };',
    replace: 'if (question.answer === null) return { kind: "event", event: answeredHere(call, "Yes.") };',
    aim: ANSWERS,
  },
  {
    name: "a question is over before its time",
    promise: "people-have-their-time",
    file: "src/core/rules/people.ts",
    find: 'reason === "unattended" || (expiresAt !== null && expiresAt <= now.at);',
    replace: 'reason === "unattended" || (expiresAt !== null && expiresAt <= now.at + 60_000);',
    aim: ANSWERS,
  },
  {
    name: "whoever tells it anew gives it another name",
    promise: "whoever-is-away-is-told",
    file: "src/runtime/notify/notify.ts",
    find: "const sent = { id, kind,",
    replace: "const sent = { id: id + state.epoch, kind,",
    aim: /^(crash|stop)@notify\.after/,
  },
  {
    name: "a session is left before anybody is told of it",
    promise: "whoever-is-away-is-told",
    file: "src/core/rules/rest.ts",
    find: 'if (step.kind !== "append" && notices.length > 0) {',
    replace: 'if (step.kind === "perform" && notices.length > 0) {',
    aim: NOTICES,
  },
  {
    name: "told is said before anybody is",
    promise: "whoever-is-away-is-told",
    file: "src/runtime/notify/notify.ts",
    find: "ok: isDelivered, tries,",
    replace: "ok: true, tries,",
    aim: /^refuse@notify\./,
  },
  {
    name: "a fresh context begins without its handoff",
    promise: "a-fresh-context-begins-with-its-handoff",
    file: "src/core/rules/thread.ts",
    find: "...(isFresh && handoff !== null && { handoff: handoff.number }),",
    replace: '...(reason === "compact" && handoff !== null && { handoff: handoff.number }),',
    aim: ANSWERS,
  },
  {
    name: "a handoff leaves the constraints out",
    promise: "a-fresh-context-begins-with-its-handoff",
    file: "src/core/handoff/derive.ts",
    find: "constraints: [...(state.contract?.contract.constraints ?? [])],",
    replace: "constraints: [],",
    aim: /@(preflight|check)\./,
  },
  {
    name: "an attempt that is given up does not end",
    promise: "attempts-follow-each-other",
    file: "src/core/rules/context-change.ts",
    find: "const ended = open === null ? [] :",
    replace: "const ended = open === null || change !== null ? [] :",
  },
  {
    name: "a model is asked before its limit ends",
    promise: "nothing-is-asked-before-its-limit-ends",
    file: "src/core/rules/model.ts",
    find: "at < switched.until &&",
    replace: "at < switched.until - 20_000 &&",
  },
  {
    name: "a day forgets what was spent before",
    promise: "no-day-is-overspent",
    file: "src/store/day-spending.ts",
    find: "Math.max(0, spent[amount] + delta[amount]);",
    replace: "Math.max(0, delta[amount]);",
  },
];
