import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { eventHash, genesisHash } from "../../src/core/chain.ts";
import {
  batchOf,
  claimed,
  createdEvent,
  creation,
  SESSION,
  textsOf,
} from "../../src/store/conformance/subject.ts";
import { openDatabase, type SqlDatabase } from "../../src/store/sqlite/database.ts";
import { HeadsFile } from "../../src/store/sqlite/heads.ts";
import { APPLICATION_ID, MIGRATIONS, migrate, schemaState } from "../../src/store/sqlite/schema.ts";
import { withMount } from "./mount.ts";
import { freshFolder, later, openStore, tamper } from "./place.ts";

async function folderWithSession(): Promise<string> {
  const folder = freshFolder();
  const store = await openStore(folder);
  await store.create(SESSION, creation());
  await store.append(await claimed(store), batchOf("a"));
  await store.close();
  return folder;
}

/** A session of one event, written as the first release did. */
function storeFirst(database: SqlDatabase): { readonly hash: string } {
  const { type, v, body, bodyHash } = createdEvent();
  const header = { session: SESSION, seq: 1, type, v, at: 100 };
  const hash = eventHash(genesisHash(SESSION), header, bodyHash);
  const bytes = Buffer.from(hash, "hex");
  database
    .prepare(`INSERT INTO sessions (key, id, seq, hash, epoch, due, created_at, updated_at)
      VALUES (1, ?, 1, ?, 0, 100, 100, 100)`)
    .run(SESSION, bytes);
  database
    .prepare(`INSERT INTO events (session, seq, v, at, hash, append_id, type, body)
      VALUES (1, 1, ?, 100, ?, 'create', ?, ?)`)
    .run(v, bytes, type, body);
  return { hash };
}

describe("the folder", () => {
  test("is made for its owner alone, with all that is missing above it", async () => {
    const folder = join(freshFolder(), "one", "two");
    await openStore(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, "..")).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(["heads", "log.db"]));
  });

  test.each([
    ["nfs", { magic: 0x6969 }],
    ["cifs", { magic: 0xff534d42 }],
    ["smb", { magic: 0xfe534d42 }],
    ["9p", { magic: 0x01021997 }],
    ["ceph", { magic: 0x00c36400 }],
    ["fuse.sshfs", { magic: 0x65735546, name: "fuse.sshfs" }],
    ["fuse.rclone", { magic: 0x65735546, name: "fuse.rclone" }],
  ])("is refused on %s, before anything is made", async (name, fileSystem) => {
    const folder = join(freshFolder(), "state");
    const opening = openStore(folder, { fileSystemOf: () => fileSystem });
    await expect(opening).rejects.toMatchObject({
      code: "E_STORE_NETWORK_FS",
      data: { fileSystem: name },
      hint: expect.stringContaining("--state"),
    });
    expect(existsSync(folder)).toBe(false);
  });

  test.each([
    ["ext4", { magic: 0xef53 }],
    ["tmpfs", { magic: 0x01021994 }],
    ["a local FUSE", { magic: 0x65735546, name: "fuse.gocryptfs" }],
    ["FUSE of an unknown kind", { magic: 0x65735546 }],
  ])("is taken on %s", async (_name, fileSystem) => {
    await openStore(freshFolder(), { fileSystemOf: () => fileSystem });
  });

  test("is refused when it cannot be written", async (context) => {
    const folder = await folderWithSession();
    if (process.getuid?.() === 0) {
      const place = withMount("ro", later);
      if (place === undefined)
        return context.skip("root may write everywhere, and mounting is not allowed here");
      const state = join(place, "state");
      await expect(openStore(state)).rejects.toMatchObject({ code: "E_STORE_READ_ONLY" });
      await expect(openStore(place)).rejects.toMatchObject({ code: "E_STORE_READ_ONLY" });
      return;
    }
    chmodSync(folder, 0o500);
    later(() => chmodSync(folder, 0o700));
    await expect(openStore(folder)).rejects.toMatchObject({ code: "E_STORE_READ_ONLY" });
  });

  test("is refused when something else than a folder is in its place", async () => {
    const path = join(freshFolder(), "file");
    writeFileSync(path, "");
    await expect(openStore(path)).rejects.toMatchObject({ code: "E_CONFIG" });
    await expect(openStore(join(path, "below"))).rejects.toMatchObject({ code: "E_CONFIG" });
  });
});

