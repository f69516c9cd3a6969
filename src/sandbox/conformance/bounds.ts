/** Cases about the limits of a whole sandbox: a command that wants too much harms itself only. */
import { strict as assert } from "node:assert";
import type { ConformanceCase } from "../../core/conformance.ts";
import { DEFAULT_RESOURCES, type Resources } from "../contract.ts";
import { Bench, finished, type SandboxSubject } from "./subject.ts";

const MEBIBYTE = 1024 * 1024;

const SMALL: Resources = {
  ...DEFAULT_RESOURCES,
  memoryBytes: 700 * MEBIBYTE,
  processes: 100,
  temporaryBytes: 8 * MEBIBYTE,
  fileBytes: 16 * MEBIBYTE,
};

function openSmall(subject: SandboxSubject): Promise<Bench> {
  return Bench.open(subject, { spec: () => ({ resources: SMALL }) });
}

/** What the limits of a sandbox mean. */
export const boundCases: readonly ConformanceCase<SandboxSubject>[] = [
  {
    name: "a command that takes too much memory ends for want of it, and the sandbox lives on",
    async run(subject) {
      await using bench = await openSmall(subject);
      const isCounted = bench.limits["memory"] !== "prlimit";
      const bomb = "perl -e 'push @all, \"x\" x 16777216 while 1'";
      const result = await bench.run(bomb);
      // Where nobody counts, the command is refused the memory, and it says how it takes that.
      assert.equal(result.ending, isCounted ? "out_of_memory" : "exited", JSON.stringify(result));
      if (isCounted) assert.equal(result.exitCode, null);
      else assert.notEqual(result.exitCode, 0);
      assert.equal(await bench.output("echo alive"), "alive\n");
      const later = await bench.run("exit 3");
      assert.deepEqual([later.ending, later.exitCode], ["exited", 3], "it is said of who was hit only");
    },
  },
  {
    name: "a command that starts too many processes meets a limit, and ends with all of them",
    async run(subject) {
      await using bench = await openSmall(subject);
      const bomb = "touch begun; bomb() { bomb | bomb & }; bomb 2> /dev/null; sleep 600";
      const request = bench.request("shell", { command: bomb });
      const running = bench.ask(request);
      await bench.untilFile("begun");
      await bench.clock.sleep(300);
      // Threads count too, so there are fewer processes than the limit says.
      const count = bench.rig.survivors().length;
      assert.ok(count <= SMALL.processes + 2, `${count} processes`);
      await bench.sandbox.cancel(request.execId);
      assert.equal(finished(await running).ending, "cancelled");
      assert.equal(await bench.output("echo alive"), "alive\n");
    },
  },
  {
    name: "temporary folders, shared memory and files have a size",
    async run(subject) {
      await using bench = await openSmall(subject);
      for (const folder of ["/tmp", "/dev/shm", "$HOME"]) {
        const fill = await bench.run(`dd if=/dev/zero of=${folder}/fill bs=1M count=12`);
        assert.match(fill.output, /No space left/, folder);
        assert.equal(await bench.output(`stat -c %s ${folder}/fill; rm ${folder}/fill`), `${8 * MEBIBYTE}\n`);
      }
      const large = await bench.run("dd if=/dev/zero of=large bs=1M count=20");
      assert.notEqual(large.exitCode, 0);
      assert.equal(await bench.output("stat -c %s large; rm large"), `${16 * MEBIBYTE}\n`);
      for (const place of ["/fill", "/dev/fill", "/etc/fill", "/var/fill", "/run/fill"]) {
        assert.notEqual((await bench.run(`echo x > ${place}`)).exitCode, 0, place);
      }
    },
  },
];
