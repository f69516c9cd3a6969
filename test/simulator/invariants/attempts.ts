/** Promises about contexts that follow each other, and about the attempts that they belong to. */
import type { EventBody, SessionEvent } from "../../../src/core/events/index.ts";
import type { Invariant } from "../judge.ts";
import type { ObservedLog } from "../log.ts";

type Thread = EventBody<"session.thread_created">;

/** A context that begins anew begins with the newest handoff, which holds goal and constraints word for word. */
export function aFreshContextBeginsWithItsHandoff(): Invariant {
  return {
    promise: "a-fresh-context-begins-with-its-handoff",
    onEvent: ({ log, event }) => {
      if (event.type === "handoff.recorded") return handoffComplaint(log, event.body);
      if (event.type !== "session.thread_created") return null;
      return threadComplaint(log, event.body);
    },
  };
}

function threadComplaint(log: ObservedLog, { reason, handoff }: Thread): string | null {
  if (reason !== "reset" && reason !== "compact") return null;
  const decided = log.events.findLast(({ type }) => type === "context.decided" || type === "attempt.started");
  const recorded = log.events.findLast(({ type }) => type === "handoff.recorded");
  if (recorded?.type !== "handoff.recorded")
    // The first attempt at a contract, or one that follows a cap on attempts, has nothing behind it to hand over.
    return decided?.type === "attempt.started" ? null : `a context is replaced (${reason}) without a handoff`;
  return handoff === recorded.body.number
    ? null
    : `a context begins with handoff ${handoff}, the newest is ${recorded.body.number}`;
}

/** The contract in force, as the log says it. */
function contractOf(log: ObservedLog): EventBody<"contract.sealed">["contract"] | undefined {
  const found = log.events.findLast(
    (each): each is SessionEvent<"contract.sealed" | "contract.amended"> =>
      each.type === "contract.sealed" || each.type === "contract.amended",
  );
  return found?.body.contract;
}

function handoffComplaint(log: ObservedLog, body: EventBody<"handoff.recorded">): string | null {
  const requested = log.events.findLast(({ type }) => type === "handoff.requested");
  if (requested?.type !== "handoff.requested" || requested.body.number !== body.number)
    return `handoff ${body.number} is not the one that was asked for`;
  const contract = contractOf(log);
  if (contract === undefined) return null;
  const text = body.content.map((block) => String(block.text)).join("\n");
  const lost = [contract.goal, ...contract.constraints].find((words) => !text.includes(words));
  return lost === undefined ? null : `handoff ${body.number} does not say: ${lost}`;
}

/** Attempts are numbered without a gap, and one ends before the next begins. */
export function attemptsFollowEachOther(): Invariant {
  const open = new Map<ObservedLog, number | null>();
  const last = new Map<ObservedLog, number>();
  return {
    promise: "attempts-follow-each-other",
    onEvent: ({ log, event }) => {
      if (event.type === "attempt.started") {
        const { attempt } = event.body;
        const before = last.get(log) ?? 0;
        const running = open.get(log) ?? null;
        last.set(log, attempt);
        open.set(log, attempt);
        if (running !== null) return `attempt ${attempt} begins while ${running} is open`;
        return attempt === before + 1 ? null : `attempt ${attempt} follows ${before}`;
      }
      if (event.type !== "attempt.ended") return null;
      const running = open.get(log) ?? null;
      open.set(log, null);
      return running === event.body.attempt
        ? null
        : `attempt ${event.body.attempt} ends, and ${running} is open`;
    },
  };
}
