import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { collectGarbage } from "../../../test/support/garbage.ts";
import { tryLock } from "./lock.ts";

test("a lock is held until it is closed, also by whoever keeps nothing of it", async () => {
  const folder = mkdtempSync(join(tmpdir(), "nightshift-lock-"));
  const path = join(folder, "lock");
  try {
    expect(tryLock(path) === undefined).toBe(false);
    await collectGarbage();
    expect(tryLock(path)).toBeUndefined();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
