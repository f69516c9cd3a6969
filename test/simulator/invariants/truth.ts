/** Promises about what the log tells people and models. */
import type { EventBody } from "../../../src/core/events/index.ts";
import { attemptExecId, type CallId, execId } from "../../../src/core/ids.ts";
import { SECRET } from "../answers.ts";
import type { EventMoment, Invariant } from "../judge.ts";
import type { CallRecord, ObservedLog } from "../log.ts";

/** What is a secret never reaches the files. */
export function secretsAreNeverStored(): Invariant {
  return {
    promise: "secrets-are-never-stored",
    // Long texts are elsewhere, and are put back in only where the row says so.
    onEvent: ({ row, event }) =>
      row.body.includes(SECRET) || (row.body.includes("$blob") && JSON.stringify(event.body).includes(SECRET))
        ? `${event.type} at ${row.seq} holds a secret`
        : null,
  };
}

/** When a session says that it rests, no request is open, and no run is on its way that could still be reached. */
export function restMeansNothingRuns(): Invariant {
  return {
    promise: "rest-means-nothing-runs",
    onEvent: ({ log, event }) => {
      if (event.type !== "session.status_idle" && event.type !== "session.status_terminated") return null;
      const request = [...log.requests.values()].find(({ end }) => end === null);
      if (request !== undefined) return `it rests while request ${request.start.request} is open`;
      if (log.state.command !== null && [...log.attempts.values()].some(({ end }) => end === null))
        return "it rests while a program works";
      const call = [...log.calls.values()].find((candidate) => isUnderWay(log, candidate));
      return call === undefined ? null : `it rests while ${call.use.call} runs`;
    },
  };
}

function isUnderWay(log: ObservedLog, { starts, result }: CallRecord): boolean {
  const start = starts.at(-1);
  return start !== undefined && result === null && !wasLost(log, start.seq);
}

/** A receipt comes after the end of its run, unless the log says that the sandbox was out of reach. */
export function noRunOutlivesItsReceipt(): Invariant {
  return {
    promise: "no-run-outlives-its-receipt",
    onEvent: ({ log, event, isRunning }) => {
      if (event.type === "attempt.ended" && event.body.ending !== "lost") {
        const exec = attemptExecId(log.session, event.body.attempt);
        return isRunning(exec) ? `${exec} still runs when the log says that it has ended` : null;
      }
      if (event.type !== "agent.tool_result") return null;
      const call = log.calls.get(event.body.call as CallId);
      const start = call?.starts.at(-1);
      if (start === undefined) return null;
      const id = execId(log.session, event.body.call as CallId, start.body.run);
      if (!isRunning(id) || wasLost(log, start.seq)) return null;
      return `${id} still runs when its receipt (${event.body.ending}) is written`;
    },
  };
}

function wasLost(log: ObservedLog, since: number): boolean {
  return log.events.slice(since).some(({ type }) => type === "sandbox.lost" || type === "tool.in_doubt");
}

/** What is reported as done was done; what is reported as never run had no effect. */
export function receiptsTellTheTruth(): Invariant {
  const effects = new Set<string>();
  return {
    promise: "receipts-tell-the-truth",
    onEffect: ({ log, request }) => {
      const call = request.execId.slice(0, request.execId.lastIndexOf("/"));
      effects.add(call);
      const result = log.calls.get(call.split("/")[1] as CallId)?.result;
      if (result == null || result.body.in_doubt) return null;
      return `${request.execId} has its effect after a receipt without doubt`;
    },
    atEnd: ({ logs }) => {
      for (const log of logs)
        for (const [id, call] of log.calls) {
          const complaint = untruth(call, effects.has(`${log.session}/${id}`));
          if (complaint !== null) return `${id} of ${log.session} ${complaint}`;
        }
      return null;
    },
  };
}

const CHANGING: ReadonlySet<string> = new Set(["bash", "write", "edit", "sync"]);

