/** Honest cases in few words. */
import type { Contract } from "../../../src/core/contract/contract.ts";
import type { Files, HonestCase, Project } from "../case.ts";
import { oneCheck } from "../terms.ts";

/** What an honest worker does with a project. */
export interface Work {
  readonly project: Project;
  /** By default the project's `npm test`. */
  readonly contract?: Contract;
  /** Written before the script runs. */
  readonly files?: Files;
  readonly script?: string;
  /** By default `met`. */
  readonly expected?: HonestCase["expected"];
}

/** A case. */
export function honest(name: string, work: Work): HonestCase {
  const { project, contract = oneCheck("npm", "test"), files = {}, script = "", expected = "met" } = work;
  return { name, attempt: { project, terms: { contract }, files, script }, expected };
}

/** A `package.json` with this test command. */
export function manifest(name: string, test: string, more: object = {}): string {
  const { scripts = {}, ...rest } = more as { readonly scripts?: object };
  const content = {
    name,
    version: "1.0.0",
    private: true,
    type: "module",
    scripts: { test, ...scripts },
    ...rest,
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}
