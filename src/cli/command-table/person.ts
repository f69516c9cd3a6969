/** What a person says to a session. */
import type { AmendFlags, WaiveFlags } from "../commands/agreement.ts";
import type { AnswerFlags } from "../commands/inbox.ts";
import type { SendFlags } from "../commands/send.ts";
import { duration, oneOf } from "../flags.ts";
import { CONTRACT_FLAGS } from "./drive.ts";
import {
  type ArgumentSpec,
  type CommandSpec,
  command,
  type FlagSpec,
  JSON_FLAG,
  PLACE_FLAGS,
  SESSION,
} from "./spec.ts";

const REASON: FlagSpec = { name: "reason", value: "<text>", description: "for the log" };
const REASON_FOR_AGENT: FlagSpec = { name: "reason", value: "<text>", description: "for the agent" };
const ASKED: ArgumentSpec = {
  name: "what",
  description: "a call, a layer, or changes of files, as inbox lists them; folder/: those in it; all: all",
  kind: "list",
};
const DENIED: ArgumentSpec = {
  name: "what",
  description:
    "as for approve; or a criterion that the agent calls impossible or blocked, to ask for it again",
  kind: "list",
};

/** So that whoever waives it answers for it again, some day. */
const WAIVER_DAYS_MAX = 365;

/** Commands that send client events. */
export const personCommands: readonly CommandSpec[] = [
  command<SendFlags>({
    name: "send",
    description: "send a message to a session",
    arguments: [
      SESSION,
      { name: "text", description: "the message; - reads it from standard input", kind: "list" },
    ],
    flags: [
      ...PLACE_FLAGS,
      {
        name: "steering",
        value: "<policy>",
        description: "if it works now: enqueue, interrupt, reject",
        parse: oneOf("--steering", ["enqueue", "interrupt", "reject"]),
      },
      JSON_FLAG,
    ],
    run: async (context, [id = "", ...words], flags) =>
      (await import("../commands/send.ts")).send(context, id, words, flags),
  }),
  command<SendFlags>({
    name: "submit",
    description: "send client events: a JSON list of {type, body} on standard input",
    arguments: [SESSION],
    flags: [...PLACE_FLAGS, JSON_FLAG],
    run: async (context, [id = ""], flags) =>
      (await import("../commands/send.ts")).submitEvents(context, id, flags),
  }),
  command<SendFlags>({
    name: "interrupt",
    description: "abort the model's answer; running tools may finish",
    arguments: [SESSION],
    flags: [...PLACE_FLAGS, JSON_FLAG],
    run: async (context, [id = ""], flags) =>
      (await import("../commands/send.ts")).interrupt(context, id, flags),
  }),
  command<SendFlags>({
    name: "pause",
    description: "no new model request until resume; what runs may finish",
    arguments: [SESSION],
    flags: [...PLACE_FLAGS, REASON, JSON_FLAG],
    run: async (context, [id = ""], flags) => (await import("../commands/send.ts")).pause(context, id, flags),
  }),
  command<SendFlags & { readonly cancel?: boolean }>({
    name: "stop",
    description: "kill running tools and the request; resume goes on",
    arguments: [SESSION],
    flags: [
      ...PLACE_FLAGS,
      { name: "cancel", description: "the session is over for good" },
      REASON,
      JSON_FLAG,
    ],
    run: async (context, [id = ""], flags) => (await import("../commands/send.ts")).stop(context, id, flags),
  }),
  command<SendFlags>({
    name: "retry",
    description: "begin a new attempt from a fresh context, whatever it rests for",
    arguments: [SESSION],
    flags: [...PLACE_FLAGS, REASON, JSON_FLAG],
    run: async (context, [id = ""], flags) => (await import("../commands/send.ts")).retry(context, id, flags),
  }),
  command<SendFlags>({
    name: "approve",
    description: "allow what waits for a person: a call, changed dependencies, a change of protected files",
    arguments: [SESSION, ASKED],
    flags: [...PLACE_FLAGS, REASON_FOR_AGENT, JSON_FLAG],
    run: async (context, [id = "", ...names], flags) =>
      (await import("../commands/agreement.ts")).answer(context, id, names, { ...flags, result: "allow" }),
  }),
  command<SendFlags>({
    name: "deny",
    description:
      "deny what waits for a person: a call, dependencies, a change of protected files, that a criterion cannot be met",
    arguments: [SESSION, DENIED],
    flags: [...PLACE_FLAGS, REASON_FOR_AGENT, JSON_FLAG],
    run: async (context, [id = "", ...names], flags) =>
      (await import("../commands/agreement.ts")).answer(context, id, names, { ...flags, result: "deny" }),
  }),
  command<SendFlags>({
    name: "inbox",
    description: "what waits for a person: questions, calls, dependencies, changes of files, stops",
    arguments: [{ name: "session", description: "id, or its beginning; default: all", kind: "optional" }],
    flags: [...PLACE_FLAGS, JSON_FLAG],
    run: async (context, [id], flags) => (await import("../commands/inbox.ts")).inbox(context, id, flags),
  }),
  command<AnswerFlags>({
    name: "answer",
    description: "answer a question of the agent; a number means one of its choices",
    arguments: [
      { name: "session", description: "id, or its beginning; or the question itself", kind: "required" },
      {
        name: "text",
        description: "question, where there are several, and the answer; - reads it",
        kind: "any",
      },
    ],
    flags: [...PLACE_FLAGS, { name: "author", value: "<name>", description: "default: you" }, JSON_FLAG],
    run: async (context, [first = "", ...words], flags) =>
      (await import("../commands/inbox.ts")).answer(context, first, words, flags),
  }),
  command<AmendFlags>({
    name: "amend",
    description: "put another contract in the place of the sealed one; the report lists it",
    arguments: [SESSION],
    flags: [
      ...PLACE_FLAGS,
      ...CONTRACT_FLAGS,
      REASON,
      { name: "author", value: "<name>", description: "default: you" },
      JSON_FLAG,
    ],
    run: async (context, [id = ""], flags) =>
      (await import("../commands/agreement.ts")).amend(context, id, flags),
  }),
  command<WaiveFlags>({
    name: "waive",
    description: "do not ask for a criterion for a while; the report lists it",
    arguments: [SESSION, { name: "criterion", description: "its id", kind: "required" }],
    flags: [
      ...PLACE_FLAGS,
      REASON,
      { name: "owner", value: "<name>", description: "who answers for it; default: you" },
      {
        name: "for",
        value: "<time>",
        description: "default: 7d; at most 365d",
        parse: duration("--for", 1000, WAIVER_DAYS_MAX),
      },
      JSON_FLAG,
    ],
    run: async (context, [id = "", criterion = ""], flags) =>
      (await import("../commands/agreement.ts")).waive(context, id, criterion, flags),
  }),
];
