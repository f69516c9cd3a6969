/** `feature_list.json`: features with steps that a person would take to see them. */
import * as z from "zod";
import type { ReadItem, ReadPlan } from "./contract.ts";
import type { JsonText } from "./json-text.ts";
import { isObservation } from "./lines.ts";
import { parseWith } from "./parse.ts";

const line = z.string().max(20_000);

const feature = z.object({
  id: z.union([line, z.number()]).transform(String).nullish(),
  category: line.nullish(),
  description: line.refine((text) => text.trim() !== "", "it is empty"),
  steps: z.array(line).max(1000).nullish(),
  check: line.nullish(),
  passes: z.unknown().optional(),
});

const features = z.array(feature).min(1, "there are no features").max(5000);

/** A list, or an object that has it as `features`. @throws NightshiftError `E_CONTRACT_FILE` */
export function readFeatureList(json: JsonText, fileName: string): ReadPlan {
  const list = Array.isArray(json.value)
    ? parseWith(features, json, fileName)
    : parseWith(z.object({ features }), json, fileName).features;
  return { form: "a feature list", goal: undefined, items: list.map(itemOf), checks: [] };
}

/** The steps that look at something are what has to be found true; without one, it is the description. */
function itemOf({ id, description, steps, check, passes }: z.infer<typeof feature>): ReadItem {
  const all = steps ?? [];
  return {
    id: id ?? undefined,
    description: description.trim(),
    steps: all,
    checks: check === undefined || check === null || check.trim() === "" ? [] : [check],
    rubric: all.filter(isObservation),
    needs: [],
    isMarked: passes === true,
  };
}
