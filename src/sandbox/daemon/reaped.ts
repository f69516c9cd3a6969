/** What a reaper tells of the command that it was started for. */
import { constants } from "node:os";
import type { Readable } from "node:stream";

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
}

/** Exit code of a reaper that could not make a process for its command. */
export const REAPER_FAILED = 126;

const STATUS_BYTES = 4;

/** Resolves when the command has ended; a reaper that was killed can tell nothing of it. */
export function readEnding(status: Readable): Promise<Ending> {
  const { promise, resolve } = Promise.withResolvers<Ending>();
  let told = Buffer.alloc(0);
  status.on("data", (chunk: Buffer) => {
    told = Buffer.concat([told, chunk]);
    if (told.length >= STATUS_BYTES) {
      resolve(decodeStatus(told.readInt32LE(0)));
      status.destroy();
    }
  });
  status.on("error", () => undefined);
  status.on("close", () => resolve({ code: null, signal: null }));
  return promise;
}

/** From the number that the kernel gives to who waits. */
export function decodeStatus(status: number): Ending {
  const number = status & 0x7f;
  if (number === 0) return { code: (status >> 8) & 0xff, signal: null };
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return { code: null, signal: name ?? `${number}` };
}
