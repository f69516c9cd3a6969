/** Makes contracts of what people pass on a command line: goal, check texts, rubric lines. */
import { NightshiftError } from "../errors.ts";
import { isShellWord, joinCommandText, splitCommandText } from "./command.ts";
import { type Check, CONTRACT_DEFAULTS, type Contract, type Criterion } from "./contract.ts";
import { splitPieces } from "./shell-pieces.ts";

const ID_LENGTH_MAX = 48;

/** A check of a command text, and what a person should know about how it was read. */
export interface ReadCheck {
  readonly check: Check;
  readonly remarks: readonly string[];
}

/**
 * Splits a command text without a shell; where it takes one, all of it is run by `sh -c`. `cd folder && command` is
 * understood as the command in that folder.
 * @throws NightshiftError `E_CONTRACT_INVALID` for an empty text, or a quote that does not end
 */
export function readCheck(text: string, folder = ""): ReadCheck {
  const [, inner, rest] = /^\s*cd\s+([\w@./][\w@+./-]*)\s*&&\s*(.+)$/s.exec(text) ?? [];
  if (inner !== undefined && rest !== undefined && splitCommandText(rest).kind === "words")
    return readCheck(rest, joinFolders(folder, inner));
  const split = splitCommandText(text);
  switch (split.kind) {
    case "words":
      return { check: { argv: [...split.words], folder, shell: false }, remarks: [] };
    case "shell": {
      const remark = `\`${text.trim()}\` is run by sh -c, because of ${nameOf(split.because)}`;
      return { check: { argv: [text.trim()], folder, shell: true }, remarks: [remark] };
    }
    case "broken":
      throw new NightshiftError(
        "E_CONTRACT_INVALID",
        `the check "${text}" cannot be read: ${split.problem}`,
        {
          hint: "Write the command as you would in a terminal.",
          data: { check: text },
        },
      );
  }
}

function nameOf(because: string): string {
  return because.includes(" ") ? because : `"${because}"`;
}

function joinFolders(folder: string, inner: string): string {
  const joined = folder === "" || inner.startsWith("/") ? inner : `${folder}/${inner}`;
  return joined
    .split("/")
    .filter((part, index) => part !== "." && (part !== "" || index === 0))
    .join("/");
}

/** The command as a person would write it. */
export function checkText(check: Check): string {
  return check.shell ? (check.argv[0] ?? "") : joinCommandText(check.argv);
}

/** An id that fits, from any text. @param taken - gets it too */
export function criterionIdOf(text: string, taken: Set<string>): string {
  const slug = text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, ID_LENGTH_MAX)
    .replace(/^-+|-+$/g, "");
  const stem = slug === "" ? "item" : slug;
  let id = stem;
  for (let number = 2; taken.has(id); number++) id = `${stem}-${number}`;
  taken.add(id);
  return id;
}

/** A criterion with what it is made of; the rest is empty. */
export function criterionOf(parts: Pick<Criterion, "id" | "description"> & Partial<Criterion>): Criterion {
  return { steps: [], check: null, role: null, rubric: [], needs: [], ...parts };
}

/**
 * Criteria for check texts, one each.
 * @param taken - ids that are in use; gets the new ones
 * @param folder - of the workspace, that the commands were said in
 */
export function criteriaOfChecks(
  texts: readonly string[],
  taken: Set<string>,
  folder = "",
): { readonly criteria: readonly Criterion[]; readonly remarks: readonly string[] } {
  const read = texts.map((text) => ({ text: text.trim(), ...readCheck(text, folder) }));
  const where = folder === "" ? "" : ` in ${folder}`;
  const criteria = read.map(({ text, check }) =>
    criterionOf({ id: criterionIdOf(text, taken), description: `\`${text}\` passes${where}`, check }),
  );
  return { criteria, remarks: read.flatMap(({ remarks }) => remarks) };
}

/** A contract with what it is made of; the rest is as everywhere. */
export function contractOf(parts: Pick<Contract, "goal" | "criteria"> & Partial<Contract>): Contract {
  return { ...CONTRACT_DEFAULTS, ...parts };
}

/** What the first check runs has to be there, and so does what it needs; empty when no check names a program. */
export function setupOf(criteria: readonly Criterion[]): string[] {
  for (const { check } of criteria) {
    const words = check === null ? undefined : programWords(check);
    if (words !== undefined) return [...words];
  }
  return [];
}

function programWords({ argv, shell }: Check): readonly string[] | undefined {
  if (!shell) return argv;
  const commands = (splitPieces(argv[0] ?? "") ?? []).map(({ words }) =>
    words.slice(words.findIndex((word) => !/^\w+=/.test(word))),
  );
  return commands.find(([program = ""]) => !isShellWord(program) && !/^(\w+=|$)/.test(program));
}
