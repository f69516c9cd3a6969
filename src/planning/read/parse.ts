/** Schemas on files: what does not fit is told by its line and field. */
import type * as z from "zod";
import { NightshiftError } from "../../core/errors.ts";
import { type FieldPath, fieldName, type JsonText } from "./json-text.ts";

/** @throws NightshiftError `E_CONTRACT_FILE` naming line and field */
export function parseWith<Value>(schema: z.ZodType<Value>, json: JsonText, name: string): Value {
  const parsed = schema.safeParse(json.value);
  if (parsed.success) return parsed.data;
  const unknown = unknownKey(parsed.error.issues);
  if (unknown !== undefined) {
    const key = String(unknown.at(-1) ?? "");
    throw fileError(name, json, unknown, `Unrecognized key: "${key}"`);
  }
  const [issue] = parsed.error.issues;
  throw fileError(name, json, (issue?.path ?? []) as FieldPath, issue?.message ?? "it does not fit");
}

/**
 * A field that is misspelt is one too many and one too few; only the first tells what to mend. Of several forms that a
 * value may have, it has to be none of any.
 */
function unknownKey(issues: readonly z.core.$ZodIssue[], above: FieldPath = []): FieldPath | undefined {
  for (const issue of issues) {
    const path = [...above, ...(issue.path as FieldPath)];
    if (issue.code === "unrecognized_keys") return [...path, issue.keys[0] ?? ""];
    if (issue.code !== "invalid_union") continue;
    const forms = issue.errors.filter((each) =>
      each.some(({ path: field }) => field.length > 0 || isUnknown(each)),
    );
    const found = forms.map((each) => unknownKey(each, path));
    const [first] = found;
    if (first !== undefined && found.every((each) => each?.at(-1) === first.at(-1))) return first;
  }
  return undefined;
}

function isUnknown(issues: readonly z.core.$ZodIssue[]): boolean {
  return issues.some(({ code }) => code === "unrecognized_keys");
}

/** What is wrong with one field. */
export function fileError(name: string, json: JsonText, path: FieldPath, message: string): NightshiftError {
  const field = fieldName(path);
  // A field that is missing is missing in the object around it.
  let line: number | undefined;
  for (let length = path.length; line === undefined && length >= 0; length--)
    line = json.lineOf(path.slice(0, length));
  return new NightshiftError(
    "E_CONTRACT_FILE",
    `${name}, line ${line ?? 1}, ${field}: ${message.slice(0, 300)}`,
    {
      data: { line: line ?? 1, field },
    },
  );
}
