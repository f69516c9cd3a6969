/** Where a session stands whose worker is a program of somebody else's. Part of the session's state. */
import type { EventBody } from "../events/index.ts";

/** How the program is run. */
export type CommandAgent = NonNullable<EventBody<"session.created">["agent"]["command"]>;

/** What is known of the program and of what it asks models for. */
export interface CommandState {
  /** The life of the sandbox in which the open attempt runs. */
  readonly incarnation: string;
  /** Have files changed since the open attempt, or the last one, began? */
  readonly hasChanged: boolean;
  /** Attempts in a row that changed neither files nor verdict. */
  readonly fruitless: number;
  /** The cap that the gateway has refused a request for; null once a person has raised caps. */
  readonly exhausted: EventBody<"budget.exhausted"> | null;
  /** Number of the last request through the gateway. */
  readonly requests: number;
  /** Requests without their receipts. */
  readonly open: readonly GatewayRequest[];
  /** What providers have counted so far; null before the first time. */
  readonly counted: CountedInput | null;
}

/** A request on its way through the gateway. */
export interface GatewayRequest {
  readonly number: number;
  readonly epoch: number;
  readonly startedAt: number;
  readonly bodyBytes: number;
  readonly reservation: EventBody<"gateway.request_started">["reservation"];
}

/** How many tokens the bytes of requests have come to. */
export interface CountedInput {
  /** Of the largest body that was counted. */
  readonly bytes: number;
  /** Of the densest one that was large enough to tell: tokens in a million bytes. */
  readonly density: number;
}

/** Before the first attempt. */
export const NO_COMMAND: CommandState = {
  incarnation: "",
  hasChanged: false,
  fruitless: 0,
  exhausted: null,
  requests: 0,
  open: [],
  counted: null,
};
