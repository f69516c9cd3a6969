import { globSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { LONG_SUITES, suitesOutside } from "./long-suites.ts";

const filesOf = (patterns: readonly string[]): string[] => patterns.flatMap((pattern) => globSync(pattern));

describe("the parts of the long suites", () => {
  test("have every file once, and no pattern for nothing", () => {
    const files = filesOf(LONG_SUITES.flat());
    expect(files.filter((file, index) => files.indexOf(file) !== index)).toEqual([]);
    expect(LONG_SUITES.flat().filter((pattern) => globSync(pattern).length === 0)).toEqual([]);
  });

  test("leave each other out, and nothing where no part is asked for", () => {
    const run = LONG_SUITES.flatMap((_, index) => {
      const outside = new Set(filesOf(suitesOutside(String(index + 1))));
      return filesOf(LONG_SUITES.flat()).filter((file) => !outside.has(file));
    });
    expect(run.sort()).toEqual(filesOf(LONG_SUITES.flat()).sort());
    expect(suitesOutside(undefined)).toEqual([]);
    expect(() => suitesOutside("0")).toThrow("one of 1, 2");
  });
});
