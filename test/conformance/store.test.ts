import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "vitest";
import { createStoreSubject, type StoreSubject, storeConformance } from "../../src/store/conformance.ts";
import { createMemoryData, createMemoryStore } from "../../src/store/memory.ts";
import { createSqliteStore } from "../../src/store/sqlite.ts";

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

function sqlite(writer: "inline" | "thread"): Backend {
  return {
    name: `sqlite (${writer})`,
    createSubject() {
      const folder = mkdtempSync(join(tmpdir(), "nightshift-store-"));
      const subject = createStoreSubject((surroundings) =>
        createSqliteStore({ ...surroundings, folder, writer }),
      );
      const dispose = async () => {
        await subject.dispose();
        rmSync(folder, { recursive: true, force: true });
      };
      return { ...subject, dispose };
    },
  };
}

describe.each([memory, sqlite("inline"), sqlite("thread")])("store: $name", ({ createSubject }) => {
  test.each(storeConformance)("$name", async ({ run }) => {
    const subject = createSubject();
    try {
      await run(subject);
    } finally {
      await subject.dispose();
    }
  });
});
