/** The store that is measured: SQLite with its default settings. */
import { isOwnerDead, systemChance, systemClock, systemOwner } from "../src/runtime/system.ts";
import type { Owner, Store } from "../src/store/contract.ts";
import { createSqliteStore } from "../src/store/sqlite.ts";

/** How commits are made: on the caller's thread, or together on one of their own. */
export type WriterKind = "inline" | "thread";

/** This process as an owner of leases. */
export const OWNER: Owner = systemOwner(systemChance.unique(12));

/** Opens the store in a folder. */
export function openStore(folder: string, writer: WriterKind): Promise<Store> {
  const probe = { isDead: (owner: Owner) => isOwnerDead(owner, OWNER) };
  return createSqliteStore({ folder, clock: systemClock, probe, writer });
}
