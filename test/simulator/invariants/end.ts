/** Promises about where everything comes to rest once the faults have stopped. */
import type { Invariant } from "../judge.ts";
import type { ObservedLog } from "../log.ts";

/** Every message is accepted or rejected on the record, unless the session waits for a person or is over. */
export function noMessageStranded(): Invariant {
  return {
    promise: "no-message-stranded",
    atEnd: ({ logs }) => {
      for (const log of logs) {
        const { queue, hold, phase } = log.state;
        if (phase === "terminated" || hold !== null) continue;
        const first = queue[0]?.[0];
        if (first !== undefined) return `message ${first.seq} of ${log.session} was never picked up`;
        const forgotten = unmentioned(log);
        if (forgotten !== undefined)
          return `message ${forgotten} of ${log.session} is neither accepted nor rejected`;
      }
      return null;
    },
  };
}

/** The first message that no later event accepts or rejects; read from the events, not from the fold. */
function unmentioned(log: ObservedLog): number | undefined {
  const mentioned = new Set<number>();
  for (const event of log.events) {
    if (event.type === "harness.input_accepted" || event.type === "harness.input_rejected")
      for (const seq of event.body.seqs) mentioned.add(seq);
  }
  return log.events.find((event) => event.type === "user.message" && !mentioned.has(event.seq))?.seq;
}

/** Every session ends idle or terminated once people have answered everything that waited for them. */
export function everySessionComesToRest(): Invariant {
  return {
    promise: "every-session-comes-to-rest",
    atEnd: ({ logs }) => {
      for (const { session, state } of logs) {
        if (state.phase === "running") return `${session} still runs`;
        if (state.request !== null) return `${session} still waits for the model`;
        if (state.hold !== null && state.phase !== "terminated")
          return `${session} is held (${state.hold}) after people have lifted every hold`;
        if (state.halt !== null) return `${session} is still being brought to a halt`;
        if (state.answerOwed && state.hold === null && state.phase === "idle")
          return `${session} is idle although an answer is owed`;
      }
      return null;
    },
  };
}

/** A session at rest has no sandbox after its grace period. */
export function releasedMeansNoSandbox(): Invariant {
  return {
    promise: "released-means-no-sandbox",
    atEnd: ({ logs, liveSandboxes }) => {
      const known = logs.find(({ state }) => state.sandbox !== null);
      if (known !== undefined) return `${known.session} rests but still has ${known.state.sandbox?.id}`;
      return liveSandboxes.length === 0 ? null : `${liveSandboxes[0]} lives on after everything has ended`;
    },
  };
}
