// One thing that a hostile command tries.
import type { EscapeWorld } from "./world.ts";

/** One attempt. */
export interface Attempt {
  readonly name: string;
  /** Why it would fail even without isolation on this machine, so that nothing is shown; undefined if it would not. */
  readonly moot?: () => string | undefined;
  /** True when the attempt has got what it wanted. */
  run(world: EscapeWorld): Promise<boolean>;
}

/** What only root may do, so that its failing shows nothing when somebody else runs this. */
export function needsRoot(): string | undefined {
  return process.getuid?.() === 0 ? undefined : "only root could do this without a sandbox";
}
