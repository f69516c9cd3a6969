/** Records what a program writes and syncs in one folder, by `strace`. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What was done to the disk. Names are relative to the state folder; "." is the folder itself, ".." its parent. */
export type Action =
  | { readonly kind: "make-folder" }
  | { readonly kind: "create"; readonly name: string }
  | { readonly kind: "unlink"; readonly name: string }
  | { readonly kind: "rename"; readonly name: string; readonly to: string }
  | { readonly kind: "write"; readonly name: string; readonly offset: number; readonly bytes: Buffer }
  | { readonly kind: "truncate"; readonly name: string; readonly size: number }
  | { readonly kind: "sync"; readonly name: string }
  /** The program told the world something. */
  | { readonly kind: "acknowledge"; readonly line: string };

/** An action with the moments, counted in recorded lines, between which it happened. */
export type Operation = Action & { readonly startedAt: number; readonly endedAt: number };

const SYSTEM_CALLS = [
  ...["open", "openat", "creat", "mkdir", "mkdirat", "link", "linkat", "symlink", "symlinkat"],
  ...["rename", "renameat", "renameat2", "unlink", "unlinkat"],
  ...["write", "writev", "pwrite64", "pwritev", "pwritev2", "copy_file_range", "sendfile", "splice"],
  ...["truncate", "ftruncate", "fallocate"],
  ...["fsync", "fdatasync", "sync", "syncfs", "sync_file_range", "msync"],
];

/** Is there an `strace` that may trace? @returns the reason why not */
export function whyNotRecordable(): string | undefined {
  const { error, status, stderr } = spawnSync("strace", ["-f", "-e", "trace=fsync", "true"], {
    encoding: "utf8",
  });
  if (error !== undefined) return `strace is not installed (${error.message})`;
  return status === 0 ? undefined : `strace may not trace here (${stderr.trim().split("\n")[0]})`;
}

/**
 * Runs the program and gives what it did, in order.
 * @throws when the program fails, or does something to the folder that is not understood here
 */
export function record(argv: readonly string[], folder: string): Operation[] {
  const trace = join(dirname(folder), "trace");
  const filter = `trace=${SYSTEM_CALLS.map((call) => `?${call}`).join(",")}`;
  const options = ["-f", "-y", "-xx", "-s", "33554432", "-e", filter, "-e", "signal=none", "-o", trace];
  const { status, stderr } = spawnSync("strace", [...options, "--", ...argv], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    // Writes through io_uring would not show.
    env: { ...process.env, UV_USE_IO_URING: "0" },
  });
  if (status !== 0) throw new Error(`the recorded program ended with ${status}: ${stderr.slice(-2000)}`);
  return parseTrace(readFileSync(trace, "latin1"), folder);
}

/** Understands the text that strace writes. */
export function parseTrace(text: string, folder: string): Operation[] {
  const unfinished = new Map<string, { readonly text: string; readonly startedAt: number }>();
  const reader = new TraceReader(folder);
  const operations: Operation[] = [];
  for (const [at, line] of text.split("\n").entries()) {
    const [, thread = "", rest = ""] = /^(\d+) +(.*)$/s.exec(line) ?? [];
    if (rest.endsWith("<unfinished ...>")) {
      unfinished.set(thread, { text: rest.slice(0, -"<unfinished ...>".length).trimEnd(), startedAt: at });
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/s.exec(rest);
    const begun = resumed === null ? undefined : unfinished.get(thread);
    // What is resumed is short, and strace lines its result up with those of other calls.
    const end = (resumed?.[1] ?? "").replace(/\) +=/, ") =");
    const call = begun === undefined ? rest : begun.text + end;
    const actions = reader.read(call);
    operations.push(
      ...actions.map((action) => ({ ...action, startedAt: begun?.startedAt ?? at, endedAt: at })),
    );
  }
  return operations;
}

const HEX = "((?:\\\\x[0-9a-f]{2})*)";
const DESCRIPTOR = `(\\d+)<${HEX}>(?:\\(deleted\\))?`;
const OPEN = new RegExp(`^openat\\(AT_FDCWD<${HEX}>, "${HEX}", ([A-Z_|]+)(?:, \\d+)?\\) = \\d+`);
const MAKE_FOLDER = new RegExp(`^mkdir\\("${HEX}", \\d+\\) = 0`);
const UNLINK = new RegExp(`^unlink\\("${HEX}"\\) = 0`);
const RENAME = new RegExp(`^rename\\("${HEX}", "${HEX}"\\) = 0`);
const WRITE_AT = new RegExp(`^pwrite64\\(${DESCRIPTOR}, "${HEX}", \\d+, (\\d+)\\) = (\\d+)`);
const WRITE = new RegExp(`^write\\(${DESCRIPTOR}, "${HEX}", \\d+\\) = (\\d+)`);
const TRUNCATE = new RegExp(`^ftruncate\\(${DESCRIPTOR}, (\\d+)\\) = 0`);
const SYNC = new RegExp(`^(?:fsync|fdatasync)\\(${DESCRIPTOR}\\) = 0`);
const STANDARD_OUTPUT = "1";

