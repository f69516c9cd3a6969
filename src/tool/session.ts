/** Tools about the session itself; see `core/contract/session-tools.ts`. */
import { DECLARE, REQUEST_VERDICT } from "../core/contract/session-tools.ts";
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
