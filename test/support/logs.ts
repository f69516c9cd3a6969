/** Logs of tests: placing events, folding them, and the situations that many tests start from. */
import { type Context, emptyContext, reduceContext } from "../../src/core/context.ts";
import type { EventInput, SessionEvent } from "../../src/core/events/index.ts";
import { foldEvents } from "../../src/core/reduce.ts";
import type { SessionState } from "../../src/core/state.ts";
import type { HarnessProfile, Now } from "../../src/core/step.ts";
import {
  accepted,
  answered,
  asked,
  created,
  running,
  SESSION,
  START_MS,
  said,
  sandboxReady,
  sandboxRequested,
  threadStart,
  type Variations,
  woke,
} from "./events.ts";

/** Gives events their places: dense from 1, a second apart. */
export function place(inputs: readonly EventInput[], after = 0): SessionEvent[] {
  return inputs.map(
    (input, index) =>
      ({ ...input, seq: after + index + 1, at: START_MS + (after + index) * 1000 }) as SessionEvent,
  );
}

/** The fold of a log. */
export function stateOf(...inputs: readonly EventInput[]): SessionState {
  return foldEvents(SESSION, place(inputs));
}

/** The context of a log. */
export function contextOf(...inputs: readonly EventInput[]): Context {
  return place(inputs).reduce(reduceContext, emptyContext());
}

/** What the harness of core tests brings along. */
export const PROFILE: HarnessProfile = {
  version: "0.0.0",
  renderer: 1,
  renderers: [1],
  tools: new Map(
    ["shell", "write", "hand_off"].map((name) => [
      name,
      { name, description: `runs ${name}`, inputSchema: {} },
    ]),
  ),
};

/** A moment right after a log's last event (which `at` overrides). */
export function nowOf(state: SessionState, more: Partial<Now> & { readonly tokens?: number } = {}): Now {
  const { tokens = 100, ...rest } = more;
  return {
    at: state.lastEventAt + 1000,
    epoch: 1,
    quietMs: 0,
    context: () => ({ hash: "hash", tokens }),
    inputOf: () => ({ command: "true" }),
    profile: PROFILE,
    ...rest,
  };
}

/** 8 events: the first request is in flight, the sandbox is being made. */
export function asking(variations?: Variations): EventInput[] {
  return [
    created(variations),
    said("go"),
    woke(),
    running,
    threadStart(),
    accepted(2),
    sandboxRequested(),
    asked(1, { through_seq: 6 }),
  ];
}

/** As {@link asking}, and the sandbox is ready. */
export function askingWithSandbox(variations?: Variations): EventInput[] {
  return [...asking(variations), sandboxReady()];
}

/** 10 events: an answer has come that `calls` belong to; the sandbox is ready. */
export function calling(...calls: readonly EventInput[]): EventInput[] {
  return [...askingWithSandbox(), answered(1, { stop_reason: "tool_use" }), ...calls];
}
