import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openStore, temporaryFolder, writeSession } from "../../test/integrity/sample.ts";
import { workspacesIn } from "../../test/support/repositories.ts";
import { FILES } from "../sandbox/daemon/record.ts";
import { findLeftovers } from "./leftovers.ts";

const owner = { harness: "test", bootId: "boot", pidNamespace: "ns", pid: 1, startTime: "1" };

test("a sandbox of the referee is nobody's leftover while the session is driven", async () => {
  const stateFolder = temporaryFolder();
  const store = await openStore(stateFolder);
  const session = await writeSession(store, "leftover1", 1);
  const sandbox = join(stateFolder, "sandboxes", "process", "sbox_leftover1_rabc");
  mkdirSync(sandbox, { recursive: true });
  writeFileSync(join(sandbox, FILES.journal), "");
  const workspaces = workspacesIn(stateFolder);
  const found = async (): Promise<readonly string[]> =>
    (await findLeftovers({ store, stateFolder, workspaces })).map(({ description }) => description);
  expect(await found()).toEqual([expect.stringContaining("sbox_leftover1_rabc (unwanted)")]);
  const claim = await store.claim(session, { owner, ttlMs: 60_000, at: 1 });
  expect(claim.status).toBe("claimed");
  expect(await found()).toEqual([]);
  await store.close();
});
