// Taking more than there is for one: bounded, so that the machine survives where nothing holds.
import type { Attempt } from "./attempt.ts";

const MEBIBYTE = 1024 * 1024;
/** Well above the limit of a hundred. */
const PROCESSES = 300;

/** Attempts to starve the machine. */
export const abuses: readonly Attempt[] = [
  {
    name: `starts ${PROCESSES} processes`,
    async run(world) {
      const bomb = `for i in $(seq ${PROCESSES}); do sleep 60 & done 2> /dev/null; touch done; jobs -pr | wc -l`;
      const { output } = await world.run(`(${bomb}) 2> /dev/null; true`, 15_000);
      const started = Number(/^(\d+)$/m.exec(output)?.[1] ?? 0);
      return started >= PROCESSES;
    },
  },
  {
    name: "takes more memory than it may have",
    run: (world) => world.succeeds(`perl -e '$x = "x" x ${1000 * MEBIBYTE}; exit(length($x) > 0 ? 0 : 1)'`),
  },
  {
    name: "fills the folder for temporary files",
    run: (world) =>
      world.succeeds('f="/tmp/fill.$$"; dd if=/dev/zero of="$f" bs=1M count=12; s=$?; rm -f "$f"; exit $s'),
  },
  {
    name: "writes a file that is larger than it may be",
    run: (world) => world.succeeds("dd if=/dev/zero of=large bs=1M count=24"),
  },
  {
    name: "leaves a process behind that emptied its environment, lost its parent and left its session",
    async run(world) {
      const stray = "setsid -f env -i /bin/sh -c 'while :; do echo >> beats; /bin/sleep 0.05; done'";
      const request = world.bench.request("shell", {
        command: `${stray} > /dev/null 2>&1; touch begun; sleep 60`,
      });
      const running = world.bench.ask(request);
      await world.bench.untilSucceeds("test -f begun -a -s beats");
      await world.bench.sandbox.cancel(request.execId);
      await running;
      const before = await world.bench.count("beats");
      await world.bench.clock.sleep(300);
      return (await world.bench.count("beats")) > before;
    },
  },
];
