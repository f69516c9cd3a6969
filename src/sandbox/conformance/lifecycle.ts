/** Cases about making and ending sandboxes. */
import { strict as assert } from "node:assert";
import type { ConformanceCase } from "../../core/conformance.ts";
import { Bench, finished, NEVER, rejects, type SandboxSubject } from "./subject.ts";

/** Nothing may be left, be it a process or a file. */
async function assertGone(bench: Bench): Promise<void> {
  await bench.until("everything gone", () => bench.rig.survivors().length === 0);
  assert.deepEqual(bench.rig.remains(), []);
}

/** How sandboxes come and go. */
export const lifecycleCases: readonly ConformanceCase<SandboxSubject>[] = [
  {
    name: "provisioning again, also at the same time, finds the sandbox that is there",
    async run(subject) {
      await using rig = await subject.open();
      const { backend, spec } = rig;
      const made = await Promise.all([1, 2, 3].map(() => backend.provision(spec, NEVER)));
      const again = await backend.provision(spec, NEVER);
      for (const each of [...made, again]) assert.deepEqual(each, again);
      const sandbox = await backend.attach(again.handle, 1, NEVER);
      assert.equal(sandbox.incarnation, again.incarnation);
      sandbox.detach();
      // Those that came too late may still be ending.
      while (rig.daemons().length > 1) await subject.clock.sleep(10);
      const alive = rig.survivors();
      await backend.provision(spec, NEVER);
      assert.deepEqual(rig.survivors(), alive, "no second daemon");
    },
  },
  {
    name: "the handle survives being stored as JSON",
    async run(subject) {
      await using bench = await Bench.open(subject);
      bench.handle = JSON.parse(JSON.stringify(bench.handle));
      await bench.attach(2);
      assert.equal(await bench.output("echo here"), "here\n");
    },
  },
  {
    name: "detaching ends nothing",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const request = bench.request("shell", {
        command: "touch begun; until test -f go; do sleep 0.01; done; echo end",
      });
      const waiting = bench.ask(request).catch(() => undefined);
      await bench.untilSucceeds("test -f begun");
      bench.sandbox.detach();
      await waiting;
      await bench.attach(1);
      await bench.run("touch go");
      assert.equal(finished(await bench.ask(request)).output, "end\n");
    },
  },
  {
    name: "destroying ends everything, leaves nothing, and may be repeated",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const { backend, spec } = bench.rig;
      const command = "setsid sh -c 'trap \"\" TERM; touch begun; sleep 600' & sleep 600";
      const lost = bench.run(command).catch(() => undefined);
      await bench.untilSucceeds("test -f begun");
      await backend.destroy(spec.id, bench.handle);
      await lost;
      await assertGone(bench);
      await backend.destroy(spec.id, bench.handle);
      await backend.destroy(spec.id, undefined);
      await rejects(backend.attach(bench.handle, 1, NEVER), "E_SANDBOX_LOST");
    },
  },
  {
    name: "destroying works without a handle, without a daemon, and without a sandbox",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const { backend, spec } = bench.rig;
      const lost = bench.run("touch begun; sleep 600").catch(() => undefined);
      await bench.untilSucceeds("test -f begun");
      await bench.rig.crash();
      await lost;
      await backend.destroy(spec.id, undefined);
      await assertGone(bench);
      await using unused = await subject.open();
      await unused.backend.destroy(unused.spec.id, undefined);
    },
  },
  {
    name: "a sandbox that no harness contacts ends itself and what runs in it",
    async run(subject) {
      await using bench = await Bench.open(subject, { noContactMs: 1500 });
      const command = "setsid sh -c 'trap \"\" TERM; touch begun; sleep 600' & sleep 600";
      const request = bench.request("shell", { command });
      const cut = bench.ask(request).catch(() => undefined);
      await bench.untilSucceeds("test -f begun");
      await bench.clock.sleep(2000);
      assert.notDeepEqual(bench.rig.survivors(), [], "contact keeps it alive");
      const { incarnation } = bench.sandbox;
      bench.sandbox.detach();
      await cut;
      await bench.until("its end", () => bench.rig.survivors().length === 0);
      await rejects(bench.rig.backend.attach(bench.handle, 1, NEVER), "E_SANDBOX_LOST");
      await bench.provision();
      await bench.attach(2);
      const result = finished(await bench.ask({ ...request, incarnation }));
      assert.equal(result.ending, "cancelled", "its end is on record");
    },
  },
  {
    name: "a workspace that does not exist is refused with what is wrong",
    async run(subject) {
      await using rig = await subject.open();
      const spec = { ...rig.spec, workspace: `${rig.spec.workspace}/missing` };
      await rejects(rig.backend.provision(spec, NEVER), "E_SANDBOX_UNAVAILABLE");
    },
  },
];
