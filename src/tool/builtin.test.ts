import { describe, expect, test } from "vitest";
import type { Json } from "../core/text.ts";
import { builtinTools } from "./builtin.ts";
import type { Tool } from "./contract.ts";

function tool(name: string): Tool {
  return builtinTools().find((each) => each.name === name) ?? expect.fail(`there is a tool ${name}`);
}

const VALID: Readonly<Record<string, readonly Json[]>> = {
  bash: [{ command: "ls" }, { command: "ls", timeout_ms: 5000 }, { command: "ls", timeout_ms: null }],
  read: [{ file_path: "a" }, { file_path: "a", view_range: [1, 1] }, { file_path: "a", view_range: [2, -1] }],
  write: [
    { file_path: "a", content: "" },
    { file_path: "a", content: "x", description: "an extra key" },
  ],
  edit: [
    { file_path: "a", old_string: "x", new_string: "" },
    { file_path: "a", old_string: "x", new_string: "y", replace_all: true },
  ],
  glob: [{ pattern: "*" }, { pattern: "*", path: "src" }],
  grep: [{ pattern: "x" }, { pattern: "x", path: "/workspace/src" }],
};

const INVALID: Readonly<Record<string, readonly (readonly [Json, RegExp])[]>> = {
  bash: [
    [{}, /`command` must be a string/],
    [{ command: ["ls"] }, /`command` must be a string/],
    [{ command: " \n" }, /empty/],
    [{ command: "a\0b" }, /NUL/],
    [{ command: "x".repeat(140_000) }, /140000 bytes/],
    [{ command: "ls", timeout_ms: 0 }, /timeout_ms/],
    [{ command: "ls", timeout_ms: "5" }, /timeout_ms/],
    [{ restart: true }, /`command`/],
  ],
  read: [
    [{}, /file_path/],
    [{ file_path: "" }, /empty/],
    [{ file_path: "a\0" }, /NUL/],
    [{ file_path: "a", view_range: [0, 1] }, /view_range/],
    [{ file_path: "a", view_range: [3, 2] }, /view_range/],
    [{ file_path: "a", view_range: [1] }, /view_range/],
    [{ file_path: "a", view_range: [1.5, 2] }, /view_range/],
    [{ file_path: "a", view_range: "1-2" }, /view_range/],
  ],
  write: [
    [{ file_path: "a" }, /content/],
    [{ content: "a" }, /file_path/],
  ],
  edit: [
    [{ file_path: "a", old_string: "x" }, /new_string/],
    [{ file_path: "a", old_string: "", new_string: "y" }, /old_string/],
    [{ file_path: "a", old_string: "x", new_string: "x" }, /the same/],
    [{ file_path: "a", old_string: "x", new_string: "y", replace_all: "yes" }, /replace_all/],
  ],
  glob: [
    [{}, /pattern/],
    [{ pattern: "" }, /empty/],
    [{ pattern: "*", path: 3 }, /path/],
  ],
  grep: [
    [{ pattern: "a\nb" }, /single line/],
    [{ pattern: "x".repeat(5000) }, /5000 bytes/],
  ],
};

test("the tools and their order", () => {
  const names = builtinTools().map(({ name }) => name);
  expect(names).toEqual(["bash", "read", "write", "edit", "glob", "grep"]);
});

describe.each(builtinTools().map((each) => [each.name, each] as const))("%s", (name, each) => {
  test("describes itself within the limits of an event", () => {
    expect(each.description.name).toBe(name);
    expect(each.description.description.length).toBeGreaterThan(80);
    expect(each.description.description.length).toBeLessThan(1500);
    const { type, properties, required } = each.description.inputSchema;
    expect(type).toBe("object");
    for (const key of required as readonly string[]) expect(properties).toHaveProperty(key);
  });

  test("takes what its schema says", () => {
    const known = Object.keys(each.description.inputSchema["properties"] as object);
    for (const input of VALID[name] ?? expect.fail()) expect(each.check(input)).toBeUndefined();
    expect(known).toEqual(expect.arrayContaining(Object.keys((VALID[name] ?? []).at(0) as object)));
  });

  test("says what is wrong with anything else", () => {
    for (const input of [null, 3, "x", []] satisfies Json[]) expect(each.check(input)).toMatch(/JSON object/);
    for (const [input, problem] of INVALID[name] ?? expect.fail()) expect(each.check(input)).toMatch(problem);
  });
});

test("effects say what running twice would do", () => {
  for (const name of ["read", "glob", "grep"]) expect(tool(name).effectOf({})).toBe("read_only");
  for (const name of ["write", "edit"]) expect(tool(name).effectOf({})).toBe("reconcilable");
  expect(tool("bash").effectOf({ command: "npm test" })).toBe("side_effect");
  expect(tool("bash").effectOf({ command: "npm test && npm publish" })).toBe("irreversible");
});
