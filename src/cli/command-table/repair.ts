/** Checking and repairing. */
import type { GcFlags } from "../commands/gc.ts";
import type { EraseFlags, ForkFlags, FsckFlags } from "../commands/repair.ts";
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

const INTO: FlagSpec = { name: "into", value: "<folder>", description: "state folder of the copy" };

/** Commands that work below the store. */
export const repairCommands: readonly CommandSpec[] = [
  command<GcFlags>({
    name: "gc",
    description: "remove what sessions have left behind: pods, processes, checkouts, proxies",
    arguments: [],
    flags: [
      ...PLACE_FLAGS,
      { name: "dry-run", description: "only say what there is" },
      {
        name: "keep",
        value: "<bytes>",
        description: "of checkouts that nobody uses (default: 20 GB)",
        parse: wholeNumber("--keep", Number.MAX_SAFE_INTEGER, 0),
      },
      JSON_FLAG,
    ],
    run: async (context, _words, flags) => (await import("../commands/gc.ts")).gc(context, flags),
  }),
  command<FsckFlags>({
    name: "fsck",
    description: "check chain, heads and long texts of a session, or of all; writes nothing",
    arguments: [{ ...SESSION, kind: "optional" }],
    flags: [
      ...PLACE_FLAGS,
      {
        name: "head",
        value: "<position:hash>",
        description: "a head that was kept elsewhere: shows forgery too",
      },
      { name: "fork", description: "if it is damaged, go on in a new session from the last sound event" },
      INTO,
      JSON_FLAG,
    ],
    run: async (context, [id], flags) => (await import("../commands/repair.ts")).fsck(context, id, flags),
  }),
  command<ForkFlags>({
    name: "fork",
    description: "copy a session, or the beginning of it, into a new one",
    arguments: [SESSION],
    flags: [
      ...PLACE_FLAGS,
      {
        name: "at",
        value: "<position>",
        description: "last event to copy (default: all that is sound)",
        parse: wholeNumber("--at", COUNT_MAX),
      },
      INTO,
      JSON_FLAG,
    ],
    run: async (context, [id = ""], flags) =>
      (await import("../commands/repair.ts")).fork(context, id, flags),
  }),
  command<EraseFlags>({
    name: "erase",
    description: "remove the texts of one event for good, for example a leaked secret",
    arguments: [SESSION, { name: "position", description: "the event", kind: "required" }],
    flags: [
      ...PLACE_FLAGS,
      { name: "reason", value: "<text>", description: "for the log", required: true },
      JSON_FLAG,
    ],
    run: async (context, [id = "", position = ""], flags) => {
      const seq = wholeNumber("the position", COUNT_MAX)(position);
      return (await import("../commands/repair.ts")).erase(context, id, seq, flags);
    },
  }),
];