/** One line after the other; knows which files exist, because opening tells only that it may have made one. */
class TraceReader {
  readonly #folder: string;
  readonly #files = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  read(call: string): Action[] {
    // Most lines are about the program's own files.
    const folder = hexOf(this.#folder);
    const isOurs = call.includes(folder) || call.includes(`<${hexOf(dirname(this.#folder))}>`);
    if (!isOurs && !call.startsWith("write(1<")) return [];
    return (
      this.#opened(call) ??
      this.#named(call) ??
      this.#written(call) ??
      this.#synced(call) ??
      this.#refuse(call)
    );
  }

  #opened(call: string): Action[] | undefined {
    const match = OPEN.exec(call);
    if (match === null) return undefined;
    const name = this.#nameOf(bytesOf(match[2]).toString());
    const flags = (match[3] ?? "").split("|");
    if (name === undefined || isSharedMemory(name)) return [];
    if (flags.includes("O_TRUNC")) throw new Error(`a file was opened with truncation: ${name}`);
    if (!flags.includes("O_CREAT") || this.#files.has(name)) return [];
    this.#files.add(name);
    return [{ kind: "create", name }];
  }

  #named(call: string): Action[] | undefined {
    const [, path] = MAKE_FOLDER.exec(call) ?? UNLINK.exec(call) ?? RENAME.exec(call) ?? [];
    if (path === undefined) return undefined;
    const name = this.#nameOf(bytesOf(path).toString());
    if (name === undefined || isSharedMemory(name)) return [];
    if (call.startsWith("mkdir")) return name === "." ? [{ kind: "make-folder" }] : undefined;
    this.#files.delete(name);
    if (call.startsWith("unlink")) return [{ kind: "unlink", name }];
    const to = this.#nameOf(bytesOf(RENAME.exec(call)?.[2]).toString());
    if (to === undefined) return undefined;
    this.#files.add(to);
    return [{ kind: "rename", name, to }];
  }

  #written(call: string): Action[] | undefined {
    const told = WRITE.exec(call);
    if (told?.[1] === STANDARD_OUTPUT)
      return [{ kind: "acknowledge", line: bytesOf(told[3]).toString().trim() }];
    const write = WRITE_AT.exec(call);
    const truncate = TRUNCATE.exec(call);
    const name = this.#nameOf(bytesOf(write?.[2] ?? truncate?.[2]).toString());
    if (name === undefined) return undefined;
    if (isSharedMemory(name)) return [];
    if (truncate !== null) return [{ kind: "truncate", name, size: Number(truncate[3]) }];
    const bytes = bytesOf(write?.[3]).subarray(0, Number(write?.[5]));
    return [{ kind: "write", name, offset: Number(write?.[4]), bytes }];
  }

  #synced(call: string): Action[] | undefined {
    const match = SYNC.exec(call);
    if (match === null) return undefined;
    const name = this.#nameOf(bytesOf(match[2]).toString());
    return name === undefined || isSharedMemory(name) ? [] : [{ kind: "sync", name }];
  }

  /** A call that failed changed nothing; one that is not understood would make every state after it wrong. */
  #refuse(call: string): Action[] {
    const isHarmless = / = -1 E[A-Z]+ /.test(call) || /, O_RDONLY[^)]*\) = \d+/.test(call);
    if (isHarmless || call.startsWith("write(1<")) return [];
    const readable = call.replace(/(?:\\x[0-9a-f]{2})+/g, (hex) =>
      bytesOf(hex).toString("latin1").slice(0, 80),
    );
    throw new Error(`this is not understood: ${readable}`);
  }

  /** Relative to the state folder; undefined for what is neither in it nor its parent. */
  #nameOf(path: string): string | undefined {
    if (path === this.#folder) return ".";
    if (path === dirname(this.#folder)) return "..";
    const prefix = `${this.#folder}/`;
    return path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
  }
}

/** Rebuilt from the WAL after a crash; what is left of it is not used. */
function isSharedMemory(name: string): boolean {
  return name.endsWith("-shm");
}

function bytesOf(hex: string | undefined): Buffer {
  return Buffer.from((hex ?? "").replaceAll("\\x", ""), "hex");
}

function hexOf(text: string): string {
  return [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}
