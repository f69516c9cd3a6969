/**
 * A person wants it to pause, to be interrupted, to stop or to be cancelled, or a cap on time was reached. Pause and
 * interrupt let running tools finish; the others kill them first and write their receipts after. Pause keeps calls that
 * have not run.
 */
import { unreachable } from "../errors.ts";
import { type EventInput, event } from "../events/index.ts";
import type { CallState, Halt, SessionState, StopReason } from "../state.ts";
import { append, execIntent, type Intent, inFlight, type Now, perform, type Step } from "../step.ts";
import { attemptAtRest } from "./attempts.ts";
import { isCheckpointing, rewound } from "./checkpoint.ts";
import { haltingAttempt } from "./command.ts";
import { answering } from "./request.ts";
import { neverRan, outcomeUnknown } from "./results.ts";

/** Brings the session to a halt, then says so. */
export function halting(state: SessionState, now: Now): Step {
  const { halt } = state;
  if (halt === null) return perform([]);
  if (halt.kind === "pause" && state.request !== null) return answering(state, now);
  const { open } = state.attempts;
  if (state.command !== null && open !== null) return haltingAttempt(state, halt, open, now);
  const closing = [...endRequest(state), ...closeCalls(state, halt)];
  if (closing.length > 0) return append(...closing);
  const running = state.calls.filter((call) => call.status === "started");
  if (running.length > 0)
    return perform([...inFlight(state), ...running.flatMap((call) => windDown(state, halt, call))]);
  // The files must not be read and taken away at the same time.
  if (halt.kind === "rewind" && isCheckpointing(state)) return perform(inFlight(state));
  return append(...halted(state, halt, now.at));
}

function endRequest(state: SessionState): EventInput[] {
  if (state.request === null) return [];
  const { number } = state.request;
  return [
    event("span.model_request_end", {
      request: number,
      outcome: "interrupted",
      is_error: false,
      duration_ms: 0,
    }),
  ];
}

/** Receipts for the calls that nothing more will happen to. */
function closeCalls(state: SessionState, halt: Halt): EventInput[] {
  return state.calls.flatMap((call) => {
    switch (call.status) {
      case "answered":
        return [];
      case "started":
        return state.sandbox?.status === "ready" ? [] : closeStranded(halt, call);
      case "in_doubt":
        return halt.kind === "pause"
          ? []
          : [
              outcomeUnknown(
                call,
                `the run was cut short and then stopped by ${halt.kind === "budget" ? "a cap on time" : "a person"}`,
              ),
            ];
      case "requested":
        return halt.kind === "pause"
          ? []
          : [
              neverRan(
                call,
                "cancelled",
                `Not run: ${halt.kind === "budget" ? "a cap on time" : "the person"} stopped the agent first.`,
              ),
            ];
      default:
        return unreachable(call.status);
    }
  });
}

/** Its sandbox is gone, so it can be neither waited for nor killed from here. */
function closeStranded(halt: Halt, call: CallState): EventInput[] {
  if (halt.kind === "pause")
    return [
      event("tool.in_doubt", {
        call: call.call,
        run: call.run,
        finding: "unknown",
        reason: "the sandbox was lost",
      }),
    ];
  return [outcomeUnknown(call, "the sandbox was lost before the run ended")];
}

function windDown(state: SessionState, halt: Halt, call: CallState): Intent[] {
  const exec = execIntent(state, call);
  if (halt.kind === "pause" || halt.kind === "interrupt") return [exec];
  if (exec.kind !== "exec") return [exec];
  return [
    exec,
    {
      kind: "cancel",
      key: `cancel/${exec.execId}/${state.sandbox?.incarnation ?? ""}`,
      call: call.call,
      execId: exec.execId,
    },
  ];
}

function halted(state: SessionState, halt: Halt, at: number): EventInput[] {
  if (halt.kind === "cancel")
    return [
      ...attemptAtRest(state, null, at),
      event("session.status_terminated", { reason: "cancelled by a person" }),
    ];
  const reasons: { readonly [kind in Exclude<Halt["kind"], "cancel">]: StopReason } = {
    pause: { type: "paused" },
    interrupt: { type: "end_turn" },
    budget: { type: "budget_reached", cap: state.budget.exhausted ?? "duration_ms" },
    stop: { type: "stopped" },
    rewind: { type: "stopped" },
  };
  const idle = event("session.status_idle", { stop_reason: reasons[halt.kind] });
  return halt.kind === "rewind" ? [...rewound(state), idle] : [idle];
}
