/** The reaper of one folder of sandboxes; see the contract beside this file. */
import { existsSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { findMembers, killTree } from "../daemon/kill.ts";
import { tryLock } from "../daemon/lock.ts";
import { bootId, isAlive } from "../daemon/processes.ts";
import { FILES, readRecord, sandboxKey } from "../daemon/record.ts";
import { limitsSweeper } from "../limits/limits.ts";
import type { Leftover, Reaper, Stray, Sweeper } from "./contract.ts";

/** Names of sandboxes; nothing else in the folder is looked at. */
const SANDBOX_NAME = /^[A-Za-z0-9_-]{1,120}$/;
/** Tells a sandbox's folder from any other. */
const SIGNS: readonly string[] = [FILES.lock, FILES.record, FILES.journal, FILES.log];

/**
 * @param root - absolute: the folder that backends keep a folder per sandbox in
 * @param sweepers - of all backends; limits are looked after in any case
 */
export function createReaper(root: string, sweepers: readonly Sweeper[]): Reaper {
  return new FolderReaper(root, [...sweepers, limitsSweeper]);
}

class FolderReaper implements Reaper {
  readonly #root: string;
  readonly #sweepers: readonly Sweeper[];

  constructor(root: string, sweepers: readonly Sweeper[]) {
    // Keys are made from real paths; by any other name a sandbox would seem to have left nothing.
    this.#root = existsSync(root) ? realpathSync(root) : root;
    this.#sweepers = sweepers;
  }

  async findLeftovers(isWanted: (id: string) => boolean | Promise<boolean>): Promise<readonly Leftover[]> {
    const leftovers: Leftover[] = [];
    for (const id of this.#sandboxes()) {
      const leftover = this.#judge(id, await isWanted(id));
      if (leftover !== undefined) leftovers.push(leftover);
    }
    for (const { folder, description } of await this.#strays()) {
      leftovers.push({ id: basename(folder), folder, state: "stray", found: [description] });
    }
    return leftovers;
  }

  async removeLeftover({ folder, state }: Leftover): Promise<boolean> {
    switch (state) {
      case "stray":
        for (const stray of await this.#strays()) if (stray.folder === folder) await stray.remove();
        return true;
      case "unwanted":
        await this.#end(folder);
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
        return true;
      case "orphaned":
        return this.#endOrphans(folder);
    }
  }

  #sandboxes(): string[] {
    try {
      return readdirSync(this.#root, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && SANDBOX_NAME.test(entry.name))
        .map(({ name }) => name)
        .filter((name) => SIGNS.some((sign) => existsSync(join(this.#root, name, sign))))
        .sort();
    } catch {
      return [];
    }
  }

  #judge(id: string, isWanted: boolean): Leftover | undefined {
    const folder = join(this.#root, id);
    if (!isWanted) return { id, folder, state: "unwanted", found: [folder, ...this.#found(folder)] };
    if (isInUse(folder)) return undefined;
    const found = this.#found(folder);
    return found.length === 0 ? undefined : { id, folder, state: "orphaned", found };
  }

  #found(folder: string): string[] {
    const members = findMembers({ marker: `${sandboxKey(folder)}.` });
    const processes = members.map(({ pid }) => `process ${pid}`);
    return [...processes, ...this.#sweepers.flatMap((sweeper) => sweeper.find(folder))];
  }

  /** Holding the lock, so that no daemon can begin meanwhile. */
  async #endOrphans(folder: string): Promise<boolean> {
    if (!existsSync(folder)) return true;
    const lock = tryLock(join(folder, FILES.lock));
    if (lock === undefined) return false;
    try {
      await this.#end(folder);
      return true;
    } finally {
      lock.close();
    }
  }

  async #end(folder: string): Promise<void> {
    await killTree({ marker: `${sandboxKey(folder)}.` }, 0);
    for (const sweeper of this.#sweepers) await sweeper.sweep(folder);
    // What follows a sweep may have been on its way before it.
    await killTree({ marker: `${sandboxKey(folder)}.` }, 0);
  }

  async #strays(): Promise<Stray[]> {
    const strays: Stray[] = [];
    for (const sweeper of this.#sweepers) strays.push(...((await sweeper.findStrays?.(this.#root)) ?? []));
    return strays;
  }
}

/** A daemon holds the lock from its first moment; the record is a cheaper way to see it. */
function isInUse(folder: string): boolean {
  const record = readRecord(folder);
  if (record !== undefined && record.boot === bootId() && isAlive(record.process)) return true;
  const path = join(folder, FILES.lock);
  if (!existsSync(path)) return false;
  const lock = tryLock(path);
  lock?.close();
  return lock === undefined;
}
