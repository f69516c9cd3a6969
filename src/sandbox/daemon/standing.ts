/** What a process that `startDetached` has started does to stand by itself: it reports, and listens where it is found. */
import { chmodSync, closeSync, writeSync } from "node:fs";
import type { Server } from "node:net";
import { join } from "node:path";
import { socketAddress } from "./record.ts";

const REPORT_FILE = 3;

/** Reports once. The harness that waits for it may be dead already: then nobody hears it. @returns whether it was heard */
export function reportStart(outcome: object): boolean {
  try {
    writeSync(REPORT_FILE, `${JSON.stringify(outcome)}\n`);
    closeSync(REPORT_FILE);
    return true;
  } catch {
    return false;
  }
}

/** Listens on a socket of this name in a folder, for this user only. Closing the server removes the name. */
export async function listenIn(server: Server, folder: string, name: string): Promise<void> {
  const { path } = socketAddress(folder, name);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path }, () => resolve());
  });
  chmodSync(join(folder, name), 0o600);
}
