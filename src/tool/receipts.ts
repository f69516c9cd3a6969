/** What the model reads of an execution. */
import { type EventBody, type EventInput, event } from "../core/events/index.ts";
import { outcomeUnknown } from "../core/rules/results.ts";
import type { CallState } from "../core/state.ts";
import type { ExecReply, ExecResult } from "../sandbox/contract.ts";

/** The receipt of a finished execution. */
export function answerFrom(call: CallState, result: ExecResult): EventInput {
  return event("agent.tool_result", {
    call: call.call,
    run: call.run,
    content: [{ type: "text", text: describe(result) }],
    is_error: result.ending !== "exited" || result.exitCode !== 0,
    ending: result.ending,
    exit_code: result.exitCode,
    duration_ms: Math.max(0, Math.round(result.durationMs)),
    dropped_bytes: result.droppedBytes,
    in_doubt: false,
  });
}

/** The receipt of a call that was refused before anything was touched. */
export function refusedAnswer(call: CallState, reason: string): EventInput {
  return event("agent.tool_result", {
    call: call.call,
    run: call.run,
    content: [{ type: "text", text: reason }],
    is_error: true,
    ending: "refused",
    exit_code: null,
    duration_ms: 0,
    dropped_bytes: 0,
    in_doubt: false,
  });
}

/** Nobody can say yet what came of the run. */
export function doubtFrom(
  call: CallState,
  finding: EventBody<"tool.in_doubt">["finding"],
  reason: string,
): EventInput {
  return event("tool.in_doubt", { call: call.call, run: call.run, finding, reason });
}

function describe(result: ExecResult): string {
  const ending = endingLine(result);
  if (result.output === "") return ending || "(no output)";
  return ending === ""
    ? result.output
    : `${result.output}${result.output.endsWith("\n") ? "" : "\n"}${ending}`;
}

function endingLine(result: ExecResult): string {
  switch (result.ending) {
    case "exited":
      return result.exitCode === 0 || result.exitCode === null ? "" : `[exit code ${result.exitCode}]`;
    case "timed_out":
      return `[killed: it ran longer than its limit, ${Math.round(result.durationMs / 1000)} s]`;
    case "cancelled":
      return "[killed: cancelled by a person]";
    case "out_of_memory":
      return "[killed: out of memory]";
    case "refused":
      return "";
    default:
      return "";
  }
}

/** An older release has made the call, and this one cannot carry it on. */
export function withoutTool(call: CallState): EventInput {
  const reason = `This release has no tool "${call.name}".`;
  return call.status === "requested"
    ? refusedAnswer(call, reason)
    : outcomeUnknown(call, reason.slice(0, -1));
}

/** What the daemon has answered, as a fact. */
export function receiptOf(call: CallState, reply: ExecReply): EventInput {
  switch (reply.status) {
    case "finished":
      return answerFrom(call, reply.result);
    case "not_started":
      return doubtFrom(call, "not_started", "the daemon was replaced before the run began");
    case "unknown":
      return doubtFrom(call, "unknown", reply.reason);
  }
}
