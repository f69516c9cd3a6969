/** Promises about what happens outside of the log. */
import { attemptExecId, type CallId, execId } from "../../../src/core/ids.ts";
import type { Invariant, RunMoment } from "../judge.ts";
import type { AttemptRecord, CallRecord, ObservedLog } from "../log.ts";
import { serviceOf } from "../sandbox.ts";

/** The model is asked, and a sandbox is told, only what the committed log holds the intent of. */
export function nothingStartsWithoutACommittedIntent(): Invariant {
  return {
    promise: "nothing-starts-without-a-committed-intent",
    onRequest: ({ log, number, epoch }) => {
      const intent = log.requests.get(number)?.start;
      if (intent === undefined) return `request ${number} reached the model, but no intent is in the log`;
      return intent.epoch === epoch
        ? null
        : `request ${number} belongs to epoch ${intent.epoch}, not ${epoch}`;
    },
    onRun: ({ log, request, incarnation }) => {
      const service = serviceOf(request.execId);
      if (service !== undefined) return serviceComplaint(log, service, incarnation);
      const attempt = attemptOf(log, request.execId);
      if (attempt !== undefined) return attemptComplaint(attempt, incarnation);
      const found = callOf(log, request.execId);
      const start = found?.call.starts.find(({ body }) => body.run === found.run);
      if (found === undefined || start === undefined)
        return `${request.execId} runs, but no intent is in the log`;
      if (start.body.incarnation !== incarnation)
        return `${request.execId} was meant for ${start.body.incarnation} and runs in ${incarnation}`;
      return JSON.stringify(found.call.use.input) === JSON.stringify(request.input)
        ? null
        : `${request.execId} runs with another input than the log holds`;
    },
    onSandbox: ({ log, sandbox, what }) => {
      const isIntended = log.events.some((event) => {
        if (event.type === "sandbox.destroy_requested" && what === "destroy")
          return event.body.sandbox === sandbox;
        if (event.type !== "sandbox.requested" || event.body.sandbox !== sandbox) return false;
        // With files of its own it is made anew: what is left of it ends before its files change.
        return what === "provision" || event.body.restore !== undefined;
      });
      return isIntended ? null : `${what} of ${sandbox}, but no intent is in the log`;
    },
  };
}

function attemptComplaint({ start, isPrompted }: AttemptRecord, incarnation: string): string | null {
  if (!isPrompted) return `attempt ${start.attempt} runs, and the log does not hold what it is told`;
  return start.incarnation === incarnation
    ? null
    : `attempt ${start.attempt} was meant for ${start.incarnation} and runs in ${incarnation}`;
}

function serviceComplaint(
  log: ObservedLog,
  { sandbox, hash }: NonNullable<ReturnType<typeof serviceOf>>,
  incarnation: string,
): string | null {
  const isIntended = log.events.some(
    ({ type, body }) =>
      type === "sandbox.services_requested" &&
      body.sandbox === sandbox &&
      body.incarnation === incarnation &&
      body.services.startsWith(hash),
  );
  return isIntended ? null : `a service runs in ${incarnation}, but no intent is in the log`;
}

/** Under a contract with services, a command is begun only when they are there, or it is in the log that they are not. */
export function aCommandFindsItsServices(): Invariant {
  return {
    promise: "a-command-finds-its-services",
    onEvent: ({ log, event }) => {
      if (event.type !== "tool.started") return null;
      const agreed = log.events.findLast(
        ({ type }) => type === "contract.sealed" || type === "contract.amended",
      );
      const isAgreed = agreed?.type === "contract.sealed" || agreed?.type === "contract.amended";
      if (!isAgreed || agreed.body.contract.services.length === 0) return null;
      const { incarnation, call } = event.body;
      const isSettled = log.events.some(
        ({ type, body }) =>
          (type === "sandbox.services_ready" || type === "sandbox.services_failed") &&
          body.incarnation === incarnation,
      );
      return isSettled ? null : `${call} begins before the services of its contract`;
    },
  };
}

/** No request is sent twice under one intent. */
export function oneRequestPerIntent(): Invariant {
  const sent = new Set<string>();
  return {
    promise: "one-request-per-intent",
    onRequest: ({ log, number }) => {
      const key = `${log.session}/${number}`;
      if (sent.has(key)) return `request ${number} was sent twice`;
      sent.add(key);
      return null;
    },
  };
}

