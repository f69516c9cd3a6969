/**
 * Overlay workspaces, mounted in a mount namespace that only the pod has: with the pod's last process the kernel
 * takes them down, and the machine never sees them.
 */
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { Overlay } from "../contract.ts";

const MOUNT_SCRIPT = 'cd "$1" && mount -t overlay -o "$2" overlay merged && shift 2 && exec "$@"';

/** An overlay that is about to be mounted. */
export interface OverlayPlan {
  /** Where it will be seen, in the namespace of what `wrap` starts. */
  readonly merged: string;
  /** The command line that mounts it and then becomes `argv`. */
  wrap(argv: readonly string[]): readonly string[];
}

/**
 * Prepares the mount. Its folders get short names of ours, so that no character of a path means anything to `mount`.
 * @param folder - of the sandbox; private
 */
export function planOverlay(folder: string, { lower, upper, work }: Overlay, isRoot: boolean): OverlayPlan {
  const place = join(folder, "overlay");
  rmSync(place, { recursive: true, force: true });
  mkdirSync(join(place, "merged"), { recursive: true, mode: 0o700 });
  const names = lower.map((path, index) => link(place, `lower-${index}`, path));
  link(place, "upper", upper);
  link(place, "work", work);
  // A plain user's overlay cannot write the attributes that are kept for root.
  const options = `lowerdir=${names.join(":")},upperdir=upper,workdir=work${isRoot ? "" : ",userxattr"}`;
  const unshare = isRoot ? ["-m"] : ["-U", "-r", "-m"];
  return {
    merged: join(place, "merged"),
    wrap: (argv) => [
      ...["unshare", ...unshare, "--propagation", "private", "--"],
      ...["/bin/sh", "-c", MOUNT_SCRIPT, "mount-overlay", place, options, ...argv],
    ],
  };
}

function link(place: string, name: string, target: string): string {
  symlinkSync(target, join(place, name));
  return name;
}
