import { describe, expect, test } from "vitest";
import { strayEffects } from "./effects.ts";
import { importCycles, unusedFiles } from "./graph.ts";
import { impureCoreImports, namedBackends, wrongWayImports } from "./layers.ts";
import {
  brokenLinks,
  foreignMentions,
  incompleteLockfile,
  longAgentsFile,
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
import { parseSource, type SourceFile } from "./source.ts";

type Rule = (files: readonly SourceFile[]) => readonly string[];

/** Each row: a file that breaks the rule, or (`complaints: 0`) looks as if it did. */
interface Case {
  readonly path: string;
  readonly text: string;
  readonly complaints: number;
}

function check(rule: Rule, cases: readonly Case[]): void {
  for (const { path, text, complaints } of cases) {
    test(`${path}: ${JSON.stringify(text.slice(0, 60))} has ${complaints}`, () => {
      expect(rule([parseSource(path, text)])).toHaveLength(complaints);
    });
  }
}

const lines = (count: number): string => "step();\n".repeat(count);

describe("imports point downwards", () => {
  check(wrongWayImports, [
    { path: "src/core/a.ts", text: 'import { s } from "../store/index.ts";', complaints: 1 },
    { path: "src/core/a.ts", text: 'import type { S } from "../store/index.ts";', complaints: 1 },
    { path: "src/core/a.ts", text: 'type S = import("../store/index.ts").S;', complaints: 1 },
    { path: "src/worker/a.ts", text: 'export { s } from "../store/index.ts";', complaints: 1 },
    { path: "src/runtime/a.ts", text: 'await import("../cli/main.ts");', complaints: 1 },
    { path: "src/store/a.ts", text: 'import { a } from "../index.ts";', complaints: 1 },
    { path: "src/new/a.ts", text: "", complaints: 1 },
    { path: "src/runtime/a.ts", text: 'import { s } from "../store/index.ts";', complaints: 0 },
    { path: "src/index.ts", text: 'export { r } from "./runtime/index.ts";', complaints: 0 },
    { path: "src/core/a.test.ts", text: 'import { s } from "../store/index.ts";', complaints: 0 },
  ]);
});

describe("core imports nothing impure", () => {
  check(impureCoreImports, [
    { path: "src/core/a.ts", text: 'import fs from "node:fs";', complaints: 1 },
    {
      path: "src/core/a.ts",
      text: 'import { createHash } from "node:crypto"; import { z } from "zod";',
      complaints: 0,
    },
    { path: "src/store/a.ts", text: 'import fs from "node:fs";', complaints: 0 },
  ]);
});

describe("only the registry names backends", () => {
  check(namedBackends, [
    { path: "src/runtime/run.ts", text: 'import { s } from "../store/sqlite.ts";', complaints: 1 },
    { path: "src/store/index.ts", text: 'export { s } from "./sqlite/index.ts";', complaints: 1 },
    { path: "src/cli/main.ts", text: 'await import("../model/scripted.ts");', complaints: 1 },
    { path: "src/runtime/registry.ts", text: 'import { s } from "../store/sqlite.ts";', complaints: 1 },
    { path: "src/runtime/registry.ts", text: 'await import("../store/sqlite.ts");', complaints: 0 },
    { path: "src/store/sqlite-rows.ts", text: 'import { s } from "./sqlite.ts";', complaints: 0 },
    { path: "src/store/sqlite.test.ts", text: 'import { s } from "./sqlite.ts";', complaints: 0 },
    { path: "bench/main.ts", text: 'import { s } from "../src/store/sqlite.ts";', complaints: 0 },
  ]);
});

describe("time, chance and settings come from their owners", () => {
  check(strayEffects, [
    { path: "src/core/a.ts", text: "Date.now(); new Date(); Date();", complaints: 3 },
    {
      path: "src/core/a.ts",
      text: "globalThis.Date.now(); performance.now(); Math.random();",
      complaints: 3,
    },
    { path: "src/core/a.ts", text: 'import { randomUUID as u } from "node:crypto";', complaints: 1 },
    { path: "src/core/a.ts", text: "crypto.randomUUID(); crypto.randomBytes(8);", complaints: 2 },
    {
      path: "src/core/a.ts",
      text: "setTimeout(f, 1); promisify(setTimeout); globalThis.setInterval(f);",
      complaints: 3,
    },
    {
      path: "src/core/a.ts",
      text: 'import { setTimeout as sleep } from "node:timers/promises";',
      complaints: 2,
    },
    {
      path: "src/core/a.ts",
      text: "process.env.HOME; const { env } = process; AbortSignal.timeout(1);",
      complaints: 3,
    },
    { path: "src/core/a.ts", text: 'import { env } from "node:process";', complaints: 1 },
    {
      path: "src/core/a.ts",
      text: "new Date(0); clock.setTimeout(f); type T = typeof setTimeout;",
      complaints: 0,
    },
    { path: "src/core/a.ts", text: "const clock = { setTimeout: f, now() {} };", complaints: 0 },
    { path: "src/runtime/system.ts", text: "Date.now();", complaints: 0 },
    { path: "src/cli/main.ts", text: "process.env;", complaints: 0 },
    { path: "src/sandbox/daemon/main.ts", text: "setTimeout(f, 1);", complaints: 0 },
  ]);
});

describe("functions fit on a screen", () => {
  check(longFunctions, [
    { path: "src/a.ts", text: `function f() {\n${lines(69)}}`, complaints: 1 },
    { path: "src/a.ts", text: `const f = () => {\n${lines(69)}};`, complaints: 1 },
    { path: "src/a.ts", text: `class C {\n  m() {\n${lines(69)}}\n}`, complaints: 1 },
    { path: "src/a.ts", text: `function f() {\n${lines(68)}}`, complaints: 0 },
    { path: "src/a.test.ts", text: `describe("a", () => {\n${lines(99)}});`, complaints: 0 },
    { path: "src/a.test.ts", text: `test("a", () => {\n${lines(99)}});`, complaints: 1 },
  ]);
});

describe("files fit in a head", () => {
  check(longFiles, [
    { path: "src/a.ts", text: lines(401), complaints: 1 },
    { path: "src/a.ts", text: lines(400), complaints: 0 },
  ]);
});

describe("exports are documented", () => {
  check(undocumentedExports, [
    { path: "src/a.ts", text: "export const a = 1;", complaints: 1 },
    { path: "src/a.ts", text: "// why\nexport interface A {}", complaints: 1 },
    { path: "src/a.ts", text: "/** Of b. */\nconst b = 1;\nexport type A = 1;", complaints: 1 },
    { path: "src/a.ts", text: "function a() {}\nexport { a };", complaints: 1 },
    { path: "src/a.ts", text: "/** A. */\nfunction a() {}\nexport { a };", complaints: 0 },
    {
      path: "src/a.ts",
      text: "/** A. */\nexport function a(): void;\nexport function a() {}",
      complaints: 0,
    },
    { path: "src/a.ts", text: 'export { a } from "./b.ts";', complaints: 0 },
    { path: "test/a.ts", text: "export const a = 1;", complaints: 0 },
  ]);
});

describe("no syntax that the house does without", () => {
  check(forbiddenSyntax, [
    { path: "src/a.ts", text: "export default 1;", complaints: 1 },
    { path: "src/a.ts", text: 'export * from "./b.ts";', complaints: 1 },
    { path: "src/a.ts", text: "enum E { A }\nnamespace N {}", complaints: 2 },
    { path: "src/a.ts", text: "let a: any = b as any;\nlet c: Array<any>;", complaints: 3 },
    { path: "src/a.ts", text: "class C { constructor(readonly a: string) {} }", complaints: 1 },
    { path: "src/a.ts", text: 'declare module "x" {}\nconst any = "as any";', complaints: 0 },
  ]);
});

describe("no comments that silence or put off", () => {
  check(forbiddenComments, [
    { path: "src/a.ts", text: "// @ts-ignore\n/* @ts-nocheck */", complaints: 2 },
    { path: "src/a.ts", text: "// TODO: later\n/** FIXME */", complaints: 2 },
    { path: "src/a.ts", text: 'const list = "TODO";', complaints: 0 },
  ]);
});

describe("no test is singled out or left out silently", () => {
  check(partialTests, [
    { path: "src/a.test.ts", text: 'test.only("a", f); describe.only("a", f);', complaints: 2 },
    {
      path: "src/a.test.ts",
      text: 'test.skip("a", f); it.skipIf(b)("a", f); test.each([])("a", f);',
      complaints: 2,
    },
    { path: "src/a.test.ts", text: 'test("a", (context) => context.skip("no network"));', complaints: 0 },
  ]);
});

describe("the import graph", () => {
  const a = parseSource(
    "src/a.ts",
    'import type { B } from "./b.ts"; new URL("./child.js", import.meta.url);',
  );
  const b = parseSource("src/b.ts", 'import { c } from "./c.ts";');
  const c = parseSource("src/c.ts", 'import { a } from "./a.ts";');
  const child = parseSource("src/child.ts", "");
  const childTest = parseSource("src/child.test.ts", 'import "./child.ts";');

  test("a cycle through three files and a type is found once", () => {
    expect(importCycles([a, b, c])).toEqual([
      expect.stringContaining("src/a.ts -> src/b.ts -> src/c.ts -> src/a.ts"),
    ]);
    expect(importCycles([a, b])).toEqual([]);
  });

  test("a file that only its own test imports is unused", () => {
    expect(unusedFiles([b, child, childTest], new Set(["src/b.ts"]))).toEqual([
      expect.stringContaining("src/child.ts"),
    ]);
    expect(unusedFiles([a, b, c, child], new Set())).toEqual([]);
  });
});

describe("prose", () => {
  test("foreign mentions", () => {
    const host = ["registry", "some-mirror", "net"].join(".");
    const outside = ["..", "shared", "design"].join("/");
    const mentions = (text: string): readonly string[] =>
      foreignMentions([{ path: "a.md", text }], "/checkout");
    expect(mentions(`from https://${host}/zod`)).toHaveLength(1);
    expect(mentions(`see ${outside}/a.md`)).toHaveLength(1);
    expect(mentions("run /checkout/bin/x")).toHaveLength(1);
    expect(mentions("the registry. It is shared/with all")).toHaveLength(0);
  });

  test("links", () => {
    const text = "[a](package.json) [b](none.md#x) [c](https://example.com) [d](#top) `[e](none.md)`";
    expect(brokenLinks([{ path: "a.md", text }])).toEqual([expect.stringContaining("none.md")]);
  });

  test("a long AGENTS.md", () => {
    expect(longAgentsFile([{ path: "AGENTS.md", text: "word ".repeat(801) }])).toHaveLength(1);
    expect(longAgentsFile([{ path: "AGENTS.md", text: "word ".repeat(800) }])).toHaveLength(0);
  });

  test("platform packages without an entry", () => {
    const packages = {
      "node_modules/a": { optionalDependencies: { "a-linux": "1.0.0", "a-darwin": "1.0.0" } },
    };
    const lockfile = JSON.stringify({ packages: { ...packages, "node_modules/a-linux": {} } });
    expect(incompleteLockfile(lockfile)).toEqual([expect.stringContaining("a-darwin")]);
  });

  test("dependencies without a reason", () => {
    expect(unexplainedDependencies(["a", "b"], "| `a` | because |")).toEqual([expect.stringMatching(/^b /)]);
  });
});