function untruth(call: CallRecord, hadEffect: boolean): string | null {
  const { use, result } = call;
  if (result === null || !CHANGING.has(use.name) || changesNothing(call)) return null;
  const { run, in_doubt: inDoubt, ending } = result.body;
  if (hadEffect && !inDoubt && run === 0) return "is reported as never run, but it had its effect";
  if (!hadEffect && ending === "exited" && !inDoubt) return "is reported as done, but nothing happened";
  return null;
}

/** The file had that content before: it is rightly found done, whether or not it was written once more. */
function changesNothing({ prepared }: CallRecord): boolean {
  return prepared !== null && prepared.before === prepared.after;
}

/**
 * After a failed request the next one waits until the time that the log names, unless a person speaks; so does the
 * next try to make a sandbox that could not be had.
 */
export function retriesWaitOnTheRecord(): Invariant {
  const waits = new Map<ObservedLog, Wait>();
  const sandboxWaits = new Map<ObservedLog, Wait>();
  return {
    promise: "retries-wait-on-the-record",
    onEvent: (moment) => {
      const wait = waits.get(moment.log);
      if (moment.event.type === "span.model_request_start" && wait !== undefined) {
        waits.delete(moment.log);
        return startedEarly(moment, wait);
      }
      noteWait(moment, waits);
      const sandboxWait = sandboxWaits.get(moment.log);
      noteSandboxWait(moment, sandboxWaits);
      const isTriedAgain = moment.event.type === "sandbox.requested" && sandboxWait !== undefined;
      return isTriedAgain ? startedEarly(moment, sandboxWait) : null;
    },
  };
}

type Wait = { resumeAt: number; decidedAt: number } | "undecided";

function startedEarly({ event }: EventMoment, wait: Wait): string | null {
  if (wait === "undecided") return `${event.type} after a failure, and the log holds no back-off`;
  const isEarly = event.at < wait.resumeAt && event.at >= wait.decidedAt;
  return isEarly ? `${event.type} comes ${wait.resumeAt - event.at} ms before its time` : null;
}

function noteSandboxWait({ log, event }: EventMoment, waits: Map<ObservedLog, Wait>): void {
  // One that had been ready is made again at once, the first time.
  if (event.type === "sandbox.lost" && event.body.incarnation === undefined) waits.set(log, "undecided");
  if (event.type === "sandbox.rescheduled")
    waits.set(log, { resumeAt: event.body.resume_at, decidedAt: event.body.decided_at });
  const isOver = event.type === "sandbox.requested" || event.type === "sandbox.destroyed";
  const isLifted = event.type === "user.message" || event.type === "control.resume";
  if (isOver || isLifted || event.type === "session.forked") waits.delete(log);
}

function noteWait({ log, event }: EventMoment, waits: Map<ObservedLog, Wait>): void {
  if (event.type === "span.model_request_end" && event.body.outcome === "failed") waits.set(log, "undecided");
  if (event.type === "session.status_rescheduled")
    waits.set(log, { resumeAt: event.body.resume_at, decidedAt: event.body.decided_at });
  // Another model is asked meanwhile; the limit of the first one is told by `nothing-is-asked-before-its-limit-ends`.
  if (event.type === "model.switched") waits.delete(log);
  if (event.type.startsWith("user.") || event.type.startsWith("control.")) waits.delete(log);
}

/** As long as a stand-in answers for a model, that one is not asked. */
export function nothingIsAskedBeforeItsLimitEnds(): Invariant {
  const switched = new Map<ObservedLog, EventBody<"model.switched">>();
  return {
    promise: "nothing-is-asked-before-its-limit-ends",
    onEvent: ({ log, event }) => {
      if (event.type === "model.switched") switched.set(log, event.body);
      if (event.type === "span.model_request_end" && event.body.outcome === "answered") {
        // A clock that went back had it asked before its limit began: it has answered, so there is none.
        const asked = log.requests.get(event.body.request)?.start.model;
        if (asked === switched.get(log)?.from) switched.delete(log);
      }
      const away = switched.get(log);
      if (event.type !== "span.model_request_start" || away === undefined) return null;
      const isAway = event.at < away.until && event.at >= away.decided_at;
      return isAway && event.body.model === away.from
        ? `request ${event.body.request} asks ${away.from} ${away.until - event.at} ms before its limit ends`
        : null;
    },
  };
}
