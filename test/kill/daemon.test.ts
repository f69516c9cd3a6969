// Random SIGKILLs of the daemon, of what starts it, and of both, during real work. NIGHTSHIFT_KILLS sets how many,
// NIGHTSHIFT_SEED which.
import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "vitest";
import type { ExecReply } from "../../src/sandbox/contract.ts";
import { checkPromise, createRandom, DaemonWorld, NEVER, replyOrLost, type Work } from "./daemon-world.ts";

const KILLS = Number(process.env["NIGHTSHIFT_KILLS"] ?? 50);
const SEED = Number(process.env["NIGHTSHIFT_SEED"] ?? 1);
const STARTS = Math.ceil(KILLS / 2);
/** The journal remembers more incarnations than this. */
const REMEMBERED = 8;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe(`kill -9, seed ${SEED}`, () => {
  test(`of the daemon while it works, ${KILLS} times`, async () => {
    using world = new DaemonWorld();
    const random = createRandom(SEED);
    const known: { work: Work; reply: ExecReply }[][] = [];
    const seen = { finished: 0, not_started: 0, unknown: 0 };
    for (let kill = 0; kill < KILLS; kill++) {
      const sandbox = await world.wake();
      const works = Array.from({ length: 12 }, () =>
        random() < 0.5 ? world.command(sandbox.incarnation, random() * 40) : world.write(sandbox.incarnation),
      );
      const replies = works.map((work) => replyOrLost(sandbox, work));
      // On any machine some have begun then, and some have ended.
      await (random() < 0.5 ? pause(random() * 200) : Promise.race(replies));
      await world.killDaemon();
      const early = await Promise.all(replies);
      const next = await world.wake();
      assert.equal(world.survivors().length, 1, "only the new daemon lives");
      assert.deepEqual(world.leftovers(), [], "no half-written files");
      const settled = await Promise.all(
        works.map(async (work, index) => {
          const reply = await next.execute(work.request, { signal: NEVER });
          checkPromise(work, reply);
          if (early[index]) assert.deepEqual(reply, early[index], "the reply of before the kill still holds");
          seen[reply.status]++;
          return { work, reply };
        }),
      );
      known.push(settled);
      for (const { work, reply } of known.slice(-REMEMBERED).flat()) {
        assert.deepEqual(await next.execute(work.request, { signal: NEVER }), reply);
      }
      sandbox.detach();
      next.detach();
    }
    await world.backend.destroy(world.spec.id, undefined);
    assert.deepEqual(world.survivors(), []);
    for (const { work, reply } of known.flat()) checkPromise(work, reply);
    process.stdout.write(`replies after ${KILLS} kills: ${JSON.stringify(seen)}\n`);
    assert.ok(seen.finished > 0 && seen.not_started + seen.unknown > 0, "the kills came in time");
  });

  test(`of the daemon while it starts, ${STARTS} times`, async () => {
    using world = new DaemonWorld();
    const random = createRandom(SEED + 1);
    for (let kill = 0; kill < STARTS; kill++) {
      const woken = world.wake();
      await pause(random() * 200);
      for (const pid of world.survivors()) killIfThere(pid);
      const first = await woken.catch(() => undefined);
      first?.detach();
      const sandbox = await world.wake();
      sandbox.detach();
      assert.equal(world.survivors().length, 1);
      if (random() < 0.5) await world.killDaemon();
    }
    await world.backend.destroy(world.spec.id, undefined);
    assert.deepEqual(world.survivors(), []);
  });

  test(`of the harness while it provisions, ${STARTS} times`, async () => {
    using world = new DaemonWorld();
    const random = createRandom(SEED + 2);
    for (let kill = 0; kill < STARTS; kill++) {
      const child = spawn(process.execPath, [join(import.meta.dirname, "provisioner.ts")], {
        stdio: ["pipe", "ignore", "inherit"],
      });
      child.stdin.end(JSON.stringify({ folder: world.state, spec: world.spec }));
      const ended = once(child, "exit");
      await pause(100 + random() * 350);
      child.kill("SIGKILL");
      await ended;
      if (random() < 0.5) {
        const sandbox = await world.wake();
        // What the killed harness had started may still be finding out that it is not needed.
        while (world.survivors().length > 1) await pause(10);
        assert.equal((await world.wake()).incarnation, sandbox.incarnation, "one daemon, whoever started it");
        sandbox.detach();
      }
      await world.backend.destroy(world.spec.id, undefined);
      assert.deepEqual(world.survivors(), []);
      assert.ok(!existsSync(world.sandboxFolder));
    }
  });
});

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It was faster.
  }
}
