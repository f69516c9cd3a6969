/** Small file systems in memory, for tests that run as root. */
import { spawnSync } from "node:child_process";
import { freshFolder } from "./place.ts";

/** @returns where it is, or undefined where mounting is not allowed */
export function withMount(options: string, later: (cleanUp: () => void) => void): string | undefined {
  const place = freshFolder();
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", place]);
  if (status !== 0) return undefined;
  later(() => {
    spawnSync("umount", [place]);
  });
  return place;
}
