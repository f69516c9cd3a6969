/** Reads files that say what is to be done, in the forms that people have them in. */
import { lstat, open, realpath } from "node:fs/promises";
import { NightshiftError } from "../../core/errors.ts";
import type { ReadPlan, SourceText } from "./contract.ts";
import { type ReadContract, readContractFile } from "./contract-file.ts";
import { readFeatureList } from "./feature-list.ts";
import { parseJsonText } from "./json-text.ts";
import { readMarkdown } from "./markdown.ts";
import { readPrd } from "./prd.ts";

/** Larger ones are no plans. */
export const SOURCE_BYTES_MAX = 2 * 1024 * 1024;

/** What a file turned out to be. */
export type ReadSource =
  | { readonly kind: "contract"; readonly read: ReadContract }
  | { readonly kind: "plan"; readonly plan: ReadPlan };

/** @param path - absolute @param name - for messages @throws NightshiftError `E_CONTRACT_FILE` */
export async function readSourceFile(path: string, name: string): Promise<SourceText> {
  return { name, text: decoded(await bytesOf(path, name), name) };
}

/**
 * Finds out which form a text has, by its name and by what is in it, and reads it.
 * @throws NightshiftError `E_CONTRACT_FILE` naming line and field, and nothing else
 */
export function readSource({ name, text }: SourceText): ReadSource {
  const isJson = /\.json$/i.test(name) || (!/\.(md|markdown|txt)$/i.test(name) && /^\s*[[{]/.test(text));
  return isJson ? readJson(text, name) : { kind: "plan", plan: readItems(text, name) };
}

function readJson(text: string, name: string): ReadSource {
  const json = parseJsonText(text, name);
  const { value } = json;
  if (has(value, "criteria")) return { kind: "contract", read: readContractFile(json, name) };
  if (has(value, "userStories")) return { kind: "plan", plan: readPrd(json, name) };
  if (Array.isArray(value) || has(value, "features"))
    return { kind: "plan", plan: readFeatureList(json, name) };
  throw new NightshiftError("E_CONTRACT_FILE", `${name} has none of criteria, userStories and features`, {
    hint: "Write it as a contract, a prd.json or a feature_list.json; docs/contracts.md shows each.",
  });
}

function readItems(text: string, name: string): ReadPlan {
  const read = readMarkdown(text);
  const items = read.items.filter(({ description }) => description !== "");
  if (items.length > 0) return { ...read, items };
  throw new NightshiftError("E_CONTRACT_FILE", `${name} has no items`, {
    hint: "Write each as `- [ ] what has to be true`, with a line `Check: ` and a command in backticks below.",
  });
}

function has(value: unknown, field: string): boolean {
  return typeof value === "object" && value !== null && Object.hasOwn(value, field);
}

async function bytesOf(path: string, name: string): Promise<Buffer> {
  try {
    const real = await realpath(path);
    // Opening anything else could wait for ever.
    if (!(await lstat(real)).isFile()) throw new NightshiftError("E_CONTRACT_FILE", `${name} is not a file`);
    await using file = await open(real, "r");
    const { size } = await file.stat();
    if (size > SOURCE_BYTES_MAX)
      throw new NightshiftError(
        "E_CONTRACT_FILE",
        `${name} has ${size} bytes, and ${SOURCE_BYTES_MAX} are the limit`,
      );
    return await file.readFile();
  } catch (cause) {
    if (cause instanceof NightshiftError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const reason = code === "ENOENT" || code === "ENOTDIR" ? "does not exist" : `cannot be read (${code})`;
    throw new NightshiftError("E_CONTRACT_FILE", `${name} ${reason}`, { cause });
  }
}

function decoded(bytes: Buffer, name: string): string {
  const wrong = (message: string): NightshiftError =>
    new NightshiftError("E_CONTRACT_FILE", `${name} ${message}`, { hint: "Save it as UTF-8." });
  if (bytes[0] === 0xff && bytes[1] === 0xfe) throw wrong("is UTF-16");
  if (bytes[0] === 0xfe && bytes[1] === 0xff) throw wrong("is UTF-16");
  let text: string;
  try {
    // Leaves a byte order mark out.
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw wrong("is not UTF-8");
  }
  const zero = text.indexOf("\0");
  if (zero !== -1) throw wrong(`is no text: line ${text.slice(0, zero).split("\n").length} has a zero byte`);
  if (text.trim() === "") throw new NightshiftError("E_CONTRACT_FILE", `${name} is empty`);
  return text;
}
