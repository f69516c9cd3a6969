import { describe, expect, test } from "vitest";
import { dollars, duration, names, oneOf, price, webAddress, wholeNumber } from "./flags.ts";

type Parse = (text: string) => unknown;

describe("what flags accept", () => {
  test.each<[parse: Parse, text: string, value: unknown]>([
    [wholeNumber("--x", 10), "1", 1],
    [wholeNumber("--x", 10), "10", 10],
    [wholeNumber("--x", 10, 0), "0", 0],
    [duration("--x", 100), "100ms", 100],
    [duration("--x", 100), "2h", 7_200_000],
    [duration("--x", 100, 365), "365d", 31_536_000_000],
    [dollars("--x"), "5", 5_000_000],
    [dollars("--x"), "$5", 5_000_000],
    [dollars("--x"), "0.000001", 1],
    [names("--x"), "a, b,a", ["a", "b"]],
    [names("--x"), "none", []],
    [oneOf("--x", ["a", "b"]), "b", "b"],
    [webAddress("--x"), "http://host/v1/", "http://host/v1"],
    [
      price("--x"),
      "3,0.5",
      { input: 3_000_000, output: 500_000, cache_read: 3_000_000, cache_write: 3_000_000 },
    ],
  ])("%#: %s", (parse, text, value) => expect(parse(text)).toEqual(value));
});

describe("what flags refuse", () => {
  const bad = ["", " ", "x", "-1", "1e99", "0x10", "Infinity", "NaN", "1,5", "1 ", "+1", "٣"];
  test.each<[parse: Parse, text: string]>([
    ...bad.map((text) => [wholeNumber("--x", 10), text] satisfies [Parse, string]),
    [wholeNumber("--x", 10), "0"],
    [wholeNumber("--x", 10), "11"],
    [wholeNumber("--x", 10), "99999999999999999999"],
    ...bad.map((text) => [duration("--x", 100), text] satisfies [Parse, string]),
    [duration("--x", 100, 365), "366d"],
    [duration("--x", 100), "24d"],
    [duration("--x", 100), "10"],
    [duration("--x", 100), "99ms"],
    [duration("--x", 100), "1.5s"],
    [duration("--x", 100), "99999d"],
    ...bad.map((text) => [dollars("--x"), text] satisfies [Parse, string]),
    [dollars("--x"), "0"],
    [dollars("--x"), "0.0000001"],
    [dollars("--x"), "1000001"],
    [dollars("--x"), "3x"],
    [dollars("--x"), "5$"],
    [dollars("--x"), "$$5"],
    [dollars("--x"), "1e9"],
    [dollars("--x"), "3 "],
    [price("--x"), "3"],
    [price("--x"), "3,4,5"],
    [price("--x"), "3,-1"],
    [names("--x"), ""],
    [names("--x"), "a,,b"],
    [names("--x"), "a b"],
    [oneOf("--x", ["a"]), "A"],
    [webAddress("--x"), "file:///etc"],
    [webAddress("--x"), "host"],
  ])("%#: %j", (parse, text) => {
    expect(() => parse(text)).toThrowError(expect.objectContaining({ code: "E_USAGE" }));
    expect(() => parse(text)).toThrowError(/^--x takes .*, not "/);
  });
});
