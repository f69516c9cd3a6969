/** What a model hands in as a plan, and the contract that it comes to. */
import * as z from "zod";
import { contractOf, criterionIdOf, criterionOf, readCheck, setupOf } from "../../core/contract/build.ts";
import { splitCommandText } from "../../core/contract/command.ts";
import { CONTRACT_DEFAULTS } from "../../core/contract/contract.ts";
import { lintContract } from "../../core/contract/lint.ts";
import { isNightshiftError } from "../../core/errors.ts";
import type { Json } from "../../core/text.ts";
import type { ToolDescription } from "../../model/contract.ts";
import type { DraftedContract } from "../contract-source.ts";
import { lintFactsOf } from "../globs.ts";

const line = z.string().max(4000);

const criterion = z.strictObject({
  id: z.string().max(64).describe("Short, in small letters with dashes"),
  description: line.min(1).describe("One sentence that is either true or false of the finished work"),
  check: line
    .nullish()
    .describe(
      "A command that exits with 0 only if it is true. Prefer one that fails on the repository as it is",
    ),
  folder: line.nullish().describe("Where the command runs, relative to the top; leave it out for the top"),
  rubric: z
    .array(line)
    .max(50)
    .nullish()
    .describe("For what no command can show: lines that a judge reading the files finds true or false"),
  steps: z.array(line).max(100).nullish().describe("How a person would go about seeing it"),
  needs: z.array(z.string().max(64)).max(100).nullish().describe("Ids of criteria that have to be met first"),
});

const submission = z.strictObject({
  criteria: z.array(criterion).min(1).max(100),
  constraints: z
    .array(line)
    .max(100)
    .nullish()
    .describe("What the work must not do, taken from the goal; nothing that the person did not say"),
  protect: z
    .array(z.string().max(1000))
    .max(100)
    .nullish()
    .describe("Globs of files that decide whether the work is right and that it must not change"),
  setup: line
    .nullish()
    .describe("One command whose programs and dependencies the checks need, such as npm test"),
});

/** The tool that ends planning. */
export const SUBMIT_PLAN: ToolDescription = {
  name: "submit_plan",
  description: "Hands in the plan. Call it once, with all criteria.",
  inputSchema: z.toJSONSchema(submission, { io: "input" }) as { readonly [key: string]: Json },
};

/** A plan, or what the model has to correct. */
export type ReadSubmission =
  | { readonly ok: true; readonly draft: DraftedContract }
  | { readonly ok: false; readonly problems: readonly string[] };

/** @param goal - verbatim @param paths - of the repository's files */
export function readSubmission(input: Json, goal: string, paths: readonly string[]): ReadSubmission {
  const parsed = submission.safeParse(input);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.join(".") || "input"}: ${message}`,
    );
    return { ok: false, problems };
  }
  try {
    return { ok: true, draft: draftOf(parsed.data, goal, paths) };
  } catch (error) {
    if (isNightshiftError(error, "E_CONTRACT_INVALID")) return { ok: false, problems: [error.message] };
    throw error;
  }
}

function draftOf(plan: z.infer<typeof submission>, goal: string, paths: readonly string[]): DraftedContract {
  const remarks: string[] = [];
  const criteria = plan.criteria.map((each) => {
    const { check: text, folder, rubric, steps, needs } = each;
    const read = (text ?? "").trim() === "" ? undefined : readCheck(text ?? "", folder ?? "");
    remarks.push(...(read?.remarks ?? []));
    return criterionOf({
      id: criterionIdOf(each.id, new Set()),
      description: each.description,
      check: read?.check ?? null,
      rubric: rubric ?? [],
      steps: steps ?? [],
      needs: (needs ?? []).map((need) => criterionIdOf(need, new Set())),
    });
  });
  const setup = (plan.setup ?? "").trim() === "" ? undefined : splitCommandText(plan.setup ?? "");
  const contract = contractOf({
    ...CONTRACT_DEFAULTS,
    goal,
    criteria,
    constraints: plan.constraints ?? [],
    protect: plan.protect ?? [],
    setup: setup?.kind === "words" ? [...setup.words] : setupOf(criteria),
  });
  return { contract, source: "plan", remarks, complaints: lintContract(contract, lintFactsOf(paths)) };
}
