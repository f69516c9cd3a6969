/** Commands that only look. */
import type { EventsFlags } from "../commands/events.ts";
import type { ListFlags } from "../commands/list.ts";
import type { ReportFlags } from "../commands/report.ts";
import type { StatusFlags } from "../commands/status.ts";
import { names, wholeNumber } from "../flags.ts";
import type { ViewFlags } from "../session-view.ts";
import {
  ANY_SESSION,
  COUNT_MAX,
  type CommandSpec,
  command,
  type FlagSpec,
  JSON_FLAG,
  PLACE_FLAGS,
} from "./spec.ts";

const RANGE_FLAGS: readonly FlagSpec[] = [
  { name: "follow", short: "f", description: "stay and show what comes" },
  {
    name: "after",
    value: "<position>",
    description: "only events after this one",
    parse: wholeNumber("--after", COUNT_MAX, 0),
  },
  {
    name: "tail",
    value: "<count>",
    description: "only the last so many events",
    parse: wholeNumber("--tail", COUNT_MAX),
  },
];

/** Commands that write nothing. */
export const lookCommands: readonly CommandSpec[] = [
  command<StatusFlags>({
    name: "status",
    description: "where a session stands and what comes next; without one, the state folder",
    arguments: [{ ...ANY_SESSION, description: "id, or its beginning" }],
    flags: [...PLACE_FLAGS, JSON_FLAG],
    run: async (context, [id], flags) => (await import("../commands/status.ts")).status(context, id, flags),
  }),
  command<ReportFlags>({
    name: "report",
    description: "what was verified and what was not, with its evidence, what it cost and what is open",
    arguments: [ANY_SESSION],
    flags: [
      ...PLACE_FLAGS,
      { name: "markdown", description: "in Markdown (default where standard output is no terminal)" },
      { name: "text", description: "for a terminal" },
      JSON_FLAG,
    ],
    run: async (context, [id], flags) => (await import("../commands/report.ts")).report(context, id, flags),
  }),
  command<ListFlags>({
    name: "list",
    description: "the sessions of a state folder, newest first",
    arguments: [],
    flags: [
      ...PLACE_FLAGS,
      {
        name: "limit",
        value: "<count>",
        description: "sessions on a page (default 20)",
        parse: wholeNumber("--limit", 1000),
      },
      { name: "after", value: "<session>", description: "the page after this session" },
      { name: "ids", description: "print ids only" },
      JSON_FLAG,
    ],
    run: async (context, _words, flags) => (await import("../commands/list.ts")).list(context, flags),
  }),
  command<ViewFlags>({
    name: "attach",
    description: "watch a session that another process drives, until it rests; q leaves it alone",
    arguments: [ANY_SESSION],
    flags: [
      ...PLACE_FLAGS,
      { name: "json", description: "print one JSON value in the end instead of progress" },
      { name: "verbose", description: "show more of what happens" },
    ],
    run: async (context, [id], flags) => (await import("../commands/attach.ts")).attach(context, id, flags),
  }),
  command<EventsFlags>({
    name: "logs",
    description: "what happened in a session, for people",
    arguments: [ANY_SESSION],
    flags: [...PLACE_FLAGS, ...RANGE_FLAGS, { name: "verbose", description: "show more of what happens" }],
    run: async (context, [id], flags) => (await import("../commands/events.ts")).logs(context, id, flags),
  }),
  command<EventsFlags>({
    name: "events",
    description: "the log of a session, event by event",
    arguments: [ANY_SESSION],
    flags: [
      ...PLACE_FLAGS,
      ...RANGE_FLAGS,
      {
        name: "types",
        value: "<types>",
        description: "only these types, with commas",
        parse: names("--types"),
      },
      { name: "json", description: "print whole events, one JSON value a line" },
    ],
    run: async (context, [id], flags) => (await import("../commands/events.ts")).events(context, id, flags),
  }),
];
