/** What an egress proxy's folder tells those who look for its process. The folder is private (0700). */
import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../sandbox/daemon/durable.ts";
import type { ProcessIdentity } from "../../sandbox/daemon/processes.ts";

/** A running proxy, as it describes itself when it is ready. Holds no secret. */
export interface EgressRecord {
  readonly incarnation: string;
  readonly boot: string;
  readonly process: ProcessIdentity;
}

/** Files in a proxy's folder. */
export const EGRESS_FILES = {
  record: "egress.json",
  lock: "lock",
  log: "egress.log",
  control: "control.sock",
  /** A folder that holds the socket and nothing else: it is what sandboxes get to see. */
  sockets: "socket",
  socket: "proxy.sock",
} as const;

/** Marks the process of the proxy of a folder, so that it is found even when it has no record. */
export function egressMarker(folder: string): string {
  return `ns${hash("sha256", folder, "hex").slice(0, 20)}.egress`;
}

/** The record, or undefined when there is none that can be read. */
export function readEgressRecord(folder: string): EgressRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(join(folder, EGRESS_FILES.record), "utf8")) as EgressRecord;
    return typeof record.incarnation === "string" && typeof record.process.pid === "number"
      ? record
      : undefined;
  } catch {
    return undefined;
  }
}

/** Publishes a proxy. */
export function writeEgressRecord(folder: string, record: EgressRecord): void {
  replaceFile(join(folder, EGRESS_FILES.record), `${JSON.stringify(record)}\n`);
}
