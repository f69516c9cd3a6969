/**
 * A harness process for the kill suite: wakes one session until it rests, and tells on stdout what it has been
 * promised. A line `ack <first> <last>` is printed only after the store has answered.
 * Usage: child.ts <state folder> <session id> <workspace> <turns> [<lease in ms>]
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { asSessionId } from "../../../src/core/ids.ts";
import { NO_REDACTION } from "../../../src/core/seal.ts";
import { isOwnerDead, systemChance, systemClock, systemOwner } from "../../../src/runtime/system.ts";
import { wake } from "../../../src/runtime/wake.ts";
import { createProcessBackend } from "../../../src/sandbox/process.ts";
import type { Store } from "../../../src/store/contract.ts";
import { createSqliteStore } from "../../../src/store/sqlite.ts";
import { builtinTools } from "../../../src/tool/builtin.ts";
import { createLoopWorker } from "../../../src/worker/loop.ts";
import { createCounterModel } from "./workload.ts";

const [folder = "", session = "", , turns = "10", leaseMs = "10000"] = process.argv.slice(2);

/** Tells after each answer of the store; the rest of the store is the real one. */
function telling(store: Store): Store {
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (name !== "append") return value.bind(target);
      const append: Store["append"] = async (lease, batch) => {
        const result = await target.append(lease, batch);
        if (result.status === "appended") say(`ack ${result.firstSeq} ${result.seq}`);
        return result;
      };
      return append;
    },
  });
}

/** Synchronous, so that a line that was printed has left this process. */
function say(line: string): void {
  writeSync(1, `${line}\n`);
}

const owner = systemOwner(`kill-${systemChance.unique(8)}`);
const store = telling(
  await createSqliteStore({
    folder,
    clock: systemClock,
    probe: { isDead: (other) => isOwnerDead(other, owner) },
    writer: "inline",
  }),
);
const tools = new Map(builtinTools().map((tool) => [tool.name, tool]));
const backend = createProcessBackend({ folder: join(folder, "sandboxes") });
const worker = createLoopWorker({ model: createCounterModel(Number(turns)), tools, clock: systemClock });
const harness = {
  store,
  clock: systemClock,
  owner,
  redactor: NO_REDACTION,
  tools,
  version: "kill",
  leaseTtlMs: Number(leaseMs),
  resolve: async () => ({ worker, backend }),
};

const result = await wake(harness, asSessionId(session));
if (result.status === "left") say(`rest ${result.state.stopReason?.type ?? ""}`);
else say(result.status);
await store.close();
