/**
 * Who may make and end the sandboxes of a session: the highest epoch that has done so, on disk, where it outlives the
 * sandboxes themselves. Whoever has lost the lease finds a higher one there.
 */
import { hash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NightshiftError } from "../../core/errors.ts";
import type { Fence } from "../contract.ts";
import { replaceFile } from "./durable.ts";

/** The floors of one backend's sessions, a file of a few bytes for each. */
export class Floors {
  readonly #folder: string;

  /** @param folder - absolute; made when it is needed */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws NightshiftError `E_SANDBOX_STALE` when a higher epoch has been here */
  check({ session, epoch }: Fence): void {
    const floor = this.#read(session);
    if (epoch >= floor) return;
    throw new NightshiftError(
      "E_SANDBOX_STALE",
      `epoch ${epoch} of ${session} has ended: epoch ${floor} has made or ended sandboxes`,
    );
  }

  /** Durable when it answers. @throws NightshiftError `E_SANDBOX_STALE` when a higher epoch has been here */
  raise(fence: Fence): void {
    this.check(fence);
    if (this.#read(fence.session) === fence.epoch) return;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    replaceFile(this.#pathOf(fence.session), `${fence.epoch}\n`);
  }

  #read(session: string): number {
    try {
      return Number.parseInt(readFileSync(this.#pathOf(session), "utf8"), 10) || 0;
    } catch {
      return 0;
    }
  }

  #pathOf(session: string): string {
    return join(this.#folder, hash("sha256", session, "hex").slice(0, 32));
  }
}
