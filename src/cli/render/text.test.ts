import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { factLines, pad, singleLine, stripControl, textWidth, truncate, wrap } from "./text.ts";

const PRINTABLE = /^[\n\x20-\x7e\u00a0-\u00ac\u00ae-\u{10ffff}]*$/u;

/** Texts with many of the characters that terminals act on. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 5 }),
      fc.constantFrom(
        "\u001b",
        "\u009b",
        "\u001b]",
        "\u0007",
        "[31m",
        "0;",
        "\u001b\\",
        "\r\n",
        "\r",
        "\t",
        "\n",
      ),
      fc.constantFrom("\u202e", "\u200b", "\u2066", "\ufeff", "\u{e0041}"),
      fc.constantFrom("plain words", "日本語", "e\u0301", "👩‍👩‍👧"),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(""));

describe("stripControl", () => {
  test.each([
    ["\u001b[31mred\u001b[0m", "red"],
    ["\u001b]0;title\u0007text", "text"],
    ["\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\", "link"],
    ["\u009b2Jcleared", "cleared"],
    ["\u001b(0line\u001b(B", "line"],
    ["\u001bcreset", "reset"],
    ["over\rwritten", "overwritten"],
    ["kept\r\nlines\n", "kept\nlines\n"],
    ["a\tb", "a  b"],
    ["\u202egnp.exe", "gnp.exe"],
    ["zero\u200bwidth\ufeff", "zerowidth"],
    ["bell\u0007 nul\u0000 del\u007f", "bell nul del"],
    ["cut off \u001b[31", "cut off 31"],
    ["naïve 日本 👍", "naïve 日本 👍"],
  ])("%j becomes %j", (text, stripped) => expect(stripControl(text)).toBe(stripped));

  test("nothing that is left moves the cursor, and doing it twice changes nothing", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const stripped = stripControl(text);
        expect(stripped).toMatch(PRINTABLE);
        expect(stripControl(stripped)).toBe(stripped);
      }),
    );
  });

  test("takes time in proportion to the text", () => {
    expect(stripControl("\u001b]".repeat(200_000)).length).toBeLessThan(400_000);
    expect(stripControl(`\u001b[${"0;".repeat(200_000)}`).length).toBeLessThan(600_000);
  });
});

test("a single line is one", () => expect(singleLine(" a\n\n b\r\nc\t ")).toBe("a b c"));

describe("width", () => {
  test.each([
    ["abc", 3],
    ["日本語", 6],
    ["e\u0301", 1],
    ["👍", 2],
    ["", 0],
  ])("%j takes %i columns", (text, width) => expect(textWidth(text)).toBe(width));

  test("truncated texts fit", () => {
    expect(truncate("abcdef", 6)).toBe("abcdef");
    expect(truncate("abcdef", 5)).toBe("abcd…");
    expect(truncate("日本語", 5)).toBe("日本…");
    fc.assert(
      fc.property(hostile.map(singleLine), fc.integer({ min: 1, max: 30 }), (text, width) => {
        expect(textWidth(truncate(text, width))).toBeLessThanOrEqual(width);
      }),
    );
  });

  test("wrapped texts fit and lose no word", () => {
    expect(wrap("one two three", 9)).toEqual(["one two", "three"]);
    expect(wrap("  in two three", 9)).toEqual(["  in two", "  three"]);
    expect(wrap("abcdefghijkl", 8)).toEqual(["abcdefgh", "ijkl"]);
    expect(wrap("a\n\nb", 20)).toEqual(["a", "", "b"]);
    fc.assert(
      fc.property(hostile.map(stripControl), fc.integer({ min: 8, max: 30 }), (text, width) => {
        const lines = wrap(text, width);
        expect(lines.filter((line) => textWidth(line) > width)).toEqual([]);
        expect(lines.join("").replace(/\s/g, "")).toBe(text.replace(/\s/g, ""));
      }),
    );
  });

  test("padded texts line up", () => {
    expect(pad("日", 4)).toBe("日  ");
    expect(factLines("head", "one two three four", 20)).toEqual(["head     one two", "         three four"]);
  });
});
