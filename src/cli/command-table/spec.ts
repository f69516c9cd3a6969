/** What a command is, for parsers and for help. */
import type { CommandContext } from "../context.ts";

/** A flag: `--name`, or `--name <value>`. */
export interface FlagSpec {
  readonly name: string;
  readonly short?: string;
  /** How help calls the value; absent for a switch. */
  readonly value?: string;
  readonly description: string;
  /** Of the value. @throws NightshiftError `E_USAGE` */
  readonly parse?: (text: string) => unknown;
  readonly required?: true;
  /** It may be given several times; its value is a list. */
  readonly repeats?: true;
}

/** An argument; a list is the last one and takes all that are left, `any` also none. */
export interface ArgumentSpec {
  readonly name: string;
  readonly description: string;
  readonly kind: "required" | "optional" | "list" | "any";
}

/** A command. */
export interface CommandSpec<Flags = unknown> {
  readonly name: string;
  readonly description: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly flags: readonly FlagSpec[];
  /** @returns the exit code */
  run(context: CommandContext, words: readonly string[], flags: Flags): Promise<number>;
}

/** Names the type of what the flags come to; keys are flag names in camel case. */
export function command<Flags>(spec: CommandSpec<Flags>): CommandSpec {
  return spec as CommandSpec;
}

/** Most of anything that is counted in ones. */
export const COUNT_MAX = 1_000_000_000;

/** Flags that find the state folder. */
export const PLACE_FLAGS: readonly FlagSpec[] = [
  {
    name: "state",
    value: "<folder>",
    description: "state folder (default: one per repository, below $XDG_STATE_HOME)",
  },
  {
    name: "directory",
    short: "C",
    value: "<folder>",
    description: "work in this folder instead of the current one",
  },
];

/** Of commands that begin work. */
export const IGNORE_PROJECT_FLAG: FlagSpec = {
  name: "ignore-project",
  description: "go on as if there were no nightshift.yaml in the project",
};

/** Prints JSON. */
export const JSON_FLAG: FlagSpec = { name: "json", description: "print JSON" };

/** The session that a command is about. */
export const SESSION: ArgumentSpec = {
  name: "session",
  description: "id, or its beginning",
  kind: "required",
};

/** As {@link SESSION}, where the newest one is meant unless another is named. */
export const ANY_SESSION: ArgumentSpec = {
  name: "session",
  description: "id, or its beginning; default: the newest",
  kind: "optional",
};
