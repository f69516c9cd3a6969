/** What a session asks of a person, in their words. */
import type { EventBody } from "../../core/events/index.ts";

/** How a person names a layer: enough of its key to mean no other one. */
export function shortKey(key: string): string {
  return key.slice(0, 12);
}

/** What a person can approve or deny, by the names they use. */
export function askedOf(reason: EventBody<"session.status_idle">["stop_reason"] | null): readonly string[] {
  if (reason?.type !== "requires_action") return [];
  return reason.environment === undefined ? reason.calls : [shortKey(reason.environment)];
}

/** What a session needs that rests for a person. */
export function neededText(
  reason: Extract<EventBody<"session.status_idle">["stop_reason"], { type: "requires_action" }>,
): string {
  const { calls, questions = [], environment } = reason;
  return [
    ...(questions.length > 0 ? [`it asks ${questions.join(", ")}`] : []),
    ...(calls.length > 0 ? [`may ${calls.join(", ")} run?`] : []),
    ...(environment === undefined
      ? []
      : [`may the changed dependencies be installed (layer ${shortKey(environment)})?`]),
  ].join("; ");
}
