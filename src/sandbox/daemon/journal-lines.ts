/** The lines of a daemon's journal: a checksum, a space, JSON. */
import { crc32 } from "node:zlib";
import type { ExecId } from "../../core/ids.ts";
import type { ExecResult, Operation } from "../contract.ts";
import type { ProcessIdentity } from "./processes.ts";

/** One fact. Lines about executions belong to the incarnation line before them. */
export type JournalLine =
  | { readonly t: "incarnation"; readonly id: string; readonly boot: string }
  | { readonly t: "epoch"; readonly epoch: number }
  /** An earlier version of the file had an unreadable line. */
  | { readonly t: "damage" }
  /** Synced before anything happens. `temporary` is the file that a crash of a write may leave behind. */
  | {
      readonly t: "start";
      readonly exec: ExecId;
      readonly digest: string;
      readonly operation: Operation;
      readonly temporary?: string;
    }
  /** Not synced: it is only needed while the machine stays up. */
  | { readonly t: "spawn"; readonly exec: ExecId; readonly process: ProcessIdentity }
  | {
      readonly t: "finish";
      readonly exec: ExecId;
      readonly result: ExecResult;
    };

/** A line and where it is, its newline included. */
export interface PlacedLine {
  readonly at: number;
  readonly bytes: number;
  /** Undefined when it cannot be read. */
  readonly line: JournalLine | undefined;
}

const NEWLINE = 10;

/** The bytes of a line. */
export function encodeLine(line: JournalLine): Buffer {
  const json = JSON.stringify(line);
  return Buffer.from(`${checksum(json)} ${json}\n`);
}

/** Undefined when the bytes are not a whole and undamaged line with its newline. */
export function decodeLine(bytes: Buffer): JournalLine | undefined {
  if (bytes.at(-1) !== NEWLINE) return undefined;
  const text = bytes.toString("utf8", 0, bytes.length - 1);
  const json = text.slice(9);
  if (text[8] !== " " || text.slice(0, 8) !== checksum(json)) return undefined;
  try {
    return JSON.parse(json) as JournalLine;
  } catch {
    return undefined;
  }
}

/** The lines of a file up to the last readable one: what follows that was being written when the daemon died. */
export function decodeLines(content: Buffer): PlacedLine[] {
  const lines: PlacedLine[] = [];
  let readable = 0;
  let at = 0;
  for (let end = content.indexOf(NEWLINE); end !== -1; end = content.indexOf(NEWLINE, at)) {
    const bytes = end + 1 - at;
    const line = decodeLine(content.subarray(at, end + 1));
    lines.push({ at, bytes, line });
    if (line !== undefined) readable = lines.length;
    at += bytes;
  }
  return lines.slice(0, readable);
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, "0");
}
