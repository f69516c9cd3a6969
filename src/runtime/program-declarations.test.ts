import { expect, test } from "vitest";
import { readDeclarations } from "./program-declarations.ts";

const GOOD = { criterion: "tests", status: "blocked", reason: "no key", evidence: "npm test says 401" };
const read = (value: unknown) => readDeclarations(Buffer.from(JSON.stringify(value)), ["tests", "docs"]);

test("what a program declares", () => {
  expect(readDeclarations(Buffer.from(" \n"), ["tests"])).toEqual([]);
  expect(read([])).toEqual([]);
  expect(
    read([
      { ...GOOD, more: "is left out" },
      { ...GOOD, criterion: "docs", status: "impossible" },
    ]),
  ).toEqual([GOOD, { ...GOOD, criterion: "docs", status: "impossible" }]);
});

test.each<[string, Buffer | unknown, string]>([
  ["no JSON", Buffer.from("[{"), "has to be a JSON list"],
  ["no UTF-8", Buffer.from([0x5b, 0xff, 0x5d]), "has to be a JSON list"],
  ["no list", GOOD, "has to be a JSON list"],
  ["no object", [null], "Entry 1: The input is no object"],
  ["another status", [{ ...GOOD, status: "met" }], "Entry 1: `status`"],
  ["no evidence", [{ ...GOOD, evidence: " " }], "Entry 1: `evidence`"],
  ["too much evidence", [{ ...GOOD, evidence: "x".repeat(16_001) }], "at most 16000"],
  ["no such criterion", [{ ...GOOD, criterion: "other" }], "no criterion other; there are tests, docs"],
  ["one twice", [GOOD, GOOD], "Entry 2: there is another one about tests"],
  ["too many", Array.from({ length: 51 }, () => GOOD), "more than 50"],
  ["too large", Buffer.alloc(64 * 1024 + 1, " "), "larger than 65536"],
])("is nothing with %s, and says why", (_what, value, why) => {
  const found = Buffer.isBuffer(value) ? readDeclarations(value, ["tests"]) : read(value);
  expect(found).toContain(why);
});
