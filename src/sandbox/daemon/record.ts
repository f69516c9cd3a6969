/**
 * What a sandbox's folder tells those who look for its daemon. The folder is private (0700), and so is the record
 * (0600), because it holds the token.
 */
import { hash } from "node:crypto";
import { closeSync, lstatSync, mkdirSync, openSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { messageOf, NightshiftError } from "../../core/errors.ts";
import { replaceFile } from "./durable.ts";
import type { ProcessIdentity } from "./processes.ts";

/** A running daemon, as it describes itself when it is ready. */
export interface DaemonRecord {
  readonly incarnation: string;
  readonly boot: string;
  readonly process: ProcessIdentity;
  readonly workspace: string;
  /** File name of the socket in the sandbox's folder. */
  readonly socket: string;
  readonly token: string;
}

/** Files in a sandbox's folder. */
export const FILES = {
  record: "daemon.json",
  journal: "journal",
  lock: "lock",
  log: "daemon.log",
  /** A folder. */
  pipes: "pipes",
} as const;

/** A socket's address is part of a fixed structure of the kernel (108 bytes with its end mark). */
const SOCKET_BYTES_MAX = 107;

/** Makes the folder of a sandbox, or checks the one that is there. @throws `E_SANDBOX_UNAVAILABLE` */
export function openSandboxFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const found = lstatSync(path);
    const isOurs = found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0;
    if (!isOurs) throw new Error("it must be a folder of yours that nobody else can enter (mode 0700)");
    return realpathSync(path);
  } catch (cause) {
    throw new NightshiftError("E_SANDBOX_UNAVAILABLE", `cannot use the folder ${path}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/**
 * Begins the markers of one sandbox. Derived from its folder, so that whatever the sandbox has left alive is
 * found even when nothing else is left of it.
 */
export function sandboxKey(folder: string): string {
  return `ns${hash("sha256", folder, "hex").slice(0, 20)}`;
}

/** The record, or undefined when there is none that can be read. */
export function readRecord(folder: string): DaemonRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(join(folder, FILES.record), "utf8")) as DaemonRecord;
    return typeof record.socket === "string" && typeof record.token === "string" ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Publishes a daemon. */
export function writeRecord(folder: string, record: DaemonRecord): void {
  replaceFile(join(folder, FILES.record), `${JSON.stringify(record)}\n`);
}

/**
 * Lends a short address of a socket in a folder whose own path may be long. On Linux the folder is opened and
 * named through /proc/self/fd: so the socket stays in the private state folder, where no cleaner of temporary
 * files and no log-out removes it, and no shared folder needs to be checked for squatters. Call `release` when
 * the socket is bound or connected.
 */
export function socketAddress(folder: string, name: string): { path: string; release: () => void } {
  const direct = join(folder, name);
  if (Buffer.byteLength(direct) <= SOCKET_BYTES_MAX) return { path: direct, release: () => undefined };
  if (process.platform !== "linux") {
    throw new NightshiftError("E_SANDBOX_UNAVAILABLE", `the path of the socket ${direct} is too long`, {
      hint: "Pass --state with a shorter folder.",
    });
  }
  const file = openSync(folder, "r");
  return { path: `/proc/self/fd/${file}/${name}`, release: () => closeSync(file) };
}
