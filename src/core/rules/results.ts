/** Receipts that the harness writes itself, for calls that no execution answers. */
import { type EventInput, event } from "../events/index.ts";
import type { CallState } from "../state.ts";

/** The harness itself has done what the call asked for. */
export function answeredHere(call: CallState, text: string): EventInput {
  return receipt(call, { run: 0, ending: "exited", text, inDoubt: false, isError: false });
}

type Ending = "cancelled" | "refused" | "not_run" | "sandbox_lost";

/** The call never ran, so nothing happened. */
export function neverRan(call: CallState, ending: Ending, text: string): EventInput {
  return receipt(call, { run: 0, ending, text, inDoubt: false, isError: true });
}

/** Nobody knows whether, or how far, it ran. Said plainly, so that the model looks before it repeats. */
export function outcomeUnknown(call: CallState, reason: string): EventInput {
  const text = `Outcome unknown: ${reason}. The command may have run wholly, in part, or not at all. It was not repeated. Look at the actual state before you decide what to do.`;
  return receipt(call, { run: call.run, ending: "sandbox_lost", text, inDoubt: true, isError: true });
}

/** The content hashes show that the write happened before its receipt was lost. */
export function reconciled(call: CallState): EventInput {
  return receipt(call, {
    run: call.run,
    ending: "exited",
    text: "Done. (Confirmed by the file's content hash after an interruption.)",
    inDoubt: false,
    isError: false,
  });
}

function receipt(
  call: CallState,
  what: {
    readonly run: number;
    readonly ending: Ending | "exited";
    readonly text: string;
    readonly inDoubt: boolean;
    readonly isError: boolean;
  },
): EventInput {
  return event("agent.tool_result", {
    call: call.call,
    run: what.run,
    content: [{ type: "text", text: what.text }],
    is_error: what.isError,
    ending: what.ending,
    exit_code: null,
    duration_ms: 0,
    dropped_bytes: 0,
    in_doubt: what.inDoubt,
  });
}
