/** What a person says to a session. */
import type { SendFlags } from "../commands/send.ts";
import { oneOf } from "../flags.ts";
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
  description: "a call, for example c3_0, or a layer, as status names it",
  kind: "required",
};

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
    name: "approve",
    description: "allow what waits for a person: a call, or changed dependencies",
    arguments: [SESSION, ASKED],
    flags: [...PLACE_FLAGS, REASON_FOR_AGENT, JSON_FLAG],
    run: async (context, [id = "", what = ""], flags) =>
      (await import("../commands/send.ts")).confirm(context, id, what, { ...flags, result: "allow" }),
  }),
  command<SendFlags>({
    name: "deny",
    description: "deny what waits for a person: a call, or changed dependencies",
    arguments: [SESSION, ASKED],
    flags: [...PLACE_FLAGS, REASON_FOR_AGENT, JSON_FLAG],
    run: async (context, [id = "", what = ""], flags) =>
      (await import("../commands/send.ts")).confirm(context, id, what, { ...flags, result: "deny" }),
  }),
];
