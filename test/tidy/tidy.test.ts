import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { strayEffects } from "./effects.ts";
import { listFiles } from "./files.ts";
import { importCycles, unusedFiles } from "./graph.ts";
import { impureCoreImports, namedBackends, wrongWayImports } from "./layers.ts";
import { packageEntries, packagesOfTypes } from "./package-entries.ts";
import {
  brokenLinks,
  foreignMentions,
  incompleteLockfile,
  longAgentsFile,
  type TextFile,
  unexplainedDependencies,
} from "./prose.ts";
import {
  forbiddenComments,
  forbiddenSyntax,
  longFiles,
  longFunctions,
  partialTests,
  undocumentedExports,
} from "./shape.ts";
import { readSources, type SourceFile } from "./source.ts";

interface Package {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
}

const sources: readonly SourceFile[] = readSources(["src", "test", "bench", "scripts", "examples"]);
const inSrc: readonly SourceFile[] = sources.filter(({ path }) => path.startsWith("src/"));
const entries: ReadonlySet<string> = packageEntries(readPackage().exports);

function readPackage(): Package {
  return JSON.parse(readFileSync("package.json", "utf8")) as Package;
}

function readTexts(): TextFile[] {
  const isText = /\.(ts|js|json|md|yaml|yml|sql|sh|jsonl)$|^[^.]+$|^\.[^/]+$/;
  return listFiles(".")
    .filter((path) => isText.test(path))
    .map((path) => ({ path, text: readFileSync(path, "utf8") }));
}

function expectNone(complaints: readonly string[]): void {
  if (complaints.length > 0) expect.fail(`\n${complaints.join("\n")}\n`);
}

describe("layers", () => {
  test("imports point downwards", () => expectNone(wrongWayImports(inSrc)));
  test("core imports nothing impure", () => expectNone(impureCoreImports(inSrc)));
  test("only the registry names backends, lazily", () => expectNone(namedBackends(inSrc)));
  test("there are no import cycles, types included", () => expectNone(importCycles(sources)));
  test("every file is used", () => expectNone(unusedFiles(sources, entries)));
  test("the types of the package need no provider's", () => {
    const needed = [...packagesOfTypes(readPackage().exports)];
    expect(needed.filter((name) => name.startsWith("@ai-sdk/"))).toEqual([]);
  });
  test("every entry of the package has a source", () => {
    const missing = [...entries].filter((entry) => !existsSync(entry));
    expectNone(
      missing.map((entry) => `package.json names ${entry}, which does not exist: write or remove it`),
    );
  });
});

describe("shape", () => {
  test("functions fit on a screen", () => expectNone(longFunctions(sources)));
  test("files fit in a head", () => expectNone(longFiles(sources)));
  test("exports are documented", () => expectNone(undocumentedExports(inSrc)));
  test("no syntax that the house does without", () => expectNone(forbiddenSyntax(sources)));
  test("no comments that silence or put off", () => expectNone(forbiddenComments(sources)));
  test("no test is singled out or left out silently", () => expectNone(partialTests(sources)));
});

describe("effects", () => {
  test("time, chance and settings come from their owners", () => expectNone(strayEffects(inSrc)));
});

describe("prose", () => {
  const texts = readTexts();
  test("links lead somewhere", () => expectNone(brokenLinks(texts)));
  test("the project speaks of itself alone", () => expectNone(foreignMentions(texts, process.cwd())));
  test("AGENTS.md is short", () => expectNone(longAgentsFile(texts)));
  test("the lockfile is complete", () =>
    expectNone(incompleteLockfile(readFileSync("package-lock.json", "utf8"))));
  test("dependencies are explained", () => {
    const record = readFileSync("docs/decisions/dependencies.md", "utf8");
    expectNone(unexplainedDependencies(Object.keys(readPackage().dependencies), record));
  });
});
