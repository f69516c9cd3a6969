/** Plans of compositions, for tables of what a candidate did. */
import type { Contract } from "../../src/core/contract/contract.ts";
import type { RunnerKind } from "../../src/referee/contract.ts";
import { type Plan, planComposition } from "../../src/referee/tree/compose.ts";
import { blobName } from "../../src/workspace/blobs.ts";
import { contractOf, type Files, matchOf, treeOfFiles } from "./trees.ts";

/** What a candidate did to the base; null: removed. */
export type Edits = Readonly<Record<string, string | null>>;

/** What a case may have besides. */
export interface Options
  extends Partial<Pick<Contract, "constraints" | "protect" | "protection" | "services">> {
  readonly check?: string;
  readonly approved?: readonly string[];
}

/** Runs the plan of a base, and a candidate that is the base with these edits. */
export async function planOf(
  kind: RunnerKind | null,
  base: Files,
  edits: Edits,
  options: Options = {},
): Promise<Plan> {
  const { check = "npm test", approved = [], ...fields } = options;
  const merged = Object.entries({ ...base, ...edits }).filter(([, text]) => text !== null);
  const request = {
    contract: contractOf(check, fields),
    matches: kind === null ? [] : [matchOf(kind)],
    approved: new Set(approved),
  };
  return planComposition(treeOfFiles(base), treeOfFiles(Object.fromEntries(merged) as Files), request);
}

/** Findings in short. */
export const told = ({ findings }: Plan): string[] =>
  findings.map(({ effect, gate, path }) => `${effect} ${gate} ${path}`);

/** Path → blob, or content, of pass A; undefined: the candidate's own. */
export function passA({ entries }: Plan): Readonly<Record<string, string>> | undefined {
  if (entries === null) return undefined;
  return Object.fromEntries(
    entries.map((entry) => [entry.path, "object" in entry ? entry.object : entry.content.toString()]),
  );
}

/** Name of a content. */
export const blob = (text: string): string => blobName(Buffer.from(text), "sha1");

/** Of small projects. */
export const TEST = `import { expect, test } from "vitest";
import { add } from "../src/add.js";
test("adds", () => {
  expect(add(1, 2)).toBe(3);
});
`;
/** Of small projects. */
export const MORE = `${TEST.replace("{ add }", "{ add, subtract }")}test("subtracts", () => {
  expect(subtract(3, 2)).toBe(1);
});
`;
/** Of small projects. */
export const JS: Files = {
  "package.json": JSON.stringify({ name: "p", scripts: { test: "vitest run" } }, null, 2),
  "src/add.js": "export const add = (a, b) => a + b;\n",
  "test/add.test.js": TEST,
  "vite.config.js": "export default {};\n",
};
/** Of small projects. */
export const PYTEST = `import pytest
from calc import add

def test_add():
    assert add(1, 2) == 3
`;
/** Of small projects. */
export const PY: Files = {
  "pyproject.toml":
    '[project]\nname = "calc"\ndependencies = ["numpy>=2"]\n[tool.pytest.ini_options]\naddopts = "-q"\n',
  "calc.py": "def add(a, b):\n    return a + b\n",
  "tests/test_add.py": PYTEST,
};
