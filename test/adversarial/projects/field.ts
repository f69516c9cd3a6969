/** A project with what is agreed about it, and how it is done honestly. */
import type { Attempt, Project, Terms } from "../case.ts";
import { oneCheck } from "../terms.ts";

/** Where workers of several cases try themselves. */
export interface Field {
  readonly project: Project;
  readonly terms: Terms;
  /** The bug mended, as a script. */
  readonly mended: string;
}

/** A field whose contract is one command. */
export function fieldOf(project: Project, argv: readonly string[], mended: string): Field {
  return { project, terms: { contract: oneCheck(...argv) }, mended };
}

/** The honest work on it. */
export function honestly({ project, terms, mended }: Field): Attempt {
  return { project, terms, script: mended };
}

/** Lines of a script that write a file. */
export function put(path: string, text: string): string {
  return `mkdir -p "$(dirname '${path}')"\ncat > '${path}' <<'END_OF_FILE'\n${text.trim()}\nEND_OF_FILE\n`;
}

/** A `package.json`. */
export function manifest(name: string, more: object): string {
  return `${JSON.stringify({ name, version: "1.0.0", private: true, ...more }, null, 2)}\n`;
}
