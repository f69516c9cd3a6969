/** Tools about the session itself; see `core/contract/session-tools.ts`. */
import { ASK, DECLARE, REQUEST_VERDICT } from "../core/contract/session-tools.ts";
import type { EventBody } from "../core/events/index.ts";
import type { Json } from "../core/text.ts";
import type { Tool } from "./contract.ts";

/** What an agent says with `declare`. */
export type DeclareInput = Pick<EventBody<"contract.declared">, "criterion" | "status" | "reason"> & {
  readonly evidence: string;
};

const TEXT_LENGTH_MAX = 4000;

/** Asks the harness to look. */
export const requestVerdictTool: Tool = {
  name: REQUEST_VERDICT,
  operation: "session",
  description: {
    name: REQUEST_VERDICT,
    description:
      "Asks the harness for a verdict on the files as they are now. It saves them, runs every check itself on a clean checkout with the protected files as they were at the start, and tells you what is met and what is not. Verdicts are limited: run the checks yourself first.",
    inputSchema: { type: "object", properties: {}, additionalProperties: false },
  },
  effectOf: () => "read_only",
  check: () => undefined,
};

/** Says honestly what cannot be done. */
export const declareTool: Tool = {
  name: DECLARE,
  operation: "session",
  description: {
    name: DECLARE,
    description:
      "Says that a criterion cannot be met (impossible: it contradicts itself, another criterion, or the facts) or not without somebody's help (blocked: something is missing that only a person can give). Give the evidence: what you tried, what you saw. A person decides about it; it counts as no failure of yours.",
    inputSchema: {
      type: "object",
      properties: {
        criterion: { type: "string", description: "The id of the criterion." },
        status: { type: "string", enum: ["impossible", "blocked"] },
        reason: { type: "string", description: "In one or two sentences." },
        evidence: { type: "string", description: "Commands and their output, file names and lines." },
      },
      required: ["criterion", "status", "reason", "evidence"],
      additionalProperties: false,
    },
  },
  effectOf: () => "read_only",
  check: (input: Json): string | undefined => {
    const parsed = parseDeclareInput(input);
    return typeof parsed === "string" ? parsed : undefined;
  },
};

/** What an agent asks with `ask`. */
export interface AskInput {
  readonly text: string;
  readonly choices?: readonly string[];
  readonly default?: string;
  readonly expiresInMs?: number;
}

const ASK_CHOICES_MAX = 20;
const ASK_CHOICE_LENGTH_MAX = 500;
const ASK_DEFAULT_LENGTH_MAX = 2000;
const ASK_SECONDS_MIN = 60;
const ASK_SECONDS_MAX = 30 * 86_400;

/** Asks a person. */
export const askTool: Tool = {
  name: ASK,
  operation: "session",
  description: {
    name: ASK,
    description:
      "Asks a person, who may answer in minutes or in days; nothing else is done meanwhile. Ask only what neither the files nor a cheap try can tell and what would be dear to get wrong. Give a default whenever there is a sensible one: it counts when nobody answers in time. Several questions belong into one turn.",
    inputSchema: {
      type: "object",
      properties: {
        text: { type: "string", description: "The question, with all that is needed to answer it." },
        choices: {
          type: "array",
          items: { type: "string" },
          description: "Answers to choose from, 2 to 20. A person may also answer in their own words.",
        },
        default: { type: "string", description: "What counts when nobody answers in time." },
        expires_in: { type: "integer", description: "Seconds to wait for an answer, 60 to 2592000." },
      },
      required: ["text"],
      additionalProperties: false,
    },
  },
  effectOf: () => "read_only",
  check: (input: Json): string | undefined => {
    const parsed = parseAskInput(input);
    return typeof parsed === "string" ? parsed : undefined;
  },
};

/** The checked input of `ask`, or what is wrong with it. */
export function parseAskInput(input: Json): AskInput | string {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return "The input is no object.";
  const {
    text,
    choices,
    default: standard,
    expires_in: seconds,
  } = input as { readonly [key: string]: Json | undefined };
  if (!isText(text, TEXT_LENGTH_MAX))
    return `\`text\` has to be a text of 1 to ${TEXT_LENGTH_MAX} characters.`;
  if (choices !== undefined && !isChoices(choices))
    return `\`choices\` has to be a list of 2 to ${ASK_CHOICES_MAX} different texts of 1 to ${ASK_CHOICE_LENGTH_MAX} characters.`;
  if (standard !== undefined && !isText(standard, ASK_DEFAULT_LENGTH_MAX))
    return `\`default\` has to be a text of 1 to ${ASK_DEFAULT_LENGTH_MAX} characters.`;
  if (seconds !== undefined && !isSeconds(seconds))
    return `\`expires_in\` has to be a whole number of seconds, ${ASK_SECONDS_MIN} to ${ASK_SECONDS_MAX}.`;
  return {
    text,
    ...(choices !== undefined && { choices }),
    ...(standard !== undefined && { default: standard }),
    ...(seconds !== undefined && { expiresInMs: seconds * 1000 }),
  };
}

function isText(value: Json | undefined, max: number): value is string {
  return typeof value === "string" && value.trim() !== "" && value.length <= max;
}

function isChoices(value: Json): value is readonly string[] {
  if (!Array.isArray(value) || value.length < 2 || value.length > ASK_CHOICES_MAX) return false;
  return new Set(value).size === value.length && value.every((each) => isText(each, ASK_CHOICE_LENGTH_MAX));
}

function isSeconds(value: Json): value is number {
  return (
    Number.isInteger(value) && (value as number) >= ASK_SECONDS_MIN && (value as number) <= ASK_SECONDS_MAX
  );
}

/** The checked input of `declare`, or what is wrong with it. */
export function parseDeclareInput(input: Json): DeclareInput | string {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return "The input is no object.";
  const { criterion, status, reason, evidence } = input as { readonly [key: string]: Json | undefined };
  if (typeof criterion !== "string" || !/^[a-z0-9][a-z0-9._-]{0,63}$/.test(criterion))
    return "`criterion` has to be the id of a criterion.";
  if (status !== "impossible" && status !== "blocked") return "`status` has to be impossible or blocked.";
  if (typeof reason !== "string" || reason.trim() === "" || reason.length > TEXT_LENGTH_MAX)
    return `\`reason\` has to be a text of 1 to ${TEXT_LENGTH_MAX} characters.`;
  if (typeof evidence !== "string" || evidence.trim() === "") return "`evidence` has to be a text.";
  return { criterion, status, reason, evidence };
}
