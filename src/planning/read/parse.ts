/** Schemas on files: what does not fit is told by its line and field. */
import type * as z from "zod";
import { NightshiftError } from "../../core/errors.ts";
import { type FieldPath, fieldName, type JsonText } from "./json-text.ts";

/** @throws NightshiftError `E_CONTRACT_FILE` naming line and field */
export function parseWith<Value>(schema: z.ZodType<Value>, json: JsonText, name: string): Value {
  const parsed = schema.safeParse(json.value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw fileError(name, json, (issue?.path ?? []) as FieldPath, issue?.message ?? "it does not fit");
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
