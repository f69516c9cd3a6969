/** Cases about the epoch floor: a harness whose time has passed executes nothing. */
import { strict as assert } from "node:assert";
import type { ConformanceCase } from "../../core/conformance.ts";
import { Bench, finished, NEVER, rejects, type SandboxSubject } from "./subject.ts";

/** Who may speak to a sandbox. */
export const epochCases: readonly ConformanceCase<SandboxSubject>[] = [
  {
    name: "attaching raises the floor: a connection of a lower epoch that was open before is refused everything",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const zombie = bench.sandbox;
      const request = bench.request("shell", { command: "echo zombie >> counter" });
      const write = bench.request("write", { file_path: "file", content: "zombie" });
      await bench.attach(2);
      await rejects(zombie.execute(request, { signal: NEVER }), "E_SANDBOX_STALE");
      await rejects(zombie.execute(write, { signal: NEVER }), "E_SANDBOX_STALE");
      await rejects(zombie.prepare("write", write.input, NEVER), "E_SANDBOX_STALE");
      await rejects(zombie.cancel(request.execId), "E_SANDBOX_STALE");
      assert.equal(await bench.output("ls"), "");
      zombie.detach();
    },
  },
  {
    name: "attaching under a lower epoch is refused, under the same one it is not",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const first = await bench.attach(5);
      const second = await bench.attach(5);
      assert.equal(second.incarnation, first.incarnation);
      assert.equal((await first.prepare("write", { file_path: "a", content: "" }, NEVER)).status, "prepared");
      await rejects(bench.rig.backend.attach(bench.handle, 4, NEVER), "E_SANDBOX_STALE");
      first.detach();
    },
  },
  {
    name: "who waits under a lower epoch is told at once, and what runs goes on for the new harness",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const zombie = bench.sandbox;
      const command = "echo run >> counter; until test -f go; do sleep 0.01; done; echo end";
      const request = bench.request("shell", { command });
      const waiting = bench.ask(request);
      await bench.untilSucceeds("test -f counter");
      const refused = rejects(waiting, "E_SANDBOX_STALE");
      await bench.attach(2);
      await refused;
      await bench.run("touch go");
      assert.equal(finished(await bench.ask(request)).output, "end\n");
      assert.equal(await bench.count("counter"), 1);
      zombie.detach();
    },
  },
  {
    name: "who has lost the lease makes no sandbox, though there is none any more, and ends none",
    async run(subject) {
      await using bench = await Bench.open(subject, { spec: () => ({ fence: { session: "s", epoch: 2 } }) });
      const { backend, spec } = bench.rig;
      const under = (epoch: number) => ({ session: "s", epoch });
      await rejects(backend.provision({ ...spec, fence: under(1) }, NEVER), "E_SANDBOX_STALE");
      await rejects(backend.destroy(spec.id, bench.handle, under(1)), "E_SANDBOX_STALE");
      assert.equal(await bench.output("echo lives on"), "lives on\n");
      await backend.destroy(spec.id, bench.handle, under(3));
      await rejects(backend.provision(spec, NEVER), "E_SANDBOX_STALE");
      assert.deepEqual(bench.rig.survivors(), []);
      assert.deepEqual(bench.rig.remains(), []);
      await backend.provision({ ...spec, fence: { session: "another", epoch: 1 } }, NEVER);
    },
  },
  {
    name: "what is being made when a higher epoch comes is ended again by whoever makes it",
    async run(subject) {
      await using rig = await subject.open({ spec: () => ({ fence: { session: "s", epoch: 1 } }) });
      const { backend, spec } = rig;
      const late = backend.provision(spec, NEVER);
      // Its first step is synchronous, and ending what there is not yet takes less time than making it.
      await backend.destroy(`${spec.id}_other` as typeof spec.id, undefined, { session: "s", epoch: 2 });
      await rejects(late, "E_SANDBOX_STALE");
      assert.deepEqual(rig.survivors(), []);
      assert.deepEqual(rig.remains(), []);
    },
  },
  {
    name: "the floor outlives the daemon",
    async run(subject) {
      await using bench = await Bench.open(subject);
      await bench.attach(7);
      await bench.rig.crash();
      await bench.provision();
      await rejects(bench.rig.backend.attach(bench.handle, 6, NEVER), "E_SANDBOX_STALE");
      await bench.attach(7);
    },
  },
];
