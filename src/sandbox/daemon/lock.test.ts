import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { tryLock } from "./lock.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test("a lock is held until it is closed, also by whoever keeps nothing of it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nightshift-lock-"));
  const path = join(folder, "lock");
  try {
    expect(tryLock(path) === undefined).toBe(false);
    // Finalizers run in turns of their own.
    for (let turn = 0; turn < 3; turn++) {
      collectGarbage();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(tryLock(path)).toBeUndefined();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
