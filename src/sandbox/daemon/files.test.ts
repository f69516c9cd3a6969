import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { hashFile, locate, type Place } from "./files.ts";
import { walk } from "./walk.ts";
import { pendingChange } from "./write-operation.ts";

let top: string;
let root: string;
let outside: string;

beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-files-")));
  [root, outside] = [join(top, "root"), join(top, "outside")];
  mkdirSync(join(root, "folder/deeper"), { recursive: true });
  mkdirSync(join(outside, "deeper"), { recursive: true });
  for (const folder of [join(root, "folder"), outside]) {
    writeFileSync(join(folder, "file"), folder);
    writeFileSync(join(folder, "deeper/file"), folder);
  }
  writeFileSync(join(outside, "deeper/only-outside"), "");
});
afterEach(() => rmSync(top, { recursive: true, force: true }));

/** What a command does at the worst moment: a link that leads out takes the folder's place. */
function swap(): void {
  renameSync(join(root, "folder"), join(root, "moved"));
  symlinkSync(outside, join(root, "folder"));
}

async function placeOf(path: string): Promise<Place> {
  const located = await locate(root, path);
  return located.ok ? located.value : expect.fail(located.problem);
}

async function problemOf(path: string): Promise<string> {
  const located = await locate(root, path);
  return located.ok ? expect.fail(`it leads to ${located.value.real}`) : located.problem;
}

describe("a path that is swapped after it was looked at", () => {
  test("leads to the file that was looked at", async () => {
    await using place = await placeOf("folder/file");
    const before = await hashFile(place.at);
    swap();
    expect(readFileSync(join(root, place.shown), "utf8")).toBe(outside);
    expect(await hashFile(place.at)).toBe(before);
  });

  test("is not written to", async () => {
    const change = await pendingChange(root, "write", { file_path: "folder/file", content: "new" }, "x");
    if (!change.ok) return expect.fail(change.problem);
    swap();
    expect(await change.value.apply(undefined)).toMatchObject({ ending: "refused" });
    expect(readFileSync(join(outside, "file"), "utf8")).toBe(outside);
    expect(readFileSync(join(root, "moved/file"), "utf8")).toBe(join(root, "folder"));
  });

  test("lists what was to be listed, and nothing behind the link", async () => {
    await using place = await placeOf(".");
    const seen: string[] = [];
    for await (const { path } of walk(
      place.folder,
      { start: true, enter: () => true },
      new AbortController().signal,
    )) {
      if (path === "folder") swap();
      seen.push(path);
    }
    expect(seen.join()).not.toContain("only-outside");
  });

  test("lists the folder that was looked at, whatever has its name", async () => {
    await using place = await placeOf("folder/deeper");
    swap();
    expect(await readdir(place.at)).toEqual(["file"]);
  });
});

describe("a path", () => {
  test.each([
    ["folder/file", "folder/file"],
    ["./folder//deeper/../file", "folder/file"],
    ["link/file", "folder/file"],
    ["absolute/file", "folder/file"],
    ["chain/file", "folder/file"],
    ["up/file", "folder/file"],
    ["folder/deeper", "folder/deeper"],
    ["", "."],
    ["new/and/newer", "new/and/newer"],
    ["dangling", "folder/none"],
  ])("%j leads to %s", async (path, shown) => {
    symlinkSync("folder", join(root, "link"));
    symlinkSync(join(root, "folder"), join(root, "absolute"));
    symlinkSync("link", join(root, "chain"));
    symlinkSync("folder/deeper/..", join(root, "up"));
    symlinkSync("folder/none", join(root, "dangling"));
    await using place = await placeOf(path);
    expect(place.shown).toBe(shown);
    expect(place.real).toBe(join(root, shown));
  });

  test.each([
    ["..", "outside the workspace"],
    ["../outside/file", "outside the workspace"],
    ["out/file", "outside the workspace"],
    ["far/file", "outside the workspace"],
    ["/etc/passwd", "outside the workspace"],
    ["loop/file", "too many symbolic links"],
    ["folder/file/below", "not a folder"],
    ["none/../folder/file/x", "not a folder"],
    ["bent", "no such file"],
  ])("%j leads nowhere: %s", async (path, words) => {
    symlinkSync(outside, join(root, "out"));
    symlinkSync("../outside", join(root, "far"));
    symlinkSync("loop", join(root, "loop"));
    symlinkSync("none/../folder", join(root, "bent"));
    expect(await problemOf(path)).toContain(words);
  });
});
