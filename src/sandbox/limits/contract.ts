/**
 * Limits of one pod: memory, processes and cores of all its processes together, held by the best means that this
 * machine grants: cgroup v2, cgroup v1, else `prlimit`, else nothing, and which it is is said.
 *
 * Order of use, by whoever launches the pod: `open` (notes down in the sandbox's folder what it is about to make,
 * then makes it) → start `wrap(argv)`, outside of the pod → `tookMemoryKill` after commands → `end`. After a crash,
 * `sweepLimits(folder)` of `limits.ts` finds all of it again. Names derive from the sandbox's key, so nothing is made twice.
 */
import type { Resources } from "../contract.ts";
import type { LimitsInForce } from "../pod/contract.ts";

/** The limits of one pod, in force for whatever is started through {@link Limits.wrap}. */
export interface Limits {
  /** By what means each is held. */
  readonly inForce: LimitsInForce;
  /**
   * The command line that joins the limits and then *becomes* `argv` (same pid, same descriptors), so that nothing
   * of it ever runs unbound. It ends with {@link JOIN_FAILED} instead when it cannot join. To be run on the
   * machine, not in the pod. Also holds `fileBytes`.
   */
  wrap(argv: readonly string[]): readonly string[];
  /**
   * Has the kernel killed a process of the pod for want of memory since the last call? Always false where no
   * cgroup counts: there, an allocation fails instead. To be asked after every command: it is also when processes
   * that have ended, but that nobody has waited for, stop to count against the limit of those that may live.
   */
  tookMemoryKill(): boolean;
  /** Pids of the processes that are bound; empty where no cgroup tells. */
  members(): readonly number[];
  /**
   * Kills every bound process and removes what holds the limits, verified gone when it resolves. Idempotent. Where
   * no cgroup tells what is bound, it kills nothing: the pod's process namespace has to.
   * @throws NightshiftError `E_SANDBOX_UNAVAILABLE` when a process cannot be killed
   */
  end(): Promise<void>;
}

/** Exit code of a wrapped command that could not be bound; nothing of `argv` has run then. */
export const JOIN_FAILED = 121;

/** Makes limits. */
export interface LimitKeeper {
  /** Which means there are, without making anything. */
  readonly means: LimitsInForce;
  /**
   * Makes the limits of the sandbox in `folder`, or takes over those that an earlier call has made for it.
   * @throws NightshiftError `E_SANDBOX_UNAVAILABLE`
   */
  open(folder: string, resources: Resources): Limits;
}
