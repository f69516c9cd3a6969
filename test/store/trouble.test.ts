/** Disks that fail: what a caller is told, and what is in the log afterwards. */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import {
  answer,
  batchOf,
  claimed,
  creation,
  headOf,
  OTHER_SESSION,
  owner,
  SESSION,
  submission,
  TTL_MS,
  textsOf,
} from "../../src/store/conformance/subject.ts";
import type { Lease, Store } from "../../src/store/contract.ts";
import { type OpenDatabase, openDatabase, type SqlDatabase } from "../../src/store/sqlite/database.ts";
import { withMount } from "./mount.ts";
import { freshFolder, later, openStore } from "./place.ts";

const IOERR = 10;
const FULL = 13;

function sqliteError(errcode: number): Error {
  return Object.assign(new Error(`result code ${errcode}`), { code: "ERR_SQLITE_ERROR", errcode });
}

/** What happens to the coming commits, one entry each; none left means that all is well. */
type Trouble = "lost before" | "lost after" | "full" | "sync fails";

class TroubledDisk {
  readonly troubles: Trouble[] = [];
  opened = 0;
  syncs = 0;
  readonly #settings: string;

  constructor(settings = "") {
    this.#settings = settings;
  }

  readonly open: OpenDatabase = (path, walBytes) => {
    this.opened += 1;
    const database = openDatabase(path, walBytes);
    if (this.#settings !== "") database.exec(this.#settings);
    return { ...database, prepare: (sql) => this.#prepare(database, sql), sync: () => this.#sync(database) };
  };

  #prepare(database: SqlDatabase, sql: string) {
    const statement = database.prepare(sql);
    if (sql !== "COMMIT") return statement;
    return { all: statement.all, get: statement.get, run: () => this.#commit(() => statement.run()) };
  }

  #commit(commit: () => void): void {
    const [trouble] = this.troubles;
    if (trouble !== "sync fails") this.troubles.shift();
    if (trouble === "lost before") throw sqliteError(IOERR);
    if (trouble === "full") throw sqliteError(FULL);
    commit();
    if (trouble === "lost after") throw sqliteError(IOERR);
  }

  #sync(database: SqlDatabase): void {
    this.syncs += 1;
    if (this.troubles[0] === "sync fails") {
      this.troubles.shift();
      throw Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO", errno: -5 });
    }
    database.sync();
  }
}

interface Place {
  readonly store: Store;
  readonly disk: TroubledDisk;
  readonly lease: Lease;
}

async function place(settings?: string): Promise<Place> {
  const disk = new TroubledDisk(settings);
  const store = await openStore(freshFolder(), { openDatabase: disk.open });
  await store.create(SESSION, creation());
  return { store, disk, lease: await claimed(store) };
}

describe.each(["lost before", "lost after", "sync fails"] as const)(
  "one commit is in doubt: %s",
  (trouble) => {
    test("an append is resolved by its id, on a new handle", async () => {
      const { store, disk, lease } = await place();
      const { opened } = disk;
      disk.troubles.push(trouble);
      expect(await store.append(lease, batchOf("a", { expectedSeq: 1 }))).toMatchObject({
        status: "appended",
        seq: 2,
      });
      expect(disk.opened).toBe(opened + 1);
      expect(await textsOf(store)).toEqual(["a"]);
      expect(await store.append(lease, batchOf("b", { expectedSeq: 2 }))).toMatchObject({
        status: "appended",
        seq: 3,
      });
    });

    test("so are create and submit", async () => {
      const { store, disk } = await place();
      disk.troubles.push(trouble);
      expect(await store.create(OTHER_SESSION, creation())).toMatchObject({ firstSeq: 1, seq: 1 });
      disk.troubles.push(trouble);
      expect(await store.submit(SESSION, submission("a"))).toMatchObject({ seq: 2 });
      expect(await textsOf(store)).toEqual(["a"]);
    });

    test("a claim is resolved by epoch and owner", async () => {
      const { store, disk, lease } = await place();
      await store.release(lease, { seq: 1, due: null });
      disk.troubles.push(trouble);
      const claim = await store.claim(SESSION, { owner: owner(2), ttlMs: TTL_MS, at: 1 });
      expect(claim).toMatchObject({ status: "claimed", lease: { epoch: 2 }, record: { owner: owner(2) } });
    });

    test("renewing and releasing are resolved too", async () => {
      const { store, disk, lease } = await place();
      disk.troubles.push(trouble);
      expect(await store.renew(lease, TTL_MS)).toEqual({ status: "renewed" });
      disk.troubles.push(trouble);
      expect(await store.release(lease, { seq: 1, due: 5 })).toEqual({ status: "released" });
      expect(await store.getSession(SESSION)).toMatchObject({ owner: null, due: 5, epoch: 1 });
    });

    test("a call that stays in doubt rejects as retryable, and the retry resolves it", async () => {
      const { store, disk, lease } = await place();
      disk.troubles.push(trouble, trouble);
      const batch = batchOf("a", { expectedSeq: 1 });
      await expect(store.append(lease, batch)).rejects.toMatchObject({ code: "E_STORE_IO", retryable: true });
      expect(await store.append(lease, batch)).toMatchObject({ status: "appended", seq: 2 });
      expect(await textsOf(store)).toEqual(["a"]);
    });
  },
);

