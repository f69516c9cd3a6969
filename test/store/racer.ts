/**
 * A process of its own on a state folder. Arguments: folder, session, name, writer, number of batches. Says "ready" once the
 * store is open, starts at the first line of input, and says each text once it is acknowledged.
 */
import { createInterface } from "node:readline";
import { asSessionId } from "../../src/core/ids.ts";
import { batchOf, claimed, creation, owner, submission } from "../../src/store/conformance/subject.ts";
import { createSqliteStore } from "../../src/store/sqlite.ts";

const [folder = "", session = "", name = "", writer = "inline", batches = "0"] = process.argv.slice(2);
const sessionId = asSessionId(session);
const store = await createSqliteStore({
  folder,
  clock: { monotonicMs: () => performance.now() },
  probe: { isDead: () => true },
  writer: writer === "thread" ? "thread" : "inline",
});
process.stdout.write("ready\n");
const lines = createInterface({ input: process.stdin });
await new Promise((resolve) => lines.once("line", resolve));
lines.close();
process.stdin.unref();

await store.create(sessionId, creation()).catch(() => undefined);
const { epoch = 0 } = (await store.getSession(sessionId)) ?? {};
let lease = epoch === 0 ? await claimed(store, owner(), sessionId) : { sessionId, epoch };
for (let number = 0; number < Number(batches); number++) {
  const text = `${name}/${number}`;
  if (number % 3 === 0) await store.submit(sessionId, submission(text));
  else {
    const result = await store.append(lease, batchOf(text));
    if (result.status === "fenced") lease = { sessionId, epoch: result.epoch };
    if (result.status !== "appended") continue;
  }
  process.stdout.write(`${text}\n`);
}
await store.close();
