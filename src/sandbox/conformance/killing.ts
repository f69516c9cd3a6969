/** Cases about ending executions. */
import { strict as assert } from "node:assert";
import type { ConformanceCase } from "../../core/conformance.ts";
import type { ExecId } from "../../core/ids.ts";
import { Bench, finished, type SandboxSubject } from "./subject.ts";

/** Starts processes in every way that hides them from their parent, and waits until all of them run. */
const HIDDEN = [
  "spin='echo $$ >> pids; while :; do sleep 0.05; done'",
  'sh -c "$spin" &',
  'setsid sh -c "$spin" &',
  'nohup sh -c "$spin" > /dev/null 2>&1 &',
  'setsid -f sh -c "$spin"',
  'sh -c "trap \\"\\" TERM HUP; $spin" &',
  "until test $(cat pids 2>/dev/null | wc -l) -ge 5; do sleep 0.01; done",
  "sleep 600",
].join("\n");

/** What cancelling promises. */
export const killingCases: readonly ConformanceCase<SandboxSubject>[] = [
  {
    name: "cancel kills everything that a run has started, verified dead before it answers",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const request = bench.request("shell", { command: HIDDEN });
      const running = bench.ask(request);
      await bench.until("all processes", async () => (await bench.count("pids")) >= 5);
      await bench.sandbox.cancel(request.execId);
      assert.deepEqual(await bench.alive("pids"), []);
      const result = finished(await running);
      assert.equal(result.ending, "cancelled");
      assert.equal(result.exitCode, null);
      assert.deepEqual(finished(await bench.ask(request)), result, "asked again, the same");
    },
  },
  {
    name: "a cancelled run ends at once when it takes the hint, and keeps what it printed",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const command =
        "trap 'echo cleaned; exit 0' TERM; echo begun; touch begun; while :; do sleep 0.02; done";
      const request = bench.request("shell", { command });
      const running = bench.ask(request);
      await bench.untilSucceeds("test -f begun");
      await bench.sandbox.cancel(request.execId);
      const result = finished(await running);
      assert.equal(result.ending, "cancelled");
      assert.match(result.output, /^begun\n(.*\n)*cleaned\n/);
    },
  },
  {
    name: "cancel is idempotent, and unknown ids are fine",
    async run(subject) {
      await using bench = await Bench.open(subject);
      await bench.sandbox.cancel("sesn_nobody/c1_0/1" as ExecId);
      const request = bench.request("shell", { command: "echo run >> counter" });
      const reply = await bench.ask(request);
      await bench.sandbox.cancel(request.execId);
      await bench.sandbox.cancel(request.execId);
      assert.deepEqual(await bench.ask(request), reply, "what has finished stays finished");
      assert.equal(await bench.count("counter"), 1);
    },
  },
  {
    name: "a run that waits for its turn can be cancelled and then never begins",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const command = "echo run >> counter; sleep 600";
      const requests = Array.from({ length: 60 }, () => bench.request("shell", { command }));
      const running = requests.map((request) => bench.ask(request));
      await Promise.all(requests.reverse().map(({ execId }) => bench.sandbox.cancel(execId)));
      const endings = (await Promise.all(running)).map((reply) => finished(reply).ending);
      assert.deepEqual(new Set(endings), new Set(["cancelled"]));
      const begun = await bench.count("counter");
      assert.ok(begun < requests.length, `${begun} of ${requests.length} have begun`);
      assert.equal(await bench.count("counter"), begun);
    },
  },
  {
    name: "a run cannot get away by always being a new process",
    async run(subject) {
      await using bench = await Bench.open(subject);
      // Each process lives for a moment only and leaves a successor in a session of its own behind.
      const content = "#!/bin/sh\necho $$ >> pids\ntest -f halt || setsid -f ./flee\n";
      await bench.perform("write", { file_path: "flee", content });
      const request = bench.request("shell", { command: "chmod +x flee; ./flee; sleep 600" });
      const running = bench.ask(request);
      await bench.until("some generations", async () => (await bench.count("pids")) > 20);
      await bench.sandbox.cancel(request.execId);
      const generations = await bench.count("pids");
      assert.equal(finished(await running).ending, "cancelled");
      await bench.run("sleep 0.1; touch halt");
      assert.equal(await bench.count("pids"), generations, "none is born after the answer");
    },
  },
];
