/**
 * A context is replaced: the model is asked for its part of a handoff, the files are saved, the handoff is written from
 * log and git, and the next thread begins with it. Each step is in the log before the next one.
 */
import { HAND_OFF } from "../contract/session-tools.ts";
import { type EventInput, event } from "../events/index.ts";
import type { SessionState } from "../state.ts";
import { append, inFlight, type Now, perform, type Step } from "../step.ts";
import { sendRequest } from "./answer.ts";
import { attemptBegun, attemptEnded, handoffRequested } from "./attempts.ts";
import { exceededAttempts, exceededCap, park, worstCase } from "./budget.ts";
import { checkpointBefore, isCheckpointing, takenBack } from "./checkpoint.ts";
import { type ContextChoice, type ContextSignals, chooseContext, type WaysBack } from "./context-policy.ts";
import { modelToAsk } from "./model.ts";
import { openThread } from "./thread.ts";

/** Requests ago at the most that a note of the model still counts, so that it is not asked again. */
const NOTE_AGE_MAX = 3;
/** Tokens that question and answer may need. */
const ASK_TOKENS = 6000;

/** Is the context being replaced, or about to be? */
export function isChangingContext(state: SessionState, now: Now): boolean {
  return state.attempts.change !== null || contextChoice(state, now) !== null;
}

/** The next step of it. */
export function changingContext(state: SessionState, now: Now): Step {
  const { attempts, config } = state;
  const { change } = attempts;
  if (config === null) return append();
  if (change === null) return append(...decided(state, now));
  if (mayAsk(state, now)) return append(asking());
  if (change.askedRequest !== null && state.requests < change.askedRequest) return sendRequest(state, now);
  if (change.choice !== "compact") {
    if (isCheckpointing(state)) return perform(inFlight(state));
    const saving = checkpointBefore(state, "handoff");
    if (saving.length > 0) return append(...saving);
  }
  if (attempts.making !== null) return perform(inFlight(state));
  if (change.handoff === 0) return append(handoffRequested(state));
  const model = modelToAsk(state, now.at) ?? config.agent.model;
  if (change.choice === "compact") return append(openThread(state, config, model, now, "compact"));
  if (change.isApplied) return append(openThread(state, config, model, now, "reset"));
  const exhausted = exceededAttempts(state);
  return exhausted === null ? append(...replaced(state, now)) : park(exhausted, now);
}

function contextChoice(state: SessionState, now: Now): ContextChoice | null {
  const { attempts, thread, config, contract } = state;
  if (thread === null || config === null) return null;
  if (attempts.isRetryAsked) return { choice: "reset", cause: "asked" };
  const profile = config.policy.context;
  // Only what is about to be sent can be too much.
  if (profile === undefined || !(state.answerOwed || state.queue.length > 0)) return null;
  // An attempt has a context of its own; one that is only about to begin, or has just begun, has it from its first request.
  if (contract !== null && attempts.open?.hasThread !== true) return null;
  return chooseContext(signalsOf(state, now), profile, waysBack(state));
}

/** What is known of the context and of the work. */
function signalsOf(state: SessionState, now: Now): ContextSignals {
  const { attempts, config, inputSurplus, retry } = state;
  const { turns, errorsInRow, compactions, sameVerdicts, fruitlessAttempts } = attempts.progress;
  return {
    fill_tokens: Math.max(0, now.context().tokens - inputSurplus),
    window_tokens: config?.policy.context?.window_tokens ?? null,
    overflowed: retry?.errorClass === "context_overflow",
    errors_in_row: errorsInRow,
    turns,
    compactions,
    same_verdicts: sameVerdicts,
    fruitless_attempts: fruitlessAttempts,
  };
}

function waysBack({ attempts, workspace }: SessionState): WaysBack {
  const { best, restarts } = attempts.progress;
  return {
    canRewind:
      best !== null && best.met > attempts.metAtBase.length && workspace?.saved.commit !== best.commit,
    canRestart: workspace !== null && workspace.saved.number > 0 && restarts === 0,
  };
}

function decided(state: SessionState, now: Now): EventInput[] {
  const choice = contextChoice(state, now);
  if (choice === null) return [];
  const to = goalOf(state, choice.choice);
  const signals = signalsOf(state, now);
  return [event("context.decided", { ...choice, signals, ...(to !== null && { to }) })];
}

function goalOf(
  { attempts, config }: SessionState,
  choice: ContextChoice["choice"],
): { readonly checkpoint: number; readonly commit: string } | null {
  const { best } = attempts.progress;
  const base = config?.sandbox.checkout?.base;
  if (choice === "rewind" && best !== null) return { checkpoint: best.checkpoint, commit: best.commit };
  return choice === "restart" && base !== undefined ? { checkpoint: 0, commit: base } : null;
}

/** One request more, when there is room for it and the model has not just said it of its own accord. */
function mayAsk(state: SessionState, now: Now): boolean {
  const { attempts, config, retry, requests } = state;
  const { change, notedAt, making } = attempts;
  if (change === null || change.askedRequest !== null || change.handoff > 0 || making !== null) return false;
  if (change.isApplied) return false;
  if (config === null || !config.agent.tools.includes(HAND_OFF) || retry !== null) return false;
  if (notedAt > 0 && requests - notedAt < NOTE_AGE_MAX) return false;
  // A cap that leaves no room for it must not keep a person's retry from its new attempt.
  if (exceededCap(state, worstCase(state, now), now) !== null) return false;
  const { fill_tokens, window_tokens } = signalsOf(state, now);
  return (
    window_tokens === null || fill_tokens + ASK_TOKENS + config.agent.model.max_output_tokens <= window_tokens
  );
}

function asking(): EventInput {
  const text = `[harness] Your context is about to be replaced by a fresh one that remembers nothing of it. Call ${HAND_OFF} now, and nothing else: the exact next step, what you have decided, what you have tried that does not work, and which criteria are still unmet. Goal, constraints and verdicts are handed over without you.`;
  return event("handoff.asked", { content: [{ type: "text", text }] });
}

/** The attempt is over; the next one begins, with the files that it is to have. */
function replaced(state: SessionState, { at }: Now): EventInput[] {
  const { attempts } = state;
  const { change, open } = attempts;
  if (change === null || change.choice === "compact") return [];
  const { choice, to } = change;
  const ended = open === null ? [] : [attemptEnded(open, choice === "reset" ? "reset" : "rewound", at)];
  const back =
    to === null ? [] : takenBack(state, to, `The harness took the workspace back to ${placeOf(to)}`);
  return [...ended, ...back, attemptBegun(state, at, choice, to?.commit)];
}

function placeOf({ checkpoint }: { readonly checkpoint: number }): string {
  return checkpoint === 0 ? "its base" : `checkpoint ${checkpoint}`;
}
