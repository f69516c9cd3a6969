/** The files of a session. */
import type { ApplyFlags } from "../commands/apply.ts";
import type { DiffFlags, RewindFlags } from "../commands/files.ts";
import type { PublishFlags } from "../commands/publish.ts";
import type { SendFlags } from "../commands/send.ts";
import { listOf, wholeNumber } from "../flags.ts";
import {
  ANY_SESSION,
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
    arguments: [SESSION, { name: "path", description: "only this file or folder", kind: "optional" }],
    flags: [
      ...PLACE_FLAGS,
      checkpointFlag("from", "begin with this checkpoint (default: 0, the base)"),
      checkpointFlag("to", "end with this checkpoint (default: the newest)"),
      { name: "stat", description: "a line per file: how many lines came and went" },
      { name: "name-only", description: "names of files only" },
      JSON_FLAG,
    ],
    run: async (context, [id = "", path], flags) =>
      (await import("../commands/files.ts")).diff(context, id, path, flags),
  }),
  command<ApplyFlags>({
    name: "apply",
    description: "merge verified work into what is checked out, after a last verdict on what comes of it",
    arguments: [ANY_SESSION],
    flags: [
      ...PLACE_FLAGS,
      { name: "dry-run", description: "only say what would be done" },
      {
        name: "yes",
        value: "<questions>",
        description: "say yes to these, unasked: executing (files that may run on your machine)",
        parse: listOf("--yes", ["executing"]),
      },
      JSON_FLAG,
    ],
    run: async (context, [id], flags) => (await import("../commands/apply.ts")).apply(context, id, flags),
  }),
  command<PublishFlags>({
    name: "publish",
    description: "make a branch of what is saved, verified or not; verified work has one by itself",
    arguments: [ANY_SESSION],
    flags: [
      ...PLACE_FLAGS,
      { name: "branch", value: "<name>", description: "default: nightshift/<title>-<end of the id>" },
      JSON_FLAG,
    ],
    run: async (context, [id], flags) => (await import("../commands/publish.ts")).publish(context, id, flags),
  }),
];
