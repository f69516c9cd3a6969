/** `prd.json`, as Ralph loops have it: user stories with acceptance criteria. */
import * as z from "zod";
import type { ReadItem, ReadPlan } from "./contract.ts";
import type { JsonText } from "./json-text.ts";
import { checkInLine } from "./lines.ts";
import { parseWith } from "./parse.ts";

const line = z.string().max(20_000);
const name = z.union([line, z.number()]).transform(String);
const lines = z.array(line).max(1000).nullish();

/** Fields that are not named here are left out: every loop has some of its own. */
const story = z
  .object({
    id: name.nullish(),
    title: line.nullish(),
    description: line.nullish(),
    acceptanceCriteria: lines,
    notes: line.nullish(),
    priority: z.number().nullish().catch(null),
    dependencies: z.array(name).max(1000).nullish(),
    dependsOn: z.array(name).max(1000).nullish(),
    check: line.nullish(),
    passes: z.unknown().optional(),
  })
  .refine(
    ({ title, description }) => `${title ?? ""}${description ?? ""}`.trim() !== "",
    "it needs a title or a description",
  );

const prd = z.object({
  project: line.nullish(),
  description: line.nullish(),
  userStories: z.array(story).min(1, "there are no stories").max(5000),
});

type Story = z.infer<typeof story>;

/** In the order of priority, as loops take them. @throws NightshiftError `E_CONTRACT_FILE` */
export function readPrd(json: JsonText, fileName: string): ReadPlan {
  const { project, description, userStories } = parseWith(prd, json, fileName);
  const order = userStories.toSorted(
    (one, other) => (one.priority ?? Number.MAX_VALUE) - (other.priority ?? Number.MAX_VALUE),
  );
  const goal = [description, project].find((text) => (text ?? "").trim() !== "");
  return { form: "user stories", goal: goal ?? undefined, items: order.map(itemOf), checks: [] };
}

function itemOf(each: Story): ReadItem {
  const read = (each.acceptanceCriteria ?? []).map((text) => ({ text, check: checkInLine(text) }));
  const texts = [each.title, each.description, each.notes].map((text) => text?.trim() ?? "");
  return {
    id: each.id ?? undefined,
    description: [...new Set(texts.filter((text) => text !== ""))].join("\n"),
    steps: [],
    checks: [...optional(each.check), ...read.flatMap(({ check }) => optional(check))],
    rubric: read.filter(({ check }) => check === undefined).map(({ text }) => text),
    needs: [...(each.dependencies ?? []), ...(each.dependsOn ?? [])],
    isMarked: each.passes === true,
  };
}

function optional(text: string | null | undefined): string[] {
  return text === undefined || text === null || text.trim() === "" ? [] : [text];
}
