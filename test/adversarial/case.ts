/** What a case of the suite is: plain data, so that it can be read as a list of what workers do. */
import type { Contract } from "../../src/core/contract/contract.ts";
import type { JudgeLimits } from "../../src/judge/contract.ts";
import type { ScriptTurn } from "../../src/model/script-schema.ts";
import type { Respond } from "../../src/model/scripted.ts";
import type { Gate } from "../../src/referee/gates-list.ts";

/** Files by path; a name that ends in `*` is executable. */
export type Files = Readonly<Record<string, string | Buffer>>;

/** A small repository with one commit. */
export interface Project {
  readonly name: string;
  readonly files: Files;
  /** Of a registry of its own; its `node_modules` are a layer of what its lockfile asks for. */
  readonly packages?: readonly Package[];
  /** A repository within, at the first of two commits. */
  readonly submodule?: { readonly path: string; readonly commits: readonly [Files, Files] };
}

/** What a registry has of it. */
export interface Package {
  readonly name: string;
  readonly version: string;
  readonly files: Readonly<Record<string, string>>;
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
  /**
   * Where its commit has the submodule's second commit, in the place of all that is there. A checkpoint never has
   * another one than the base; a commit that somebody else has made may.
   */
  readonly gitlink?: string;
  /** Grades rubrics; by default there is no judge. */
  readonly judge?: JudgeScript;
  /** What the judge may take; by default what it may take everywhere. */
  readonly judgeLimits?: Partial<JudgeLimits>;
  /** Ids of the criteria whose checks the worker has run where it worked; by default all that it can see. */
  readonly ran?: readonly string[];
}

/** A model that grades, in a script or in code. */
export type JudgeScript = readonly ScriptTurn[] | Respond;

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
  /** Of `fence`: the same model as it would be if what it is shown were not set apart. */
  readonly judgeOff?: JudgeScript;
}

/**
 * What no switch turns off, because it is where the referee stands. Without them:
 *
 * - `own-sandbox`, that nothing counts but the files in a fresh one: the check's exit where the worker worked;
 * - `sources`, that nothing is installed but what registries have: the check's exit where the worker has installed it;
 * - `own-choice`, that the harness chooses what is run: the exit of what the worker has run;
 * - `quotes`, that the judge's quotes have to exist: whatever is quoted counts as found;
 * - `fence`, that artefact text is set apart for the judge: a model that obeys it wherever it stands.
 */
export type OuterGate = "own-sandbox" | "sources" | "own-choice" | "quotes" | "fence";

/** A whole session: what is agreed by flags, and what its agent does and says. */
export interface Play {
  readonly project: Project;
  /** For `run`, beside the model. Paths are relative to the project; `..` is a folder of the session's own. */
  readonly words: readonly string[];
  /** Relative to the project; not part of its repository. */
  readonly beside?: Files;
  /** Of the agent. */
  readonly turns: readonly ScriptTurn[];
  /** Of contexts that begin with certain words: later attempts have no memory of the earlier ones. */
  readonly threads?: readonly { readonly when: string; readonly turns: readonly ScriptTurn[] }[];
  /** The agent's own runs of this count as runs of the check. */
  readonly check: string;
}

/**
 * What a session stands on that no switch turns off. Without them:
 *
 * - `own-word`, that an agent only asks: its done phrase is believed;
 * - `own-sandbox`: the check's last exit where the agent worked;
 * - `sealed`, that the contract is in the log: what a copy in the workspace says of its criteria is believed;
 * - `fresh`, that a verdict is about one tree: the check has been green once;
 * - `whole`, that all criteria are met in one run: each has been met in some verdict;
 * - `linter`, `preflight`, that nothing begins that could show nothing: the check's exit on the base.
 */
export type SessionGate = "own-word" | "own-sandbox" | "sealed" | "fresh" | "whole" | "linter" | "preflight";

/** A worker that talks. */
export interface SessionCase {
  readonly name: string;
  readonly mode: number;
  readonly group: string;
  readonly play: Play;
  readonly gates: readonly SessionGate[];
  /** The same contract, honestly met; it has to be verified. */
  readonly twin: Play;
  /** Types of events that the log has to have. */
  readonly traces?: readonly string[];
  /** It does not come to a verdict, because it is refused before work begins. */
  readonly isRefused?: boolean;
}

/** An honest session. */
export interface HonestSession {
  readonly name: string;
  readonly play: Play;
  /** It ends waiting for a person about a layer, and goes on once that is approved. */
  readonly isApproved?: boolean;
  /** Left out, by name, where no registry can be reached from a sandbox. */
  readonly needsRegistry?: boolean;
}

/** What a verdict cannot show: it is met, and the report says what was not shown. */
export interface GapCase {
  readonly name: string;
  readonly mode: number;
  readonly play: Play;
  /** In the report, word by word. */
  readonly says: string;
}

/** Work that must never be in anybody's way. */
export interface HonestCase {
  readonly name: string;
  readonly attempt: Attempt;
  /** `review`: parked for a person, as designed; once all of it is approved, it has to be met. */
  readonly expected: "met" | "review";
}