describe("a full disk", () => {
  test("rejects as retryable and leaves the log as it was", async () => {
    const { store, disk, lease } = await place();
    disk.troubles.push("full");
    const batch = batchOf("a", { expectedSeq: 1 });
    await expect(store.append(lease, batch)).rejects.toMatchObject({ code: "E_STORE_FULL", retryable: true });
    expect([await headOf(store), await textsOf(store)]).toEqual([1, []]);
    expect(await store.append(lease, batch)).toMatchObject({ status: "appended", repeated: false });
  });

  test("that SQLite itself reports, in the middle of a batch", async () => {
    const { store, lease } = await place("PRAGMA max_page_count = 100");
    const large = batchOf("large", { events: [answer("fits"), answer("x".repeat(300_000))] });
    await expect(store.append(lease, large)).rejects.toMatchObject({ code: "E_STORE_FULL", retryable: true });
    expect([await headOf(store), await textsOf(store)]).toEqual([1, []]);
    expect(await store.append(lease, batchOf("small"))).toMatchObject({ status: "appended", seq: 2 });
  });

  test.for(["inline", "thread"] as const)("that is really full (%s)", async (writer, { skip }) => {
    const mount = withMount("size=1m", later);
    if (mount === undefined) return skip("mounting a small file system is not allowed here");
    const store = await openStore(mount, { writer });
    await store.create(SESSION, creation());
    const lease = await claimed(store);
    const ballast = join(mount, "ballast");
    writeFileSync(ballast, "x".repeat(200_000));
    const stored: string[] = [];
    const fill = async (): Promise<unknown> => {
      for (let number = 0; number < 1000; number++) {
        const text = `${number} ${"y".repeat(5000)}`;
        const failure = await store.append(lease, batchOf(`${number}`, { events: [answer(text)] })).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failure !== undefined) return failure;
        stored.push(text);
      }
      return undefined;
    };
    expect(await fill()).toMatchObject({ code: "E_STORE_FULL", retryable: true });
    expect(stored.length).toBeGreaterThan(3);
    expect(await textsOf(store)).toEqual(stored);
    rmSync(ballast);
    expect(await store.append(lease, batchOf("after"))).toMatchObject({ status: "appended" });
    await store.close();
    expect(await textsOf(await openStore(mount))).toEqual([...stored, "after"]);
  });
});

describe("locks of other processes", () => {
  const impatient: OpenDatabase = (path, walBytes) => {
    const database = openDatabase(path, walBytes);
    return { ...database, exec: (sql) => database.exec(sql.replace(/timeout = \d+/, "timeout = 1")) };
  };

  async function lockedPlace() {
    const folder = freshFolder();
    const store = await openStore(folder, { openDatabase: impatient });
    await store.create(SESSION, creation());
    const other = new DatabaseSync(join(folder, "log.db"));
    later(() => other.close());
    other.exec("BEGIN IMMEDIATE");
    return { store, other };
  }

  test("are waited for", async () => {
    const { store, other } = await lockedPlace();
    const submitting = store.submit(SESSION, submission("a"));
    await new Promise((resolve) => setImmediate(resolve));
    other.exec("ROLLBACK");
    expect(await submitting).toMatchObject({ seq: 2 });
  });

  test("are not waited for without end, and do not keep readers out", async () => {
    const { store, other } = await lockedPlace();
    await expect(store.submit(SESSION, submission("a"))).rejects.toMatchObject({
      code: "E_STORE_BUSY",
      retryable: true,
    });
    expect(await headOf(store)).toBe(1);
    other.exec("ROLLBACK");
    expect(await store.submit(SESSION, submission("a"))).toMatchObject({ seq: 2 });
  });
});

test("each write is synced once, before its answer; what writes nothing is not", async () => {
  const { store, disk, lease } = await place();
  const before = disk.syncs;
  await store.append(lease, batchOf("a", { expectedSeq: 1, events: [answer("a"), answer("b")] }));
  await store.append(lease, batchOf("c"));
  expect(disk.syncs - before).toBe(2);
  expect(await store.append(lease, batchOf("d", { expectedSeq: 1 }))).toMatchObject({ status: "conflict" });
  expect(await store.release(lease, { seq: 1, due: null })).toMatchObject({ status: "moved" });
  await expect(store.submit(OTHER_SESSION, submission("a"))).rejects.toMatchObject({
    code: "E_SESSION_UNKNOWN",
  });
  expect(disk.syncs - before).toBe(2);
  await store.append(lease, batchOf("a", { expectedSeq: 1, events: [answer("a"), answer("b")] }));
  expect(disk.syncs - before, "an answer about an earlier commit").toBe(3);
});

test("a folder that goes away is an error of the disk, not an end without a word", async () => {
  const folder = join(freshFolder(), "state");
  const disk = new TroubledDisk();
  const store = await openStore(folder, { openDatabase: disk.open });
  await store.create(SESSION, creation());
  rmSync(folder, { recursive: true });
  disk.troubles.push("lost before");
  await expect(store.submit(SESSION, submission("a"))).rejects.toMatchObject({ code: "E_STORE_IO" });
  expect(existsSync(folder)).toBe(false);
});
