/**
 * Workers: who does the work. A worker keeps nothing between turns and never sees the store: what it knows comes
 * with the turn, what is worth keeping goes back as events, which the driver appends under its lease. So a worker
 * that dies in mid-turn loses at most the turn in its hand.
 */
import type { CommandAgent } from "../core/command/state.ts";
import type { ThreadPins } from "../core/context.ts";
import type { EventBody, EventInput } from "../core/events/index.ts";
import type { ExecId } from "../core/ids.ts";
import type { Message } from "../core/message.ts";
import type { Sandbox } from "../sandbox/contract.ts";

/** One turn to be done. */
export interface TurnRequest {
  /** Number of the model request that the log holds the intent of. */
  readonly request: number;
  readonly thread: ThreadPins;
  readonly messages: readonly Message[];
  /** Tells the driver that something is alive, so that quiet work is not taken for a stall. */
  readonly onSignOfLife: () => void;
  /** Aborts when the answer is no longer wanted; nothing that is returned afterwards is kept. */
  readonly signal: AbortSignal;
}

/** Advances a thread by one turn. */
export interface Worker {
  /** Backend name as in the registry. */
  readonly kind: string;
  /**
   * Returns the receipt (`span.model_request_end`, always first) and what the answer held. Never throws for
   * failures of a model; those are receipts too.
   */
  advance(turn: TurnRequest): Promise<readonly EventInput[]>;
}

/** One attempt to be made, or to be found again: the same id never runs twice. */
export interface AttemptRun {
  readonly execId: ExecId;
  readonly attempt: number;
  readonly incarnation: string;
  readonly agent: CommandAgent;
  readonly prompt: string;
  readonly signal: AbortSignal;
  readonly onOutput: (text: string) => void;
}

/** How an attempt ended, without the words that only a verdict has. */
export type AttemptOutcome = Pick<
  EventBody<"attempt.ended">,
  "ending" | "exit_code" | "duration_ms" | "output"
>;

/** Lets a program work by itself. */
export interface ProgramWorker {
  /** Backend name as in the registry. */
  readonly kind: string;
  /**
   * Runs the program, or waits for the run that is under way. Nothing of it is alive when this resolves.
   * @throws NightshiftError as {@link Sandbox.execute} and {@link Sandbox.cancel}
   */
  attempt(sandbox: Sandbox, run: AttemptRun): Promise<AttemptOutcome>;
}
