/** What is found out about a repository before anybody works on it. */
import type { RunnerKind } from "../../referee/contract.ts";

/** A command that a person would type to run the tests. */
export interface TestCommand {
  /** As typed. */
  readonly text: string;
  /** Relative to the top; empty for it. */
  readonly folder: string;
  /** Null when it is not known which runner it starts. */
  readonly runner: RunnerKind | null;
  /** What it was seen by. */
  readonly because: string;
}

/** Other things that projects have a command for. */
export type ChoreKind = "build" | "lint" | "typecheck";

/** A repository, as far as its files tell. */
export interface ProjectFacts {
  /** Of all files, sorted. */
  readonly paths: readonly string[];
  /** The best first; empty when there is none. */
  readonly tests: readonly TestCommand[];
  readonly testFiles: readonly string[];
  readonly chores: { readonly [kind in ChoreKind]?: string };
  /** Of the package at the top. */
  readonly scripts: { readonly [name: string]: string };
}

/** One folder of the tree, for detectors. */
export interface ProjectFolder {
  /** Relative to the top; empty for it. */
  readonly folder: string;
  /** Is there such a file right below? */
  has(name: string): boolean;
  /** Of a file below; undefined when there is none, or it is too large to be what it seems. */
  text(path: string): Promise<string | undefined>;
  /** Paths below, relative to this folder. */
  readonly paths: readonly string[];
}
