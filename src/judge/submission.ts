/** The one way to give a grade: the input of the call `submit_grade`. */
import * as z from "zod";
import type { Json } from "../core/text.ts";
import type { ToolDescription } from "../model/contract.ts";

/** Shorter quotes occur everywhere. Counted without white space. */
const QUOTE_CHARACTERS_MIN = 8;

const quote = z.object({
  path: z.string().min(1).max(4096).describe("Path of the file, relative to the workspace."),
  text: z
    .string()
    .max(2000)
    .refine((text) => text.replace(/\s/g, "").length >= QUOTE_CHARACTERS_MIN, {
      error: `must have at least ${QUOTE_CHARACTERS_MIN} characters besides white space`,
    })
    .describe("Text of that file, copied exactly: a line or a few."),
});

const line = z.object({
  line: z.int().min(1).max(50).describe("Number of the rubric line."),
  status: z.enum(["met", "unmet"]),
  reason: z.string().min(1).max(20_000).describe("What you have seen, in one to three sentences."),
  quotes: z.array(quote).max(8).describe("What decides it. A line without a quote that exists is unmet."),
});

const submission = z.object({
  lines: z.array(line).min(1).max(50).describe("Every line of the rubric, each once."),
});

/** A grade as it was submitted. */
export type Submission = z.infer<typeof submission>;

/** Name of the call. */
export const SUBMIT = "submit_grade";

/** Some endpoints refuse a schema that names its dialect. */
const { $schema: _dialect, ...inputSchema } = z.toJSONSchema(submission, { target: "draft-7", io: "input" });

/** For the model. */
export const SUBMIT_DESCRIPTION: ToolDescription = {
  name: SUBMIT,
  description: "Gives the grade, once, when you have seen enough: for each line of the rubric met or unmet.",
  inputSchema: inputSchema as { readonly [key: string]: Json },
};

/** A well-formed submission, or what is wrong with it, worded for the model. */
export type ParsedSubmission =
  | { readonly ok: true; readonly submission: Submission }
  | { readonly ok: false; readonly problem: string };

/** @param rubricLines - how many lines there are to grade */
export function parseSubmission(input: Json, rubricLines: number): ParsedSubmission {
  const parsed = submission.safeParse(input);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join(".") || "the input";
    return { ok: false, problem: `${field}: ${issue?.message ?? "invalid"}` };
  }
  const seen = new Set<number>();
  for (const { line: number } of parsed.data.lines) {
    if (number > rubricLines)
      return { ok: false, problem: `there is no line ${number}; the rubric has ${rubricLines}` };
    if (seen.has(number)) return { ok: false, problem: `line ${number} is graded twice` };
    seen.add(number);
  }
  return { ok: true, submission: parsed.data };
}

/** Lines that are unmet in the first and met in the second: nothing was looked at in between that could tell. */
export function contradictions(first: Submission, second: Submission): number[] {
  const unmet = new Set(first.lines.filter(({ status }) => status === "unmet").map((each) => each.line));
  return second.lines
    .filter(({ line: number, status }) => status === "met" && unmet.has(number))
    .map((each) => each.line);
}
