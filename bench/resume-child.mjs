// A process that carries a session on, on the built package, until the model is called. Plain JavaScript, because the
// stripping of types would be measured too.
import { enableCompileCache } from "node:module";

const { cache, dist, folder, sessionId, closes } = JSON.parse(process.argv[2]);
enableCompileCache(cache);
const { createSqliteStore } = await import(`${dist}/store/sqlite.js`);
const { isOwnerDead, systemChance, systemClock, systemOwner } = await import(`${dist}/runtime/system.js`);
const { createRedactor } = await import(`${dist}/core/redact.js`);
const { LEASE_TTL_MS, wake } = await import(`${dist}/runtime/wake.js`);
const { createLoopWorker } = await import(`${dist}/worker/loop.js`);

// Not `performance`, which loads ten more modules into every process that is measured.
const startedNs = process.hrtime.bigint();
const stop = new AbortController();
const model = {
  provider: "instant",
  async *stream({ messages }) {
    const ms = Number(process.hrtime.bigint() - startedNs) / 1e6;
    process.stdout.write(`${JSON.stringify({ ms, messages: messages.length })}\n`);
    if (!closes) process.exit(0);
    stop.abort();
    await new Promise(() => undefined);
    yield undefined;
  },
};
const owner = systemOwner(systemChance.unique(12));
const probe = { isDead: (other) => isOwnerDead(other, owner) };
const store = await createSqliteStore({ folder, clock: systemClock, probe, writer: "inline" });
const tools = new Map();
const worker = createLoopWorker({ model, tools, clock: systemClock });
const harness = {
  store,
  clock: systemClock,
  owner,
  redactor: createRedactor({ secrets: ["a-secret-that-no-text-of-the-workload-holds"] }),
  tools,
  version: "0",
  leaseTtlMs: LEASE_TTL_MS,
  resolve: async () => ({ worker, backend: { kind: "none" } }),
};
await wake(harness, sessionId, { signal: stop.signal });
await store.close();
