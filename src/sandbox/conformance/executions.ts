/** Cases about running commands, and about running each of them once. */
import { strict as assert } from "node:assert";
import type { ConformanceCase } from "../../core/conformance.ts";
import { Bench, finished, NEVER, rejects, type SandboxSubject } from "./subject.ts";

/** What the daemon does with requests. */
export const executionCases: readonly ConformanceCase<SandboxSubject>[] = [
  {
    name: "a command runs in the workspace and ends with what it printed and its exit code",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const result = await bench.run("pwd; touch here; echo out; echo err >&2; echo again; exit 3");
      const [folder, ...lines] = result.output.split("\n");
      assert.deepEqual(lines, ["out", "err", "again", ""], "stdout and stderr in the order of printing");
      assert.equal(await bench.output(`ls ${folder}`), "here\n");
      assert.equal(result.ending, "exited");
      assert.equal(result.exitCode, 3);
      assert.equal(result.droppedBytes, 0);
    },
  },
  {
    name: "a command can open its output again and has no input",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const result = await bench.run(
        "cat; echo one > /dev/stderr; echo two > /dev/stdout; echo three | tee /dev/stderr",
      );
      assert.equal(result.output, "one\ntwo\nthree\nthree\n");
    },
  },
  {
    name: "the exit code is null unless the command exited by itself",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const result = await bench.run("echo before; kill -KILL $$");
      assert.equal(result.ending, "exited");
      assert.equal(result.exitCode, null);
      assert.match(result.output, /^before\n.*SIGKILL/, "the last line names the signal");
    },
  },
  {
    name: "the same exec id never runs twice, and every asker gets the identical reply",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const request = bench.request("shell", { command: "echo run >> counter; sleep 0.2; date +%N" });
      const together = await Promise.all(Array.from({ length: 5 }, () => bench.ask(request)));
      const second = await bench.attach(1);
      const later = await second.execute(request, { signal: NEVER });
      for (const reply of [...together, later]) assert.deepEqual(reply, together[0]);
      assert.equal(await bench.count("counter"), 1);
    },
  },
  {
    name: "the order of keys and other limits do not make another request",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const first = bench.request("shell", { command: "echo run >> counter", timeout_ms: 5000 });
      const same = { ...first, input: { timeout_ms: 5000, command: "echo run >> counter" } };
      const reply = await bench.ask(first);
      assert.deepEqual(await bench.ask({ ...same, limits: { wallMs: 1000, outputBytes: 10 } }), reply);
      assert.equal(await bench.count("counter"), 1);
    },
  },
  {
    name: "an exec id with another request is refused, while it runs and afterwards",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const request = bench.request("shell", {
        command: "echo run >> counter; until test -f go; do sleep 0.01; done",
      });
      const other = { ...request, input: { command: "echo other >> counter" } };
      const running = bench.ask(request);
      await bench.untilSucceeds("test -f counter");
      await rejects(bench.ask(other), "E_EXEC_MISMATCH");
      await bench.run("touch go");
      finished(await running);
      await rejects(bench.ask(other), "E_EXEC_MISMATCH");
      assert.equal(await bench.count("counter"), 1);
    },
  },
  {
    name: "aborting the signal only stops waiting",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const request = bench.request("shell", {
        command: "echo run >> counter; until test -f go; do sleep 0.01; done; echo end",
      });
      const impatient = new AbortController();
      const waiting = bench.ask(request, impatient.signal);
      await bench.untilSucceeds("test -f counter");
      impatient.abort(new Error("no more time"));
      await assert.rejects(waiting, /no more time/);
      await bench.run("touch go");
      assert.equal(finished(await bench.ask(request)).output, "end\n");
      assert.equal(await bench.count("counter"), 1);
    },
  },
  {
    name: "output is shown while the command runs",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const command = "echo ready; until test -f go; do sleep 0.01; done; echo end";
      const { promise: seen, resolve } = Promise.withResolvers<void>();
      let text = "";
      const running = bench.sandbox.execute(bench.request("shell", { command }), {
        signal: NEVER,
        onOutput: (part) => {
          text += part;
          if (text.includes("ready\n")) resolve();
        },
      });
      await seen;
      await bench.run("touch go");
      assert.equal(finished(await running).output, "ready\nend\n");
    },
  },
  {
    name: "executions run beside each other, and more than there are turns for wait",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const meet = (mine: string, other: string) =>
        bench.run(`touch ${mine}; until test -f ${other}; do sleep 0.01; done`, { wallMs: 10_000 });
      const [one, two] = await Promise.all([meet("a", "b"), meet("b", "a")]);
      assert.deepEqual([one?.exitCode, two?.exitCode], [0, 0]);
      const many = await Promise.all(Array.from({ length: 80 }, (_, index) => bench.run(`echo ${index}`)));
      assert.deepEqual(
        many.map(({ output }) => output),
        many.map((_, index) => `${index}\n`),
      );
    },
  },
  {
    name: "what a command leaves in the background neither holds up its end nor dies of it",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const leave = "(while sleep 0.02; do echo noise; echo beat >> beats; done) & echo $! > pids; echo left";
      const request = bench.request("shell", { command: leave });
      const result = finished(await bench.ask(request));
      assert.match(result.output, /^left\n/);
      const before = await bench.count("beats");
      await bench.until("more beats", async () => (await bench.count("beats")) > before + 3);
      await bench.sandbox.cancel(request.execId);
      assert.deepEqual(await bench.alive("pids"), []);
    },
  },
  {
    name: "commands see a clean environment",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const { name, value } = bench.rig.canary;
      const seen = await bench.output("env; tr '\\0' '\\n' < /proc/$PPID/environ; true");
      assert.ok(!seen.includes(name) && !seen.includes(value), "neither in its own nor in the daemon's");
      assert.match(seen, /^PATH=.+/m);
      assert.match(seen, /^TERM=dumb$/m);
    },
  },
];
