// An engine over a store of parked sessions: what it needs of memory, and what a look at them costs.
import type { SessionId } from "../src/core/ids.ts";
import { runEngine } from "../src/runtime/engine.ts";
import { systemClock } from "../src/runtime/system.ts";
import { InstantModel } from "./instant.ts";
import { createHarness } from "./loop.ts";
import type { ParkedAnswer, ParkedChild } from "./parked.ts";
import { answer, childArgument } from "./processes.ts";
import { median } from "./statistics.ts";
import { openStore } from "./store.ts";
import { Workload } from "./workload.ts";

const MB = 2 ** 20;
const { folder, scans, watchMs } = childArgument<ParkedChild>();
const workload = new Workload();
const woken: SessionId[] = [];

const before = memory();
const store = await openStore(folder, "thread");
const stop = new AbortController();
const harness = createHarness(store, workload, new InstantModel(workload, () => undefined));
const options = { concurrency: 64, onWoken: (sessionId: SessionId) => woken.push(sessionId) };
const engine = runEngine(harness, options, stop.signal);
const times: number[] = [];
for (let index = 0; index < scans; index++) {
  const startedMs = performance.now();
  await store.listDue({ now: systemClock.wallMs(), limit: 256 });
  times.push(performance.now() - startedMs);
}
const cpu = process.cpuUsage();
await systemClock.sleep(watchMs);
const { user, system } = process.cpuUsage(cpu);
const after = memory();
stop.abort();
await engine;
await store.close();
if (woken.length > 0) throw new Error(`${woken.length} sessions were woken, and none was due`);
answer({
  scanMs: median(times),
  heapMb: after.heap - before.heap,
  rssMb: after.rss - before.rss,
  cpuMsPerSecond: (user + system) / watchMs,
} satisfies ParkedAnswer);

function memory(): { readonly heap: number; readonly rss: number } {
  for (let index = 0; index < 3; index++) globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: (heapUsed + external) / MB, rss: rss / MB };
}
