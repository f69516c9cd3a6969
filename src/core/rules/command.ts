/**
 * A program of somebody else's works by itself: an attempt is one process of it. What it says and how it exits decides
 * nothing: each attempt ends in a checkpoint and a verdict, and the next one begins from what the verdict says.
 */

import type { OpenAttempt } from "../attempt/state.ts";
import { isDayCap } from "../budget/state.ts";
import { hasSpentVerdicts } from "../contract/verdict-cap.ts";
import { type EventInput, event } from "../events/index.ts";
import { attemptCallId, attemptExecId } from "../ids.ts";
import type { Halt, SessionState, StopReason } from "../state.ts";
import { append, attemptIntent, type Intent, inFlight, type Now, perform, type Step } from "../step.ts";
import { attemptBegun, attemptEnded } from "./attempts.ts";
import { capReached, type Exhausted, exceededAttempts, exceededDay, park } from "./budget.ts";
import { checkpointAtRest, unsavable } from "./checkpoint.ts";
import { verdictsSpent } from "./contract.ts";
import { admit } from "./gateway.ts";
import { canRun, sandboxWanted } from "./sandbox.ts";

/** Is a program at work, as far as the log knows? */
export function isAttempting({ command, attempts }: SessionState): boolean {
  return command !== null && attempts.open !== null;
}

/** It runs on, in the sandbox in which it began; when that is gone, so is the process. */
export function attempting(state: SessionState, now: Now): Step {
  const { open } = state.attempts;
  if (open === null) return perform(inFlight(state));
  if (!isReachable(state)) return append(attemptEnded(open, "lost", now.at));
  return perform([...inFlight(state), attemptIntent(state, open.number)]);
}

function isReachable({ sandbox, command }: SessionState): boolean {
  return sandbox?.status === "ready" && sandbox.incarnation === command?.incarnation;
}

/** The next attempt, unless a cap is reached or nothing comes of them. One decision at a time. */
export function attemptOwed(state: SessionState, now: Now): Step {
  if (state.queue.length > 0) {
    const seqs = state.queue.flat().map(({ seq }) => seq);
    return append(event("harness.input_accepted", { seqs: seqs.slice(0, INPUT_MAX) }));
  }
  const end = endBefore(state, now) ?? saveFirst(state);
  if (end !== null) return end;
  if (!canRun(state)) return sandboxWanted(state, now, []);
  const begun = attemptBegun(state, now.at);
  const { id = "", incarnation = "" } = state.sandbox ?? {};
  return append(
    begun.type === "attempt.started"
      ? event("attempt.started", { ...begun.body, sandbox: id, incarnation })
      : begun,
  );
}

/** Messages in one event. */
const INPUT_MAX = 1000;

/** What the last attempt has left is saved, also when nobody looked at it: the next one may lose its sandbox. */
function saveFirst(state: SessionState): Step | null {
  const checkpoint = checkpointAtRest(state);
  return checkpoint.length > 0 ? append(...checkpoint) : unsavable(state);
}

function endBefore(state: SessionState, now: Now): Step | null {
  const { command, config } = state;
  if (command === null || config === null) return append();
  // Nobody would look at what it does.
  if (state.contract !== null && hasSpentVerdicts(state.contract)) return append(verdictsSpent());
  const max = config.agent.command?.fruitless_max ?? 1;
  if (command.fruitless >= max) {
    const detail = `${command.fruitless} ${command.fruitless === 1 ? "attempt" : "attempts"} in a row changed neither the files nor the verdict`;
    return append(event("breaker.tripped", { cause: "no_progress", detail }), idle({ type: "stalled" }));
  }
  // What the gateway has refused it would refuse again.
  if (command.exhausted !== null && isExceededStill(command.exhausted, now))
    return append(idle(capReached(command.exhausted.cap, now)));
  const attempts = exceededAttempts(state);
  if (attempts !== null) return park(attempts, now);
  if (config.agent.command?.gateway === undefined) return null;
  const smallest = admit(state, { bodyBytes: 0, maxOutputTokens: 1 }, now);
  return smallest.status === "exceeded" ? park(smallest.exceeded, now) : null;
}

/** A day ends by itself, and others give back what they have reserved of it. */
function isExceededStill({ cap, wanted }: Exhausted, { day }: Now): boolean {
  if (!isDayCap(cap)) return true;
  if (day === undefined) return false;
  const wantedOf = (kind: string): number => (cap === `day.${kind}` ? wanted : 0);
  const again = {
    requests: wantedOf("model_requests"),
    tokens: wantedOf("tokens"),
    costMicroUsd: wantedOf("cost_micro_usd"),
  };
  return exceededDay(day, again) !== null;
}

function idle(reason: StopReason): EventInput {
  return event("session.status_idle", { stop_reason: reason });
}

/** A pause lets it come to its end and begins no other; whatever else a person wants ends it first. */
export function haltingAttempt(state: SessionState, halt: Halt, open: OpenAttempt, now: Now): Step {
  if (halt.kind === "pause") return attempting(state, now);
  if (!isReachable(state)) return append(attemptEnded(open, "lost", now.at));
  return perform([...inFlight(state), attemptIntent(state, open.number), cancelIntent(state, open)]);
}

function cancelIntent({ sessionId, command }: SessionState, { number }: OpenAttempt): Intent {
  const execId = attemptExecId(sessionId, number);
  const key = `cancel/${execId}/${command?.incarnation ?? ""}`;
  return { kind: "cancel", key, call: attemptCallId(number), execId };
}