describe("the database", () => {
  test("of a newer release is refused and left as it is", async () => {
    const folder = await folderWithSession();
    tamper(folder, `PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    const before = readFileSync(join(folder, "log.db"));
    await expect(openStore(folder)).rejects.toMatchObject({
      code: "E_STORE_NEWER",
      message: expect.stringContaining(`schema version ${MIGRATIONS.length + 1}`),
    });
    expect(readFileSync(join(folder, "log.db"))).toEqual(before);
  });

  test("of another program is refused and left as it is", async () => {
    const folder = freshFolder();
    tamper(folder, "CREATE TABLE theirs (a)");
    const before = readFileSync(join(folder, "log.db"));
    await expect(openStore(folder)).rejects.toMatchObject({ code: "E_LOG_CORRUPT" });
    expect(readFileSync(join(folder, "log.db"))).toEqual(before);
  });

  test("that is no database is refused and left as it is", async () => {
    const folder = freshFolder();
    const garbage = "no database ".repeat(1000);
    writeFileSync(join(folder, "log.db"), garbage);
    await expect(openStore(folder)).rejects.toMatchObject({ code: "E_LOG_CORRUPT" });
    expect(readFileSync(join(folder, "log.db"), "utf8")).toBe(garbage);
  });

  test("that is a folder is refused", async () => {
    const folder = freshFolder();
    mkdirSync(join(folder, "log.db"));
    await expect(openStore(folder)).rejects.toMatchObject({ code: "E_STORE_IO", retryable: true });
  });

  test("whose tables were changed is refused at the first use", async () => {
    const folder = await folderWithSession();
    tamper(folder, "ALTER TABLE sessions DROP COLUMN summary");
    const store = await openStore(folder);
    await expect(store.getSession(SESSION)).rejects.toMatchObject({ code: "E_LOG_CORRUPT" });
  });

  test("whose schema is unreadable is refused", async () => {
    const folder = await folderWithSession();
    const path = join(folder, "log.db");
    const bytes = readFileSync(path);
    bytes.write("CREATE TROUBLE sessions", bytes.indexOf("CREATE TABLE sessions"));
    writeFileSync(path, bytes);
    await expect(openStore(folder)).rejects.toMatchObject({ code: "E_LOG_CORRUPT" });
  });

  test("that another process is making at the same time is made once", async () => {
    const folder = freshFolder();
    const stores = await Promise.all(Array.from({ length: 5 }, () => openStore(folder)));
    await stores[0]?.create(SESSION, creation());
    for (const store of stores) expect(await store.getSession(SESSION)).toMatchObject({ seq: 1 });
  });

  test("is not waited for without end when another process has it locked", async () => {
    const folder = await folderWithSession();
    const other = new DatabaseSync(join(folder, "log.db"));
    later(() => other.close());
    other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; UPDATE sessions SET due = due; COMMIT");
    const impatient = (path: string) => {
      const database = openDatabase(path);
      return {
        ...database,
        exec: (sql: string) => database.exec(sql.replace(/timeout = \d+/, "timeout = 1")),
      };
    };
    const opening = openStore(folder, { openDatabase: impatient });
    await expect(opening).rejects.toMatchObject({ code: "E_STORE_BUSY", retryable: true });
  });
});

describe("migrations", () => {
  const nextStep = "ALTER TABLE sessions ADD COLUMN extra TEXT; UPDATE sessions SET extra = 'x'";

  test("bring an older database up to date and keep what is in it", async () => {
    const folder = await folderWithSession();
    const path = join(folder, "log.db");
    const database = openDatabase(path);
    const steps = [...MIGRATIONS, nextStep];
    expect(schemaState(database, path, steps)).toBe("older");
    migrate(database, path, steps);
    expect(schemaState(database, path, steps)).toBe("current");
    migrate(database, path, steps);
    expect(database.prepare("SELECT id, seq, extra FROM sessions").all()).toEqual([[SESSION, 2, "x"]]);
    database.close();
    await expect(openStore(folder)).rejects.toMatchObject({ code: "E_STORE_NEWER" });
  });

  test("take a database of the first release along: its log, and days that were never counted", async () => {
    const folder = freshFolder();
    const path = join(folder, "log.db");
    const database = openDatabase(path);
    migrate(database, path, MIGRATIONS.slice(0, 1));
    expect(database.prepare("PRAGMA user_version").all()).toEqual([[1]]);
    const { hash } = storeFirst(database);
    database.close();
    const store = await openStore(folder);
    expect(await store.getSession(SESSION)).toMatchObject({ seq: 1, hash });
    expect(await store.getEvents(SESSION, { limit: 10 })).toMatchObject([{ type: "session.created" }]);
    const spent = { requests: 1, tokens: 2, costMicroUsd: 3 };
    await store.append(await claimed(store), batchOf("a", { spending: { day: 9, delta: spent } }));
    expect(await store.getDaySpending(9)).toEqual(spent);
    await store.close();
    const again = new DatabaseSync(path);
    expect(again.prepare("PRAGMA user_version").get()).toEqual({ user_version: MIGRATIONS.length });
    again.close();
  });

  test("happen whole or not at all", async () => {
    const folder = await folderWithSession();
    const path = join(folder, "log.db");
    const database = openDatabase(path);
    expect(() => migrate(database, path, [...MIGRATIONS, nextStep, "no SQL"])).toThrow("syntax error");
    expect(schemaState(database, path)).toBe("current");
    database.close();
    const store = await openStore(folder);
    expect(await textsOf(store)).toEqual(["a"]);
  });

  test("mark the database as ours", async () => {
    const folder = await folderWithSession();
    const database = new DatabaseSync(join(folder, "log.db"));
    expect(database.prepare("PRAGMA application_id").get()).toEqual({ application_id: APPLICATION_ID });
    database.close();
  });
});

describe("the heads file", () => {
  test("of a newer release is refused", async () => {
    const folder = await folderWithSession();
    const path = join(folder, "heads");
    const bytes = readFileSync(path);
    bytes.write("nightshift heads 2");
    writeFileSync(path, bytes);
    await expect(openStore(folder)).rejects.toMatchObject({ code: "E_STORE_NEWER" });
  });

  test("with a damaged title still protects", async () => {
    const folder = await folderWithSession();
    const path = join(folder, "heads");
    const bytes = readFileSync(path);
    bytes.write("garbage");
    writeFileSync(path, bytes);
    tamper(folder, "UPDATE sessions SET seq = 1");
    const store = await openStore(folder);
    await expect(store.getSession(SESSION)).rejects.toMatchObject({ code: "E_LOG_LOST" });
  });

  test("never goes back", () => {
    const heads = new HeadsFile(join(freshFolder(), "heads"));
    const head = { digest: "1".repeat(32), seq: 5, hash: "a".repeat(64), epoch: 3 };
    heads.advance(new Map([[7, head]]));
    heads.advance(new Map([[7, { ...head, seq: 4, hash: "b".repeat(64), epoch: 2 }]]));
    expect(heads.read(7)).toEqual(head);
    heads.advance(new Map([[7, { ...head, seq: 4, hash: "b".repeat(64), epoch: 9 }]]));
    expect(heads.read(7)).toEqual({ ...head, epoch: 9 });
    heads.advance(new Map([[7, { ...head, seq: 6, hash: "c".repeat(64), epoch: 1 }]]));
    expect(heads.read(7)).toEqual({ ...head, seq: 6, hash: "c".repeat(64), epoch: 9 });
    heads.close();
  });

  test("moves many at once, each by itself", () => {
    const heads = new HeadsFile(join(freshFolder(), "heads"));
    const headOf = (key: number, seq: number) => {
      return { digest: String(key).padStart(32, "0"), seq, hash: "a".repeat(64), epoch: 1 };
    };
    const keys = [1, 2, 3, 7, ...Array.from({ length: 100 }, (_, index) => 20 + index)];
    heads.advance(new Map([[2, headOf(2, 9)]]));
    heads.advance(new Map(keys.toReversed().map((key) => [key, headOf(key, 5)])));
    expect(keys.map((key) => heads.read(key))).toEqual(keys.map((key) => headOf(key, key === 2 ? 9 : 5)));
    expect([heads.read(4), heads.read(8), heads.slots]).toEqual(["empty", "empty", 120]);
    heads.close();
  });

  test("tells empty, damaged and sound slots apart, and finds a session by its digest", () => {
    const path = join(freshFolder(), "heads");
    const heads = new HeadsFile(path);
    expect(heads.holdsAny()).toBe(false);
    const head = { digest: "12".repeat(16), seq: 2 ** 40, hash: "ab".repeat(32), epoch: 1 };
    heads.advance(new Map([[3, head]]));
    expect([heads.slots, heads.read(1), heads.read(2), heads.read(3), heads.read(99)]).toEqual([
      4,
      "empty",
      "empty",
      head,
      "empty",
    ]);
    expect([heads.find(head.digest), heads.find("21".repeat(16)), heads.holdsAny()]).toEqual([
      { key: 3, head },
      undefined,
      true,
    ]);
    const bytes = readFileSync(path);
    bytes[3 * 64 + 20] = (bytes[3 * 64 + 20] ?? 0) ^ 4;
    writeFileSync(path, bytes);
    expect([heads.read(3), heads.find(head.digest), heads.holdsAny()]).toEqual(["damaged", undefined, false]);
    writeFileSync(path, bytes.subarray(0, 3 * 64 + 10));
    expect(heads.read(3)).toBe("damaged");
    heads.close();
  });
});
