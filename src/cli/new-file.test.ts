import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeNewFile } from "./new-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-new-file-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytes = Buffer.from("evidence");

test("writes a file that is for its owner alone", () => {
  const path = join(folder, "new");
  writeNewFile(path, bytes);
  expect(readFileSync(path, "utf8")).toBe("evidence");
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test.each([
  ["a file that is there", "old", "already"],
  ["a folder", ".", "already"],
  ["a folder that is missing", "missing/new", "there is no folder"],
  ["a folder that is a file", "old/new", "there is no folder"],
  ["a name that is too long", "n".repeat(300), "cannot be written"],
])("refuses %s, naming it, and writes nothing", (_name, name, why) => {
  writeFileSync(join(folder, "old"), "mine");
  const path = join(folder, name);
  expect(() => writeNewFile(path, bytes)).toThrow(
    expect.objectContaining({ code: "E_USAGE", message: expect.stringMatching(why) }),
  );
  expect(() => writeNewFile(path, bytes)).toThrow(path);
  expect(readdirSync(folder)).toEqual(["old"]);
  expect(readFileSync(join(folder, "old"), "utf8")).toBe("mine");
});
