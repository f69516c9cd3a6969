/** Rows of cases in few words. */
import type { Files, HostileCase } from "../case.ts";
import { type Field, honestly } from "../projects/field.ts";

/** What is said of one. */
export interface Cheat {
  readonly name: string;
  readonly mode: number;
  readonly field: Field;
  readonly script: string;
  readonly files?: Files;
  readonly gitlink?: string;
  readonly gates: HostileCase["gates"];
}

/** Its twin mends the bug. */
export function cheats(group: string, rows: readonly Cheat[]): readonly HostileCase[] {
  return rows.map(({ name, mode, field, script, files = {}, gitlink, gates }) => ({
    ...{ name, mode, group, gates },
    attempt: {
      ...{ project: field.project, terms: field.terms, script, files },
      ...(gitlink !== undefined && { gitlink }),
    },
    twin: honestly(field),
  }));
}
