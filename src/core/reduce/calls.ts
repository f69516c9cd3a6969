/** Facts about tool calls. */

import { REQUEST_VERDICT } from "../contract/session-tools.ts";
import type { EventBody, SessionEvent } from "../events/index.ts";
import type { CallId } from "../ids.ts";
import { namesSetUp } from "../set-up-files.ts";
import type { CallState, SessionState } from "../state.ts";
import { verdictWished } from "./contract.ts";
import { noteUnsaved } from "./workspace.ts";

/** Notes `agent.*` and `tool.*`. */
export function reduceCalls(state: SessionState, event: SessionEvent): SessionState {
  switch (event.type) {
    case "agent.tool_use":
      return { ...verdictWanted(state, event.body), calls: [...state.calls, requested(event)] };
    case "tool.prepared":
      return change(state, event.body.call, () => ({
        prepared: { before: event.body.before, after: event.body.after },
        path: event.body.path === "" ? null : event.body.path,
      }));
    case "tool.started":
      return change(noteUnsaved(state, event.body), event.body.call, (call) => started(call, event.body));
    case "tool.in_doubt":
      return change(state, event.body.call, () => ({
        status: "in_doubt",
        finding: event.body.finding,
        prepared: null,
      }));
    case "agent.tool_result":
      return answered(state, event.body);
    default:
      return state;
  }
}

/** To ask for a verdict is all that an agent can do about being done. */
function verdictWanted(state: SessionState, body: EventBody<"agent.tool_use">): SessionState {
  const { contract } = state;
  if (contract === null || body.name !== REQUEST_VERDICT || body.invalid !== undefined) return state;
  return { ...state, contract: verdictWished(contract, "asked") };
}

function requested(event: SessionEvent<"agent.tool_use">): CallState {
  const { body } = event;
  return {
    call: body.call as CallId,
    seq: event.seq,
    name: body.name,
    effect: body.effect,
    permission: body.evaluated_permission,
    invalid: body.invalid ?? null,
    status: "requested",
    run: 0,
    incarnation: "",
    startedAt: 0,
    prepared: null,
    path: null,
    intended: null,
    finding: "unknown",
    confirmation: null,
    denyMessage: null,
    ...(namesSetUp(body.input) && { namesSetUp: true as const }),
  };
}

function started(call: CallState, body: EventBody<"tool.started">): Partial<CallState> {
  return {
    status: "started",
    run: body.run,
    incarnation: body.incarnation,
    startedAt: body.at,
    intended: call.prepared,
    confirmation: null,
  };
}

function answered(state: SessionState, body: EventBody<"agent.tool_result">): SessionState {
  const next = change(state, body.call, () => ({ status: "answered" }));
  if (next === state) return state;
  const { sandbox } = state;
  // A result from before a loss says nothing about the sandbox that is being made again.
  const worked = body.run > 0 && !body.in_doubt && sandbox?.status === "ready" && sandbox.failures > 0;
  return { ...next, answerOwed: true, sandbox: worked ? { ...sandbox, failures: 0 } : sandbox };
}

/** An answered call never changes again: its receipt is final. */
function change(
  state: SessionState,
  call: string,
  update: (call: CallState) => Partial<CallState>,
): SessionState {
  const index = state.calls.findIndex(
    (candidate) => candidate.call === call && candidate.status !== "answered",
  );
  const current = state.calls[index];
  if (current === undefined) return state;
  return { ...state, calls: state.calls.with(index, { ...current, ...update(current) }) };
}