/** An effect happens once per exec id; a call's effect happens again only after the log has said why it may. */
export function noSilentRerun(): Invariant {
  const effects = new Map<string, number[]>();
  return {
    promise: "no-silent-rerun",
    onEffect: (moment) => {
      // What runs beside commands has its own intent, and its own name in each life of a sandbox.
      if (serviceOf(moment.request.execId) !== undefined) return null;
      if (attemptOf(moment.log, moment.request.execId) !== undefined)
        return repeated(effects, moment.request.execId);
      const found = callOf(moment.log, moment.request.execId);
      if (found === undefined) return `${moment.request.execId} has an effect, but nobody made that call`;
      const key = `${moment.log.session}/${found.call.use.call}`;
      const runs = effects.get(key) ?? [];
      effects.set(key, [...runs, found.run]);
      if (runs.includes(found.run)) return `${moment.request.execId} had its effect twice`;
      return runs.length === 0 ? null : rerunComplaint(moment, found.call, found.run, runs);
    },
  };
}

/** A program that was cut off is judged by what it has left, and never begun anew. */
function repeated(effects: Map<string, number[]>, exec: string): string | null {
  const isKnown = effects.has(exec);
  effects.set(exec, [1]);
  return isKnown ? `${exec} had its effect twice` : null;
}

/** @param runs - those that had their effect before this one */
function rerunComplaint(
  { request }: RunMoment,
  call: CallRecord,
  run: number,
  runs: readonly number[],
): string | null {
  const start = call.starts.find(({ body }) => body.run === run);
  const doubt = call.doubts.find(({ body }) => body.run === run - 1);
  if (start === undefined || doubt === undefined || doubt.seq > start.seq)
    return `${request.execId} repeats an effect, but the log holds no doubt before it`;
  const { effect } = call.use;
  if (effect === "side_effect") return `${request.execId} repeats a side effect`;
  // A permission holds until it is used: runs that never began lie between.
  const last = call.doubts.find(({ body }) => body.run === Math.max(...runs));
  if (last?.body.finding === "not_started")
    return `${request.execId} repeats an effect of a run that is said never to have begun`;
  const isAllowed = call.allowed.some((seq) => seq > (last?.seq ?? start.seq) && seq < start.seq);
  return effect === "irreversible" && !isAllowed
    ? `${request.execId} repeats what cannot be undone, and nobody was asked`
    : null;
}

/** Once a newer harness has attached, an older one starts nothing in the sandbox. */
export function zombieExecutesNothing(): Invariant {
  return {
    promise: "zombie-executes-nothing",
    onRun: ({ request, epoch, attachedEpoch }) =>
      epoch < attachedEpoch
        ? `epoch ${epoch} runs ${request.execId} although ${attachedEpoch} has attached`
        : null,
  };
}

/** Once a newer harness has made or ended a sandbox, an older one makes and ends none. */
export function zombieMakesNoSandbox(): Invariant {
  return {
    promise: "zombie-makes-no-sandbox",
    onSandboxChange: ({ sandbox, epoch, newestEpoch }) =>
      epoch < newestEpoch ? `epoch ${epoch} changes ${sandbox} although ${newestEpoch} has` : null,
  };
}

/** What a person did not want to be run again, or what has its receipt, does not begin. */
export function nothingRunsAfterItsReceipt(): Invariant {
  return {
    promise: "nothing-runs-after-its-receipt",
    onRun: ({ log, request, epoch }) => {
      const attempt = attemptOf(log, request.execId);
      if (attempt !== undefined && attempt.end !== null && epoch >= log.epoch)
        return `${request.execId} begins although the attempt has ended`;
      const call = callOf(log, request.execId)?.call;
      // A zombie of which nobody knows yet cannot know of the receipt.
      if (call?.result == null || epoch < log.epoch) return null;
      return `${request.execId} begins although the call has its receipt`;
    },
  };
}

function callOf(
  log: ObservedLog,
  exec: string,
): { readonly call: CallRecord; readonly run: number } | undefined {
  const [, name = "", run = ""] = exec.split("/");
  const call = log.calls.get(name as CallId);
  if (call === undefined || execId(log.session, name as CallId, Number(run)) !== exec) return undefined;
  return { call, run: Number(run) };
}

function attemptOf(log: ObservedLog, exec: string): AttemptRecord | undefined {
  const number = Number(/\/a(\d+)\/1$/.exec(exec)?.[1]);
  return Number.isNaN(number) || attemptExecId(log.session, number) !== exec
    ? undefined
    : log.attempts.get(number);
}
