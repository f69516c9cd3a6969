/** Tables of `decide`: a log, a moment, and the whole step that is expected. */
import { expect, test } from "vitest";
import { decide, type Intent, type Now, type Step } from "../../src/core/decide.ts";
import type { EventInput } from "../../src/core/events/index.ts";
import { asSessionId, type CallId, type ExecId, type SandboxId } from "../../src/core/ids.ts";
import type { CallState, SessionState } from "../../src/core/state.ts";
import { SANDBOX, SESSION } from "./events.ts";
import { nowOf, stateOf } from "./logs.ts";

/** One row of a table. */
export interface DecideRow {
  readonly name: string;
  readonly log: readonly EventInput[];
  readonly now?: Partial<Now> & { readonly tokens?: number };
  /** A step, or how to make it out of the folded state. */
  readonly step: Step | ((state: SessionState) => Step);
}

/** A test per row. */
export function decideTable(rows: readonly DecideRow[]): void {
  test.each(rows)("$name", ({ log, now, step }) => {
    const state = stateOf(...log);
    expect(decide(state, nowOf(state, now))).toEqual(typeof step === "function" ? step(state) : step);
  });
}

/** An intent, made out of the folded state (calls carry their whole state). */
export type IntentOf = (state: SessionState) => Intent;

/** The step that wants exactly these running. */
export function performs(
  withinMs: number | null,
  ...intents: readonly IntentOf[]
): (s: SessionState) => Step {
  return (state) => ({ kind: "perform", intents: intents.map((make) => make(state)), withinMs });
}

/** The state of one call. */
export function callOf(state: SessionState, call: string): CallState {
  const found = state.calls.find((candidate) => candidate.call === call);
  if (found === undefined) throw new Error(`no call ${call}`);
  return found;
}

export const model =
  (request = 1, epoch = 1): IntentOf =>
  () => ({ kind: "model", key: `model/${request}/${epoch}`, request });

export const exec =
  (call: string, run = 1, incarnation = "i1"): IntentOf =>
  (state) => ({
    kind: "exec",
    key: `exec/${SESSION}/${call}/${run}/${incarnation}`,
    call: callOf(state, call),
    execId: `${SESSION}/${call}/${run}` as ExecId,
  });

export const prepare =
  (call: string, run = 0, incarnation = "i1"): IntentOf =>
  (state) => ({
    kind: "prepare",
    key: `prepare/${call}/${run}/${incarnation}`,
    call: callOf(state, call),
  });

export const kill =
  (call: string, run = 1, incarnation = "i1"): IntentOf =>
  () => ({
    kind: "cancel",
    key: `cancel/${SESSION}/${call}/${run}/${incarnation}`,
    call: call as CallId,
    execId: `${asSessionId(SESSION)}/${call}/${run}` as ExecId,
  });

export const provision =
  (failures = 0, sandbox: string = SANDBOX): IntentOf =>
  () => ({ kind: "provision", key: `provision/${sandbox}/${failures}`, sandbox: sandbox as SandboxId });

export const destroy =
  (sandbox: string = SANDBOX): IntentOf =>
  () => ({ kind: "destroy", key: `destroy/${sandbox}`, sandbox: sandbox as SandboxId });
