/** Event types and the names of all events, free of run-time imports. */
import type { Sequence } from "../ids.ts";
import type { ClientEventType, EventBody, EventType } from "./catalogue.ts";

export type { ClientEventType, EventBody, EventType };

/** An event that is about to be written: no place in the log yet. */
export type EventInput<T extends EventType = EventType> = T extends EventType
  ? { readonly type: T; readonly body: EventBody<T> }
  : never;

/** What a client may submit. */
export type ClientEventInput = EventInput<ClientEventType>;

/** An event as stored, upcast to the newest version. */
export type SessionEvent<T extends EventType = EventType> = T extends EventType
  ? { readonly type: T; readonly body: EventBody<T>; readonly seq: Sequence; readonly at: number }
  : never;

/**
 * Newest version of each type. An event whose shape changes gets the next number and an upcaster; the old one
 * stays readable for ever.
 */
export const EVENT_VERSIONS: { readonly [T in EventType]: number } = {
  "session.created": 1,
  "session.forked": 1,
  "session.thread_created": 1,
  "session.status_running": 1,
  "session.status_idle": 1,
  "session.status_rescheduled": 1,
  "session.status_terminated": 1,
  "session.error": 1,
  "user.message": 1,
  "user.interrupt": 1,
  "user.tool_confirmation": 1,
  "control.pause": 1,
  "control.resume": 1,
  "control.stop": 1,
  "control.cancel": 1,
  "control.set_limits": 1,
  "control.checkpoint": 1,
  "control.rewind": 1,
  "span.model_request_start": 1,
  "span.model_request_end": 1,
  "agent.thinking": 1,
  "agent.message": 1,
  "agent.tool_use": 1,
  "agent.tool_result": 1,
  "tool.prepared": 1,
  "tool.started": 1,
  "tool.in_doubt": 1,
  "harness.woke": 1,
  "harness.suspended": 1,
  "harness.input_accepted": 1,
  "harness.input_rejected": 1,
  "sandbox.requested": 1,
  "sandbox.ready": 1,
  "sandbox.lost": 1,
  "sandbox.rescheduled": 1,
  "sandbox.services_requested": 1,
  "sandbox.services_ready": 1,
  "sandbox.services_failed": 1,
  "sandbox.destroy_requested": 1,
  "sandbox.destroyed": 1,
  "checkpoint.requested": 1,
  "checkpoint.created": 1,
  "checkpoint.failed": 1,
  "workspace.restored": 1,
  "workspace.rewound": 1,
  "egress.decided": 1,
  "environment.decided": 1,
  "budget.exhausted": 1,
  "breaker.tripped": 1,
  "breaker.nudged": 1,
  "model.switched": 1,
  "contract.sealed": 1,
  "contract.amended": 1,
  "contract.drifted": 1,
  "contract.rendered": 1,
  "contract.declared": 1,
  "preflight.started": 1,
  "preflight.finished": 1,
  "control.amend_contract": 1,
  "control.waive": 1,
  "control.request_verdict": 1,
  "approval.decided": 1,
  "question.asked": 1,
  "question.answered": 1,
  "question.expired": 1,
  "approval.requested": 1,
  "approval.expired": 1,
  "notification.sent": 1,
  "verdict.requested": 1,
  "referee.composed": 1,
  "referee.checked": 1,
  "referee.attributed": 1,
  "referee.contrasted": 1,
  "referee.ratcheted": 1,
  "judge.request_start": 1,
  "judge.request_end": 1,
  "judge.graded": 1,
  "verdict.given": 1,
  "attempt.started": 1,
  "attempt.ended": 1,
  "control.publish": 1,
  "branch.published": 1,
  "branch.refused": 1,
  "attempt.repeat_refused": 1,
  "context.decided": 1,
  "handoff.asked": 1,
  "handoff.noted": 1,
  "handoff.requested": 1,
  "handoff.recorded": 1,
  "control.retry": 1,
  "attempt.prompted": 1,
  "gateway.request_started": 1,
  "gateway.request_ended": 1,
};

/** True for types that clients may submit: decided by domain, so that a new one needs no second list. */
export function isClientType(type: string): type is ClientEventType {
  return /^(user\.|control\.|question\.answered$|approval\.decided$)/.test(type) && type in EVENT_VERSIONS;
}

/** Makes an input; exists so that a literal is checked against its type's body at the call site. */
export function event<T extends EventType>(type: T, body: EventBody<T>): EventInput<T> {
  return { type, body } as unknown as EventInput<T>;
}
