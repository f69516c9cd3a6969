/** Reads config files: YAML, of which JSON is a part. Parsers and schemas are loaded only when there is a file. */
import { readFileSync, statSync } from "node:fs";
import type * as z from "zod";
import { messageOf, NightshiftError } from "../core/errors.ts";

/** Nobody writes more than this by hand. */
const BYTES_MAX = 1_000_000;

/** The text of a file; undefined when there is none. @throws NightshiftError `E_CONFIG` */
export function readConfigText(path: string): string | undefined {
  try {
    const kind = statSync(path);
    if (!kind.isFile()) throw new NightshiftError("E_CONFIG", `${path} is not a file`);
    if (kind.size > BYTES_MAX)
      throw new NightshiftError("E_CONFIG", `${path} is larger than ${BYTES_MAX} bytes`);
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (error instanceof NightshiftError) throw error;
    throw new NightshiftError("E_CONFIG", `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** @throws NightshiftError `E_CONFIG` naming the line or the field */
export async function parseConfig<Schema extends z.ZodType>(
  path: string,
  text: string,
  schema: Schema,
): Promise<z.infer<Schema>> {
  const parsed = schema.safeParse((await parseYaml(path, text)) ?? {});
  if (parsed.success) return parsed.data;
  const { at, message } = complaintOf(parsed.error.issues);
  const field = at.length === 0 ? "the top level" : at.join(".");
  throw new NightshiftError("E_CONFIG", `${path}, ${field}: ${message}`, { data: { path, field } });
}

interface Complaint {
  readonly at: readonly PropertyKey[];
  readonly message: string;
}

/** Of something that may have several forms, what keeps it from the form that it is nearest to. */
function complaintOf([issue]: readonly z.core.$ZodIssue[]): Complaint {
  if (issue === undefined) return { at: [], message: "invalid" };
  const forms = issue.code === "invalid_union" ? issue.errors : [];
  const [nearest] = [...forms].sort((one, other) => one.length - other.length);
  const inner = nearest === undefined ? undefined : complaintOf(nearest);
  return inner === undefined || inner.at.length === 0
    ? { at: issue.path, message: issue.message }
    : { at: [...issue.path, ...inner.at], message: inner.message };
}

async function parseYaml(path: string, text: string): Promise<unknown> {
  const { parseDocument } = await import("yaml");
  const document = parseDocument(text, { prettyErrors: true });
  const [problem] = document.errors;
  try {
    if (problem === undefined) return document.toJS();
  } catch (error) {
    // Aliases that unfold into more than anybody wrote.
    throw new NightshiftError("E_CONFIG", `${path}: ${messageOf(error)}`, { cause: error });
  }
  const place = problem.linePos?.[0];
  const where = place === undefined ? path : `${path}, line ${place.line}, column ${place.col}`;
  throw new NightshiftError("E_CONFIG", `${where}: ${firstLine(problem.message)}`, { cause: problem });
}

function firstLine(text: string): string {
  return (text.split("\n")[0] ?? "").replace(/ at line \d+, column \d+:?$/, "");
}
