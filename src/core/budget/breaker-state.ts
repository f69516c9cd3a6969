/**
 * What breakers look at: how often the same was done, with nothing to show for it. Counters and short hashes only,
 * each list bounded, because this is part of the session's state.
 */
import type { EventBody } from "../events/index.ts";

/** Part of the session's state. */
export interface BreakerState {
  /** The open turn's calls, in call order. */
  readonly turn: readonly TurnCall[];
  /** What turns of late have asked for, what came of it, and on which files; newest last. */
  readonly recent: readonly string[];
  /** Stands for what `write` and `edit` have made of the files. */
  readonly files: string;
  /** The newest checkpoint's. */
  readonly tree: string;
  /** Changes of files by what they changed into what, and how often each was made; newest last. */
  readonly changes: readonly { readonly change: string; readonly times: number }[];
  /** Failures in a row, by tool. */
  readonly failures: readonly { readonly tool: string; readonly times: number }[];
  /** Most criteria that a verdict has found met. */
  readonly met: number;
  /** Model requests since that number rose, or a person had a say. */
  readonly fruitless: number;
  /** Contexts thrown away since the files last changed. */
  readonly resets: number;
  /** What the model was told since then, by cause. */
  readonly nudges: readonly { readonly cause: Cause; readonly times: number }[];
}

/** Why a breaker trips. */
export type Cause = EventBody<"breaker.tripped">["cause"];

/** A call of the open turn, in short. */
export interface TurnCall {
  readonly call: string;
  readonly name: string;
  readonly asked: string;
  readonly path: string;
  readonly result: string;
}

/** Nothing was done yet. */
export const NO_BREAKERS: BreakerState = {
  turn: [],
  recent: [],
  files: "0",
  tree: "",
  changes: [],
  failures: [],
  met: 0,
  fruitless: 0,
  resets: 0,
  nudges: [],
};
