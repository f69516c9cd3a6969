import { spawnSync } from "node:child_process";
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { tar } from "./tar.ts";

test("an archive that tar can read", () => {
  const folder = mkdtempSync(join(tmpdir(), "nightshift-tar-"));
  try {
    const archive = tar([
      { type: "folder", path: "tmp", mode: 0o1777 },
      { type: "folder", path: "a", mode: 0o755 },
      { type: "file", path: "a/text", mode: 0o640, content: "ä".repeat(300) },
      { type: "link", path: "bin", target: "usr/bin" },
    ]);
    const { status, stderr } = spawnSync("tar", ["-x", "-p", "-C", folder], { input: archive });
    expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: "" });
    expect(lstatSync(join(folder, "tmp")).mode & 0o7777).toBe(0o1777);
    expect(lstatSync(join(folder, "a/text")).mode & 0o7777).toBe(0o640);
    expect(readFileSync(join(folder, "a/text"), "utf8")).toBe("ä".repeat(300));
    expect(readlinkSync(join(folder, "bin"))).toBe("usr/bin");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a name that does not fit is refused", () => {
  expect(() => tar([{ type: "folder", path: "x".repeat(100), mode: 0o755 }])).toThrow("too long");
});
