/**
 * Finding and removing what sandboxes have left behind. Whatever a sandbox has outside of the log is noted down in its
 * folder before it exists, or bears the sandbox's key in its name; so after any crash the folder leads to all of it.
 */

/** Knows one kind of thing that sandboxes have. */
export interface Sweeper {
  /** What of its kind a sandbox's folder leads to, one description each. Looks only, and asks nobody who may be slow. */
  find(folder: string): readonly string[];
  /**
   * Ends all of it, verified gone. Idempotent. Touches nothing that is not that sandbox's.
   * @throws NightshiftError `E_SANDBOX_UNAVAILABLE` when that cannot be done now; what is noted down stays so
   */
  sweep(folder: string): Promise<void>;
  /**
   * Things of sandboxes below `root` whose folder does not lead to them, because it is gone, or because they came into
   * being after their maker's death. Optional.
   */
  findStrays?(root: string): Promise<readonly Stray[]>;
}

/** Something that no folder leads to any more. */
export interface Stray {
  /** Where the sandbox's folder was. */
  readonly folder: string;
  readonly description: string;
  remove(): Promise<void>;
}

/** What one sandbox has left. */
export interface Leftover {
  /** Name of its folder, which is the sandbox's id. */
  readonly id: string;
  readonly folder: string;
  /**
   * `unwanted`: its session is over, all of it goes. `orphaned`: its daemon is dead, so what that has started goes;
   * its folder stays, because the journal in it answers for what ran. `stray`: its folder is gone already.
   */
  readonly state: "unwanted" | "orphaned" | "stray";
  /** Everything that was found, for people. */
  readonly found: readonly string[];
}

/** Looks after the sandboxes of one state folder. */
export interface Reaper {
  /**
   * Never lists a sandbox that is wanted and whose daemon lives or is being started.
   * @param isWanted - is the session of this sandbox still going on?
   */
  findLeftovers(isWanted: (id: string) => boolean | Promise<boolean>): Promise<readonly Leftover[]>;
  /**
   * Removes it, verified gone. Idempotent. @returns false when it is in use again
   * @throws NightshiftError `E_SANDBOX_UNAVAILABLE` when something cannot be removed now
   */
  removeLeftover(leftover: Leftover): Promise<boolean>;
}
