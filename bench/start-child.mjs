// A whole process, from its start to the model call of a session, on the built package. Plain JavaScript, because
// the stripping of types would be measured too.
import { enableCompileCache } from "node:module";

const { cache, dist, folder, sessionId } = JSON.parse(process.argv[2]);
enableCompileCache(cache);
const { createSqliteStore } = await import(`${dist}/store/sqlite.js`);
const { isOwnerDead, systemChance, systemClock, systemOwner } = await import(`${dist}/runtime/system.js`);
const { createRedactor } = await import(`${dist}/core/redact.js`);
const { LEASE_TTL_MS, wake } = await import(`${dist}/runtime/wake.js`);
const { createLoopWorker } = await import(`${dist}/worker/loop.js`);

const model = {
  provider: "instant",
  stream: ({ messages }) => {
    process.stdout.write(`${JSON.stringify({ messages: messages.length })}\n`);
    process.exit(0);
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
await wake(harness, sessionId);
