/** The tool by which an agent says where its work stands, for the context that follows. */
import { HAND_OFF } from "../core/contract/session-tools.ts";
import type { EventBody } from "../core/events/index.ts";
import type { Json } from "../core/text.ts";
import type { Tool } from "./contract.ts";

/** What an agent says with `hand_off`. */
export type HandOffInput = Omit<EventBody<"handoff.noted">, "call">;

const TEXT_LENGTH_MAX = 4000;
const LINES_MAX = 50;
const LINE_LENGTH_MAX = 2000;

/** Says where the work stands. */
export const handOffTool: Tool = {
  name: HAND_OFF,
  operation: "session",
  description: {
    name: HAND_OFF,
    description:
      "Leaves a note for the context that follows this one and remembers nothing of it. Call it when you are asked to, or when you know something that a successor could not find out from the files and the checks. Goal, constraints and verdicts are handed over without you; what you say is compared with the log.",
    inputSchema: {
      type: "object",
      properties: {
        next_step: {
          type: "string",
          description:
            "The exact next step, so that it can be done at once: a command, or a file and what to change in it.",
        },
        decisions: { type: "array", items: { type: "string" }, description: "What was decided, and why." },
        tried_and_failed: {
          type: "array",
          items: {
            type: "object",
            properties: {
              approach: { type: "string" },
              reason: { type: "string", description: "Why it does not work." },
              files: { type: "array", items: { type: "string" }, description: "Where it was tried." },
            },
            required: ["approach", "reason"],
            additionalProperties: false,
          },
        },
        unmet: {
          type: "array",
          items: { type: "string" },
          description: "Ids of criteria that are not met yet.",
        },
        notes: { type: "string" },
      },
      required: ["next_step", "decisions", "tried_and_failed", "unmet"],
      additionalProperties: false,
    },
  },
  effectOf: () => "read_only",
  check: (input: Json): string | undefined => {
    const parsed = parseHandOffInput(input);
    return typeof parsed === "string" ? parsed : undefined;
  },
};

/** The checked input of `hand_off`, or what is wrong with it. */
export function parseHandOffInput(input: Json): HandOffInput | string {
  const { next_step, decisions, tried_and_failed, unmet, notes = "" } = fieldsOf(input);
  if (!isLine(next_step)) return `\`next_step\` has to be a text of 1 to ${LINE_LENGTH_MAX} characters.`;
  if (!isListOf(decisions, isLine)) return `\`decisions\` has to be a list of at most ${LINES_MAX} texts.`;
  if (!isListOf(unmet, isLine))
    return "`unmet` has to be a list with the ids of criteria; an empty one for none.";
  if (typeof notes !== "string" || notes.length > TEXT_LENGTH_MAX)
    return `\`notes\` has to be a text of at most ${TEXT_LENGTH_MAX} characters.`;
  const tried = Array.isArray(tried_and_failed) ? tried_and_failed.map(approachOf) : [null];
  if (tried.length > LINES_MAX || tried.includes(null))
    return "`tried_and_failed` has to be a list of {approach, reason, files}; an empty one for nothing.";
  return {
    next_step,
    decisions: [...decisions],
    tried_and_failed: tried.filter((each) => each !== null),
    unmet: unmet.map((id) => id.slice(0, 64)),
    notes,
  };
}

function approachOf(item: Json): HandOffInput["tried_and_failed"][number] | null {
  const { approach, reason, files = [] } = fieldsOf(item);
  if (!isLine(approach) || !isLine(reason) || !isListOf(files, isLine)) return null;
  return { approach, reason, files: [...files] };
}

function fieldsOf(input: Json): { readonly [key: string]: Json | undefined } {
  return typeof input === "object" && input !== null && !Array.isArray(input)
    ? (input as { readonly [key: string]: Json | undefined })
    : {};
}

function isLine(value: Json | undefined): value is string {
  return typeof value === "string" && value.trim() !== "" && value.length <= LINE_LENGTH_MAX;
}

function isListOf<T extends Json>(
  value: Json | undefined,
  isItem: (item: Json) => item is T,
): value is readonly T[] {
  return Array.isArray(value) && value.length <= LINES_MAX && value.every((item: Json) => isItem(item));
}
