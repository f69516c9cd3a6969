import fc from "fast-check";
import { expect, test } from "vitest";
import { GlobPattern } from "./glob-pattern.ts";

function matches(pattern: string, path: string): boolean {
  const parsed = GlobPattern.parse(pattern);
  if (!parsed.ok) throw new Error(parsed.problem);
  const glob = parsed.value;
  return glob.isMatch(path.split("/").reduce((state, name) => glob.step(state, name), glob.start));
}

const TABLE: readonly (readonly [pattern: string, matching: readonly string[], other: readonly string[]])[] =
  [
    ["*.ts", ["a.ts", ".ts", ".hidden.ts"], ["a.tsx", "src/a.ts", "ts"]],
    ["**/*.ts", ["a.ts", "src/a.ts", "a/b/c.ts"], ["a.js"]],
    ["**", ["a", "a/b"], []],
    ["src/**", ["src", "src/a", "src/a/b"], ["a", "other/src"]],
    ["**/src/**/x", ["src/x", "a/src/b/c/x"], ["x", "a/x"]],
    ["a/**/**/b", ["a/b", "a/x/y/b"], ["a/b/c"]],
    ["./a", ["a"], ["b"]],
    ["a?c", ["abc", "aüc", "a😀c"], ["ac", "abbc", "a/c"]],
    ["[a-c]x", ["ax", "cx"], ["dx", "x"]],
    ["[!a-c]x", ["dx"], ["ax"]],
    ["[^a]x", ["bx"], ["ax"]],
    ["[]a]x", ["]x", "ax"], ["bx"]],
    ["[a-]x", ["-x", "ax"], ["bx"]],
    ["[ax", ["[ax"], ["ax"]],
    ["{a,b}.{js,ts}", ["a.js", "b.ts"], ["c.js", "a.{js,ts}"]],
    ["{a,b/c}/d", ["a/d", "b/c/d"], ["b/d"]],
    ["{a,{b,c}d}", ["a", "bd", "cd"], ["b", "ad"]],
    ["{a}", ["{a}"], ["a"]],
    ["{a,b", ["{a,b"], ["a"]],
    ["x{,.bak}", ["x", "x.bak"], ["x."]],
    ["\\*", ["*"], ["a"]],
    ["a.b", ["a.b"], ["axb"]],
    ["*a*b*", ["ab", "xaxbx"], ["ba", "xbxa"]],
    ["(a|b)+$", ["(a|b)+$"], ["a"]],
  ];

test.each(TABLE)("%s", (pattern, matching, other) => {
  for (const path of matching) expect(matches(pattern, path), path).toBe(true);
  for (const path of other) expect(matches(pattern, path), path).toBe(false);
});

test("stars agree with the obvious definition", () => {
  const letter = fc.constantFrom("a", "b");
  const pattern = fc.array(fc.oneof(letter, fc.constant("*"), fc.constant("?")), { maxLength: 8 });
  const name = fc.array(letter, { minLength: 1, maxLength: 10 });
  const property = fc.property(pattern, name, (tokens, letters) => {
    const text = tokens.join("").replace(/\*+/g, "*");
    fc.pre(text !== "");
    const expression = new RegExp(`^${text.replaceAll("?", ".").replaceAll("*", ".*")}$`);
    expect(matches(text, letters.join(""))).toBe(expression.test(letters.join("")));
  });
  fc.assert(property, { numRuns: 1000 });
});

test("hostile patterns take no time", () => {
  const start = performance.now();
  expect(matches(`${"*a".repeat(500)}*b`, "a".repeat(250))).toBe(false);
  expect(matches(`${"**/".repeat(200)}b`, Array(200).fill("a").join("/"))).toBe(false);
  expect(GlobPattern.parse("{a,b}".repeat(20)).ok).toBe(false);
  expect(GlobPattern.parse("{".repeat(2000)).ok).toBe(true);
  expect(performance.now() - start).toBeLessThan(2000);
});

test("folders that cannot lead to a match are not entered", () => {
  const parsed = GlobPattern.parse("src/*.ts");
  const glob = parsed.ok ? parsed.value : expect.fail();
  expect(glob.step(glob.start, "docs")).toEqual([]);
  expect(glob.step(glob.start, "src")).not.toEqual([]);
});
