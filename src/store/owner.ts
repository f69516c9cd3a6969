/** Liveness of drivers. Only `runtime/system.ts` (and the simulator) know how to look. */
import type { Owner } from "./contract.ts";

/** Says whether the process that took a lease is certainly gone. */
export interface OwnerProbe {
  /**
   * True only when the owner can never act again: its machine has started anew since (another boot id), or its
   * process has ended. False for alive and for unknown; then the lease has to expire. Must not block.
   */
  isDead(owner: Owner): boolean;
}
