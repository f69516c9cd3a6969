import { spawnSync } from "node:child_process";
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { archiveOf, filesOfArchive, tar } from "./tar.ts";

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

test("an archive of files comes apart again, and with any byte changed it does not", () => {
  const files = [
    { path: "a/empty", content: Buffer.alloc(0) },
    { path: "b.bin", content: Buffer.from([0, 1, 2, 255]) },
    { path: "c", content: Buffer.alloc(512, "x") },
  ];
  const archive = archiveOf(files);
  expect(filesOfArchive(archive)).toEqual(files);
  for (let at = 0; at < archive.length; at++) {
    const damaged = Buffer.from(archive);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    const isContent = [files[1], files[2]].some((file) => {
      const start = archive.indexOf(file?.content ?? "");
      return at >= start && at < start + (file?.content.length ?? 0);
    });
    if (isContent) expect(filesOfArchive(damaged)).not.toEqual(files);
    else expect(() => filesOfArchive(damaged), `byte ${at}`).toThrow(RangeError);
  }
  expect(() => filesOfArchive(archive.subarray(0, 700))).toThrow(RangeError);
  expect(() => filesOfArchive(Buffer.concat([archive, Buffer.alloc(512)]))).toThrow(RangeError);
  expect(() => filesOfArchive(Buffer.alloc(0))).toThrow(RangeError);
});
