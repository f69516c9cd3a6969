import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinCommandText, splitCommandText } from "./command.ts";

describe("a command text without anything for a shell", () => {
  test.each([
    ["npm test", ["npm", "test"]],
    ["  npm   test ", ["npm", "test"]],
    ["npm test -- --grep 'a b'", ["npm", "test", "--", "--grep", "a b"]],
    ['node -e "console.log(1)"', ["node", "-e", "console.log(1)"]],
    ['grep "a\\"b" file', ["grep", 'a"b', "file"]],
    ['grep "a\\nb" file', ["grep", "a\\nb", "file"]],
    ["grep a\\ b file", ["grep", "a b", "file"]],
    ["grep '*' file", ["grep", "*", "file"]],
    ["pytest -k x=1 ''", ["pytest", "-k", "x=1", ""]],
    ["git log HEAD~1", ["git", "log", "HEAD~1"]],
    ["npm \\\n test", ["npm", "test"]],
    ["echo a#b", ["echo", "a#b"]],
    ["'A=1' x", ["A=1", "x"]],
  ])("%s", (text, words) => {
    expect(splitCommandText(text)).toEqual({ kind: "words", words });
  });
});

describe("a command text that takes a shell", () => {
  test.each([
    ["a && b", "&"],
    ["a | b", "|"],
    ["a; b", ";"],
    ["a > b", ">"],
    ["echo $HOME", "$"],
    ['echo "$HOME"', "$"],
    ["echo `a`", "`"],
    ["ls *.ts", "*"],
    ["[ -f a ]", "["],
    ["ls ~", "~"],
    ["a # b", "#"],
    ["a\nb", "a new line"],
    ["CI=1 npm test", "CI=1"],
    ["! npm test", "!"],
    ["exit 0", "exit"],
    ["cd a", "cd"],
  ])("%s", (text, because) => {
    expect(splitCommandText(text)).toEqual({ kind: "shell", because });
  });
});

test.each([
  ["", "empty"],
  [" \n ", "empty"],
  ["a 'b", "single quote"],
  ['a "b', "double quote"],
  ["a\\", "backslash"],
])("%j is broken", (text, problem) => {
  expect(splitCommandText(text)).toEqual({ kind: "broken", problem: expect.stringContaining(problem) });
});

test("what was joined splits into the same words", () => {
  const words = fc.array(fc.string({ unit: "grapheme" }), { minLength: 1 });
  const programs = fc.stringMatching(/^[a-z]{2,9}x$/);
  fc.assert(
    fc.property(programs, words, (program, rest) => {
      const all = [program, ...rest];
      expect(splitCommandText(joinCommandText(all))).toEqual({ kind: "words", words: all });
    }),
  );
});

test("no text makes it throw", () => {
  const shellish = fc.string({ unit: fc.constantFrom(..."ab '\"\\$`|&;<>()*?[]{}#~=!\n\t") });
  fc.assert(
    fc.property(shellish, (text) => {
      expect(["words", "shell", "broken"]).toContain(splitCommandText(text).kind);
    }),
  );
});
