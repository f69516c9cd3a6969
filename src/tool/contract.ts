/**
 * Tools: what an agent may do. A tool is a description for the model, a check of its input, and an operation of
 * the exec daemon; it has no code of its own that runs in the harness.
 */
import type { EventBody } from "../core/events/index.ts";
import type { Json } from "../core/text.ts";
import type { ToolDescription } from "../model/contract.ts";
import type { Operation } from "../sandbox/contract.ts";

/** What running a call twice would do. */
export type Effect = EventBody<"agent.tool_use">["effect"];

/** A tool that runs in the sandbox, or is answered by the harness. */
export interface Tool {
  readonly name: string;
  /** Of the exec daemon; `session`: the harness answers itself. */
  readonly operation: Operation | "session";
  readonly description: ToolDescription;
  /** The effect of a call with this (valid) input. Calls of one turn run beside each other, but `reconcilable` ones alone. */
  effectOf(input: Json): Effect;
  /** Undefined when the input fits; else what is wrong with it, for the model. */
  check(input: Json): string | undefined;
}
