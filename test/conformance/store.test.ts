import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "vitest";
import {
  createStoreSubject,
  type StoreSubject,
  type StoreSurroundings,
  storeConformance,
} from "../../src/store/conformance.ts";
import type { Store } from "../../src/store/contract.ts";
import { createMemoryData, createMemoryStore } from "../../src/store/memory.ts";
import { createSqliteStore } from "../../src/store/sqlite.ts";
import { openHandingOver } from "../store/handing-over.ts";

interface Backend {
  readonly name: string;
  createSubject(): StoreSubject;
}

const memory: Backend = {
  name: "memory",
  createSubject() {
    const data = createMemoryData();
    return createStoreSubject(async (surroundings) => createMemoryStore({ ...surroundings, data }));
  },
};

function sqlite(
  name: string,
  open: (surroundings: StoreSurroundings, folder: string) => Promise<Store>,
): Backend {
  return {
    name: `sqlite (${name})`,
    createSubject() {
      const folder = mkdtempSync(join(tmpdir(), "nightshift-store-"));
      const subject = createStoreSubject((surroundings) => open(surroundings, folder));
      const dispose = async () => {
        await subject.dispose();
        rmSync(folder, { recursive: true, force: true });
      };
      return { ...subject, dispose };
    },
  };
}

const backends = [
  memory,
  sqlite("inline", (surroundings, folder) =>
    createSqliteStore({ ...surroundings, folder, writer: "inline" }),
  ),
  sqlite("thread", (surroundings, folder) =>
    createSqliteStore({ ...surroundings, folder, writer: "thread" }),
  ),
  sqlite("thread, all handed over", (surroundings, folder) => openHandingOver({ ...surroundings, folder })),
];

describe.each(backends)("store: $name", ({ createSubject }) => {
  test.each(storeConformance)("$name", async ({ run }) => {
    const subject = createSubject();
    try {
      await run(subject);
    } finally {
      await subject.dispose();
    }
  });
});
