/**
 * Who in this state folder fires what becomes due. A hint for people: a waiting session needs some process that is
 * alive then, and `status` says when there is none. Nothing relies on it.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../sandbox/daemon/durable.ts";
import type { Owner } from "../store/contract.ts";
import { isOwnerDead } from "./system.ts";

/** A process that stays. */
export interface Watcher {
  readonly owner: Owner;
  /** The session that it stays for; null for all. */
  readonly session: string | null;
}

const FOLDER = "watchers";

/** Says that this process stays, until it is disposed of. */
export function announceWatcher(stateFolder: string, watcher: Watcher): Disposable {
  const folder = join(stateFolder, FOLDER);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${watcher.owner.harness}.json`);
  replaceFile(path, JSON.stringify(watcher));
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

/** Those that live and would wake this session. What the dead have left is removed. */
export function watchersOf(stateFolder: string, session: string | null, self: Owner): readonly Watcher[] {
  const folder = join(stateFolder, FOLDER);
  return namesIn(folder).flatMap((name) => {
    const watcher = readWatcher(join(folder, name));
    if (watcher === undefined) return [];
    if (isOwnerDead(watcher.owner, self)) {
      rmSync(join(folder, name), { force: true });
      return [];
    }
    return watcher.session === null || watcher.session === session ? [watcher] : [];
  });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".json"));
  } catch {
    return [];
  }
}

/** A record that cannot be understood says nothing. */
function readWatcher(path: string): Watcher | undefined {
  try {
    const { owner, session } = JSON.parse(readFileSync(path, "utf8")) as Partial<Watcher>;
    if (typeof owner?.pid !== "number" || typeof owner.bootId !== "string") return undefined;
    return { owner, session: session ?? null };
  } catch {
    return undefined;
  }
}
