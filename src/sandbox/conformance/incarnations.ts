/** Cases about crashes: of a harness, which harm nothing, and of a daemon, after which the journal knows the truth. */
import { strict as assert } from "node:assert";
import type { ConformanceCase } from "../../core/conformance.ts";
import type { ExecId } from "../../core/ids.ts";
import { Bench, finished, NEVER, rejects, type SandboxSubject } from "./subject.ts";

/** What is known after a crash. */
export const incarnationCases: readonly ConformanceCase<SandboxSubject>[] = [
  {
    name: "when a harness is killed its command goes on, and the next harness gets its reply",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const command = "echo run >> counter; until test -f go; do sleep 0.01; done; echo end";
      const request = bench.request("shell", { command });
      const first = await bench.rig.startHarness(bench.handle, 1, request);
      await bench.untilSucceeds("test -f counter");
      await first.kill();
      await bench.attach(2);
      const running = bench.ask(request);
      await bench.run("touch go");
      const reply = await running;
      assert.equal(finished(reply).output, "end\n");
      assert.deepEqual(await bench.ask(request), reply);
      assert.equal(await bench.count("counter"), 1);
    },
  },
  {
    name: "a new incarnation answers for the earlier one: finished, not started, or unknown",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const { incarnation } = bench.sandbox;
      const done = bench.request("shell", { command: "echo run >> done; date +%N" });
      const reply = await bench.ask(done);
      const cut = bench.request("shell", { command: "echo run >> cut; sleep 600" });
      const lost = rejects(bench.ask(cut), "E_SANDBOX_LOST");
      await bench.untilSucceeds("test -f cut");
      await bench.rig.crash();
      await lost;
      await bench.provision();
      const later = await bench.attach(2);
      assert.notEqual(later.incarnation, incarnation);
      assert.deepEqual(await bench.ask(done), reply, "finished: the identical reply");
      const unknown = await bench.ask(cut);
      assert.equal(unknown.status, "unknown");
      assert.ok(unknown.status === "unknown" && unknown.reason !== "" && unknown.incarnation === incarnation);
      const never = bench.request("shell", { command: "echo run >> never" }, { incarnation });
      assert.deepEqual(await bench.ask(never), { status: "not_started", incarnation });
      const counts = await Promise.all(["done", "cut", "never"].map((file) => bench.count(file)));
      assert.deepEqual(counts, [1, 1, 0], "asking runs nothing");
    },
  },
  {
    name: "about an incarnation that it never heard of the daemon says unknown",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const request = bench.request("shell", { command: "echo run >> counter" }, { incarnation: "of-old" });
      const reply = await bench.ask(request);
      assert.equal(reply.status, "unknown");
      assert.equal(await bench.count("counter"), 0);
    },
  },
  {
    name: "what an earlier incarnation was running is dead before a new one answers",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const spin = "echo $$ >> pids; while :; do sleep 0.02; done";
      const command = `setsid sh -c '${spin}' & sh -c 'trap "" TERM; ${spin}'`;
      const lost = rejects(bench.run(command), "E_SANDBOX_LOST");
      await bench.until("both", async () => (await bench.count("pids")) === 2);
      const earlier = bench.rig.survivors();
      await bench.rig.crash();
      await lost;
      await bench.provision();
      const later = bench.rig.survivors();
      assert.deepEqual(
        earlier.filter((each) => later.includes(each)),
        [],
      );
    },
  },
  {
    name: "an id may be used again in a new incarnation, and both keep their answers",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const execId = "sesn_again/c1_0/1" as ExecId;
      const first = bench.request("shell", { command: "echo first" }, { execId });
      await bench.ask(first);
      await bench.rig.crash();
      await bench.provision();
      await bench.attach(2);
      const second = bench.request("shell", { command: "echo second" }, { execId });
      assert.equal(finished(await bench.ask(second)).output, "second\n");
      assert.equal(finished(await bench.ask(first)).output, "first\n");
    },
  },
  {
    name: "a lost sandbox is reported: by what waits, by what is asked later, and by attaching",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const request = bench.request("shell", { command: "touch begun; sleep 600" });
      const lost = rejects(bench.ask(request), "E_SANDBOX_LOST");
      await bench.untilSucceeds("test -f begun");
      await bench.rig.crash();
      await lost;
      await rejects(bench.ask(request), "E_SANDBOX_LOST");
      await rejects(bench.sandbox.cancel(request.execId), "E_SANDBOX_LOST");
      await rejects(bench.sandbox.prepare("write", { file_path: "a", content: "" }, NEVER), "E_SANDBOX_LOST");
      await rejects(bench.rig.backend.attach(bench.handle, 1, NEVER), "E_SANDBOX_LOST");
    },
  },
];
