/** What config files say in the place of flags that nobody gave. */
import type { Settings } from "../runtime/config.ts";
import type { BeginFlags } from "./commands/begin.ts";
import type { ContractFlags } from "./contract-choice.ts";
import { hosts } from "./flags.ts";

/** Flags that a config file can stand in for. */
export interface FileFlags extends ContractFlags, BeginFlags {
  readonly maxRequests?: number;
  readonly maxTokens?: number;
  /** Micro-dollars. */
  readonly maxCost?: number;
}

const MICRO = 1_000_000;
const DONE = ["check", "contract", "rubric", "heldOut"] as const;

/** The same flags, filled up. Whoever says on the command line what done means has said all of it. */
export function withFileFlags<Flags extends FileFlags>(flags: Flags, settings: Settings): Flags {
  const said = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  return { ...fromFile(flags, settings), ...said } as Flags;
}

function fromFile(flags: FileFlags, { file }: Settings): FileFlags {
  const isSaid = DONE.some((name) => flags[name] !== undefined);
  const done = isSaid ? {} : doneOf(file);
  // Rules about verdicts are for whoever has something to verify.
  const rules = isSaid || Object.keys(done).length > 0 ? rulesOf(file) : {};
  return {
    ...done,
    ...rules,
    ...(file.setup !== undefined && { setup: file.setup.trim().split(/\s+/) }),
    ...(file.deps !== undefined && { deps: file.deps }),
    ...(file.network !== undefined && { network: listOf(file.network).flatMap(hosts("network")) }),
    ...(file.max_requests !== undefined && { maxRequests: file.max_requests }),
    ...(file.max_tokens !== undefined && { maxTokens: file.max_tokens }),
    ...(file.max_cost !== undefined && { maxCost: Math.round(file.max_cost * MICRO) }),
  };
}

function doneOf({ check, contract, rubric }: Settings["file"]): FileFlags {
  return {
    ...(check !== undefined && { check: listOf(check) }),
    ...(contract !== undefined && { contract }),
    ...(rubric !== undefined && { rubric: listOf(rubric) }),
  };
}

function rulesOf(file: Settings["file"]): FileFlags {
  return {
    ...(file.protect !== undefined && { protect: listOf(file.protect) }),
    ...(file.protection !== undefined && { protection: file.protection }),
    ...(file.max_verdicts !== undefined && { maxVerdicts: file.max_verdicts }),
  };
}

function listOf(value: string | readonly string[]): readonly string[] {
  return typeof value === "string" ? [value] : value;
}
