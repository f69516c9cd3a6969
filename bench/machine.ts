/** Facts about the machine, without which a figure says nothing; and where the files of a benchmark go. */
import { mkdtempSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { availableParallelism, cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";

/** What a figure depends on. */
export interface MachineFacts {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly fileSystem: string;
  readonly node: string;
  readonly sqlite: string;
  /** Processes that wanted to run, over the last minute; above the number of cores, timings are doubtful. */
  readonly load: number;
}

/** Looks them up. @param folder - where the benchmark writes */
export function machineFacts(folder: string): MachineFacts {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? "unknown",
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: readText("/proc/sys/kernel/osrelease").trim(),
    fileSystem: fileSystemOf(folder),
    node: process.versions.node,
    sqlite: process.versions.sqlite ?? "unknown",
    load: Number(readText("/proc/loadavg").split(" ")[0] ?? Number.NaN),
  };
}

const NAMES: { readonly [magic: number]: string } = {
  61267: "ext4",
  1481003842: "xfs",
  2435016766: "btrfs",
  801189825: "zfs",
  16914836: "tmpfs",
  2240043254: "ramfs",
  2035054128: "overlay",
};
const IN_MEMORY: ReadonlySet<string> = new Set(["tmpfs", "ramfs"]);

function fileSystemOf(folder: string): string {
  const { type } = statfsSync(folder);
  return NAMES[type] ?? `0x${type.toString(16)}`;
}

/**
 * A new folder on a disk: durability costs nothing in memory, and figures from there would mean nothing.
 * @throws Error when there is none
 */
export function makeScratch(): string {
  const parent = [tmpdir(), process.cwd()].find((folder) => !IN_MEMORY.has(fileSystemOf(folder)));
  if (parent === undefined) throw new Error("both the temporary and the present folder are in memory");
  return mkdtempSync(join(parent, "nightshift-bench-"));
}

/** Removes it with all that is in it. */
export function removeScratch(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
