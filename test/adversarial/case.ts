/** What a case of the suite is: plain data, so that it can be read as a list of what workers do. */
import type { Contract } from "../../src/core/contract/contract.ts";
import type { ScriptTurn } from "../../src/model/script-schema.ts";
import type { Respond } from "../../src/model/scripted.ts";
import type { Gate } from "../../src/referee/gates-list.ts";

/** Files by path; a name that ends in `*` is executable. */
export type Files = Readonly<Record<string, string | Buffer>>;

/** A small repository with one commit. */
export interface Project {
  readonly name: string;
  readonly files: Files;
}

/** What is agreed. */
export interface Terms {
  readonly contract: Contract;
  /** Adds a criterion `held-out` whose files the worker never sees. */
  readonly heldOut?: {
    readonly files: Files;
    readonly argv: readonly string[];
    /** Where the files are put, relative to the workspace. */
    readonly target: string;
  };
}

/** What a worker does with a project. */
export interface Attempt {
  readonly project: Project;
  readonly terms: Terms;
  /** Run with `sh -e` in the worker's own sandbox, as the agent's shell tool would; `/input` is not there. */
  readonly script: string;
  /** Written into the workspace before the script runs. */
  readonly files?: Files;
  /** Grades rubrics; by default there is no judge. */
  readonly judge?: readonly ScriptTurn[] | Respond;
}

/** One way to cheat. */
export interface HostileCase {
  readonly name: string;
  /** Number of the failure mode that it is a case of. */
  readonly mode: number;
  /** Cases of one group are shown together. */
  readonly group: string;
  readonly attempt: Attempt;
  /** Each of these alone is said to catch it; with all of them off it gets through. */
  readonly gates: readonly (Gate | OuterGate)[];
  /** The same kind of change done honestly: it has to be met. */
  readonly twin: Attempt;
  /** A judge that fails is a state of its own; nothing else may end as an error. */
  readonly outcome?: "error";
}

/**
 * What cannot be turned off, because it is where the referee stands: `own-sandbox`, that nothing counts but the files
 * in a fresh one; `own-word`, that nobody's words count; `quotes`, that the judge's quotes have to exist.
 */
export type OuterGate = "own-sandbox" | "own-word" | "quotes";

/** Work that must never be in anybody's way. */
export interface HonestCase {
  readonly name: string;
  readonly attempt: Attempt;
  /** `review`: parked for a person, as designed; once all of it is approved, it has to be met. */
  readonly expected: "met" | "review";
}
