/** The files of a session. */
import type { DiffFlags, RewindFlags } from "../commands/files.ts";
import type { SendFlags } from "../commands/send.ts";
import { wholeNumber } from "../flags.ts";
import {
  COUNT_MAX,
  type CommandSpec,
  command,
  type FlagSpec,
  JSON_FLAG,
  PLACE_FLAGS,
  SESSION,
} from "./spec.ts";

function checkpointFlag(name: string, description: string): FlagSpec {
  return { name, value: "<checkpoint>", description, parse: wholeNumber(`--${name}`, COUNT_MAX, 0) };
}

/** Commands about checkouts. */
export const fileCommands: readonly CommandSpec[] = [
  command<SendFlags>({
    name: "checkpoint",
    description: "save the files of a session as soon as no command runs",
    arguments: [SESSION],
    flags: [...PLACE_FLAGS, JSON_FLAG],
    run: async (context, [id = ""], flags) =>
      (await import("../commands/files.ts")).checkpoint(context, id, flags),
  }),
  command<RewindFlags>({
    name: "rewind",
    description: "take the files of a session back to a checkpoint; what runs is killed",
    arguments: [SESSION],
    flags: [
      ...PLACE_FLAGS,
      checkpointFlag("to", "which one (default: the newest); 0 is the base"),
      JSON_FLAG,
    ],
    run: async (context, [id = ""], flags) =>
      (await import("../commands/files.ts")).rewind(context, id, flags),
  }),
  command<DiffFlags>({
    name: "diff",
    description: "show what a session changed, from its base to its newest checkpoint",
    arguments: [SESSION],
    flags: [
      ...PLACE_FLAGS,
      checkpointFlag("from", "begin with this checkpoint (default: 0, the base)"),
      checkpointFlag("to", "end with this checkpoint (default: the newest)"),
      { name: "stat", description: "names of files only" },
      JSON_FLAG,
    ],
    run: async (context, [id = ""], flags) => (await import("../commands/files.ts")).diff(context, id, flags),
  }),
];
