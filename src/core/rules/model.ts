/** Which model is asked. */
import type { EventBody } from "../events/index.ts";
import type { SessionState } from "../state.ts";

/** A model as the log names it. */
export type Model = EventBody<"session.created">["agent"]["model"];

/** The session's own, unless it may not be asked now and another one stands in. */
export function modelToAsk({ config, switched }: SessionState, at: number): Model | null {
  if (config === null) return null;
  const { model, fallback } = config.agent;
  const isAway = switched !== null && at < switched.until && at >= switched.decidedAt;
  return isAway && fallback !== undefined ? fallback : model;
}

/** How a model is named in events. */
export function nameOf({ provider, id }: Model): string {
  return `${provider}:${id}`;
}
