import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseSource } from "../../test/tidy/source.ts";
import { FOLD_DIGEST } from "./fold-digest.ts";

/** Everything that says what an event does to a state. */
function foldSources(): string[] {
  const parts = readdirSync(join(import.meta.dirname, "reduce"))
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => `reduce/${name}`);
  const states = [
    "attempt/state",
    "budget/breaker-state",
    "budget/state",
    "command/state",
    "contract/state",
    "people/state",
  ];
  return ["state.ts", "reduce.ts", ...states.map((name) => `${name}.ts`), ...parts].sort();
}

/** Without comments and layout: neither changes what is folded. */
function normalised(path: string): string {
  let text = readFileSync(join(import.meta.dirname, path), "utf8");
  for (const { start, end } of parseSource(path, text).comments.toReversed())
    text = `${text.slice(0, start)} ${text.slice(end)}`;
  return text.replace(/\s+/g, " ").trim();
}

test("the digest names the fold as it is, so that no snapshot of another fold is used", () => {
  const digest = createHash("sha256");
  for (const path of foldSources()) digest.update(`${path}\n${normalised(path)}\n`);
  const actual = digest.digest("hex").slice(0, 16);
  expect(FOLD_DIGEST, `the fold has changed: write "${actual}" into src/core/fold-digest.ts`).toBe(actual);
});
