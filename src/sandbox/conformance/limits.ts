/** Cases about limits: all of them are the daemon's to enforce. */
import { strict as assert } from "node:assert";
import type { ConformanceCase } from "../../core/conformance.ts";
import { Bench, type SandboxSubject } from "./subject.ts";

const MEMORY_BYTES_MAX = 200 * 1024 * 1024;

/** Ignores every polite request to end, and so does its child. */
const STUBBORN =
  "trap '' TERM INT HUP; echo $$ >> pids; sh -c 'trap \"\" TERM; echo $$ >> pids; while :; do sleep 0.05; done'";

/** What limits mean. */
export const limitCases: readonly ConformanceCase<SandboxSubject>[] = [
  {
    name: "of a long output the head and the tail are kept, and what is dropped is counted",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const command = "echo first; seq 100000; echo last";
      const { output, droppedBytes } = await bench.run(command, { outputBytes: 1000 });
      const bytes = Buffer.byteLength(output);
      assert.ok(bytes <= 1000 && bytes > 900, `uses the limit: ${bytes} bytes`);
      assert.match(output, /^first\n1\n2\n/);
      assert.match(output, /\n99999\n100000\nlast\n$/);
      assert.ok(output.includes(String(droppedBytes)), "the gap says how much is missing");
      const total = Number(await bench.output(`(${command}) | wc -c`));
      assert.ok(Math.abs(total - droppedBytes - bytes) < 100, `${total} = ${droppedBytes} + ${bytes}`);
    },
  },
  {
    name: "the output limit holds for bytes that are no text",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const { output } = await bench.run("head -c 5000 /dev/zero | tr '\\0' '\\377'", { outputBytes: 1000 });
      assert.ok(Buffer.byteLength(output) <= 1000, `${Buffer.byteLength(output)} bytes`);
      const text = await bench.run("yes ü€😀 | head -c 9000", { outputBytes: 1000 });
      assert.ok(!text.output.includes("\uFFFD"), "no character is cut in two");
    },
  },
  {
    name: "a command that prints 1 GB neither fills memory nor is held up",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const { ending, droppedBytes, output } = await bench.run("yes 0123456789abcdef | head -c 1000000000", {
        outputBytes: 100_000,
      });
      assert.equal(ending, "exited");
      assert.ok(droppedBytes > 999_900_000 && droppedBytes < 1_000_000_000, String(droppedBytes));
      assert.ok(Buffer.byteLength(output) <= 100_000);
      const memory = bench.rig.peakMemory();
      assert.ok(memory < MEMORY_BYTES_MAX, `the daemon has taken ${Math.round(memory / 1e6)} MB`);
    },
  },
  {
    name: "a command that never ends is killed at its wall limit with everything it started",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const result = await bench.run(`echo started; ${STUBBORN}`, { wallMs: 400 });
      assert.equal(result.ending, "timed_out");
      assert.equal(result.exitCode, null);
      assert.match(result.output, /^started\n/);
      assert.ok(result.durationMs >= 400, `${result.durationMs} ms`);
      assert.equal(await bench.count("pids"), 2);
      assert.deepEqual(await bench.alive("pids"), []);
    },
  },
  {
    name: "a request can shorten the wall limit, not lengthen it",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const shorter = await bench.perform("shell", { command: "sleep 60", timeout_ms: 100 });
      assert.equal(shorter.ending, "timed_out");
      const longer = await bench.perform(
        "shell",
        { command: "sleep 60", timeout_ms: 60_000 },
        { wallMs: 100 },
      );
      assert.equal(longer.ending, "timed_out");
    },
  },
  {
    name: "a request that is too large or makes no sense is refused with a reason, and nothing is touched",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const large = await bench.perform("write", { file_path: "large", content: "x".repeat(17_000_000) });
      assert.equal(large.ending, "refused");
      assert.match(large.output, /bytes/);
      const inputs = [
        null,
        "text",
        [],
        {},
        { command: 3 },
        { command: "" },
        { command: "x".repeat(200_000) },
      ];
      for (const input of inputs) {
        const result = await bench.perform("shell", input);
        assert.equal(result.ending, "refused", JSON.stringify(input)?.slice(0, 80));
        assert.notEqual(result.output, "");
      }
      assert.equal(await bench.output("ls"), "");
    },
  },
];
