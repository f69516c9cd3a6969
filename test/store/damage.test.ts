/** What reading makes of a log that somebody or something has changed. */
import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  answer,
  batchOf,
  claimed,
  creation,
  message,
  OTHER_SESSION,
  owner,
  SESSION,
  submission,
  TTL_MS,
} from "../../src/store/conformance/subject.ts";
import type { EventRange, Store } from "../../src/store/contract.ts";
import { freshFolder, openStore, tamper } from "./place.ts";

const LONG = "long ".repeat(40_000);

/** A log of seven events: created, then six that alternate, the last a long one; with a snapshot at 6. */
async function folderWithLog(): Promise<string> {
  const folder = freshFolder();
  const store = await openStore(folder);
  await store.create(SESSION, creation());
  const lease = await claimed(store);
  const events = [answer("2"), message("3"), answer("4"), message("5"), answer("6")];
  await store.append(lease, batchOf("some", { events, snapshot: { fold: "fold", body: '{"seq":6}' } }));
  await store.append(lease, batchOf("long", { events: [answer(LONG)] }));
  await store.release(lease, { seq: 7, due: null });
  await store.close();
  return folder;
}

async function damaged(sql: string): Promise<Store> {
  const folder = await folderWithLog();
  tamper(folder, sql);
  return openStore(folder);
}

const RANGES: readonly EventRange[] = [
  { limit: 100 },
  { limit: 3, after: 3 },
  { limit: 100, backwards: true },
  { limit: 100, types: ["user.message"] },
];

describe("an event is damaged", () => {
  test.each([
    ["its body", "UPDATE events SET body = replace(body, '5', '6') WHERE seq = 5", 5],
    ["its body is no JSON", "UPDATE events SET body = '{' WHERE seq = 5", 5],
    ["its time", "UPDATE events SET at = at + 1 WHERE seq = 5", 5],
    ["its version", "UPDATE events SET v = 2 WHERE seq = 5", 5],
    ["its hash", "UPDATE events SET hash = zeroblob(32) WHERE seq = 5", 5],
    ["the hash before it", "UPDATE events SET hash = zeroblob(32) WHERE seq = 4", undefined],
    ["it is another session's", "UPDATE events SET session = 9 WHERE seq = 4", 4],
    ["it is deleted", "DELETE FROM events WHERE seq = 4", 4],
  ])("%s", async (_what, sql, seq) => {
    const store = await damaged(sql);
    for (const range of RANGES) {
      await expect(store.getEvents(SESSION, range)).rejects.toMatchObject({
        code: "E_LOG_CORRUPT",
        data: { sessionId: SESSION, ...(seq !== undefined && range.limit === 100 && { seq }) },
      });
    }
    expect((await store.getEvents(SESSION, { limit: 3 })).length).toBe(3);
  });

  test("beyond the type that was asked for, which is why types are part of the hash", async () => {
    const store = await damaged("UPDATE events SET type = 'user.message' WHERE seq = 4");
    const reading = store.getEvents(SESSION, { limit: 100, types: ["user.message"] });
    await expect(reading).rejects.toMatchObject({ code: "E_LOG_CORRUPT", data: { seq: 4 } });
  });

  test("at the end, so that the head's event is gone", async () => {
    const store = await damaged("DELETE FROM events WHERE seq = 7");
    for (const range of [{ limit: 100 }, { limit: 100, backwards: true }]) {
      await expect(store.getEvents(SESSION, range)).rejects.toMatchObject({ code: "E_LOG_CORRUPT" });
    }
  });

  test("without verification it is read as it is", async () => {
    const store = await damaged("UPDATE events SET body = replace(body, '5', '6') WHERE seq = 5");
    expect(await store.getEvents(SESSION, { limit: 100, verify: false })).toHaveLength(7);
  });

  test("of a type or version that only a newer release knows", async () => {
    const store = await damaged("UPDATE events SET type = 'new.thing' WHERE seq = 4");
    const reading = store.getEvents(SESSION, { limit: 100, verify: false });
    await expect(reading).rejects.toMatchObject({
      code: "E_EVENT_NEWER",
      data: { seq: 4, type: "new.thing" },
    });
  });
});

describe("a long text is damaged", () => {
  test("missing", async () => {
    const store = await damaged("DELETE FROM blobs");
    await expect(store.getEvents(SESSION, { limit: 100 })).rejects.toMatchObject({ code: "E_BLOB_MISSING" });
    expect(await store.getEvents(SESSION, { limit: 100, hydrate: false })).toHaveLength(7);
  });

  test.each([
    ["a part is missing", "DELETE FROM blobs WHERE part = 1"],
    ["the last part is missing", "DELETE FROM blobs WHERE part = parts - 1"],
    ["a part is other bytes", "UPDATE blobs SET bytes = zeroblob(65536) WHERE part = 1"],
  ])("%s", async (_what, sql) => {
    const store = await damaged(sql);
    await expect(store.getEvents(SESSION, { limit: 100 })).rejects.toMatchObject({ code: "E_LOG_CORRUPT" });
    const hash = answer(LONG).blobs[0]?.hash ?? "";
    await expect(store.getBlob(hash)).rejects.toMatchObject({ code: "E_LOG_CORRUPT", data: { hash } });
  });
});

test.each([
  ["its body", "UPDATE snapshots SET body = '{\"seq\":5}'"],
  ["its position", "UPDATE snapshots SET seq = 5"],
  ["its event", "UPDATE events SET hash = zeroblob(32) WHERE seq = 6"],
])("a snapshot is ignored when something is wrong with %s", async (_what, sql) => {
  const store = await damaged(sql);
  expect(await store.getSnapshot(SESSION, "fold")).toBeUndefined();
});

describe("acknowledged events are lost", () => {
  const rewind = `DELETE FROM events WHERE seq = 7;
    UPDATE sessions SET seq = 6, hash = (SELECT hash FROM events WHERE seq = 6)`;

  test("whatever is asked of the session", async () => {
    const store = await damaged(rewind);
    const lease = { sessionId: SESSION, epoch: 1 };
    const calls = [
      () => store.getSession(SESSION),
      () => store.getEvents(SESSION, { limit: 1 }),
      () => store.claim(SESSION, { owner: owner(), ttlMs: TTL_MS, at: 1 }),
      () => store.submit(SESSION, submission("a")),
      () => store.append(lease, batchOf("a")),
      () => store.renew(lease, TTL_MS),
      () => store.release(lease, { seq: 6, due: null }),
      () => store.create(SESSION, creation()),
    ];
    for (const call of calls) {
      await expect(call()).rejects.toMatchObject({ code: "E_LOG_LOST", data: { seq: 6, seen: 7 } });
    }
    await expect(store.create(OTHER_SESSION, creation())).resolves.toMatchObject({ seq: 1 });
  });

  test("with the session itself, whose place is not given to another", async () => {
    const store = await damaged("DELETE FROM sessions; DELETE FROM events");
    const lost = { code: "E_LOG_LOST", data: { seq: 0, seen: 7 } };
    await expect(store.getSession(SESSION)).rejects.toMatchObject(lost);
    await expect(store.submit(SESSION, submission("a"))).rejects.toMatchObject(lost);
    await expect(store.create(SESSION, creation())).rejects.toMatchObject(lost);
    await store.create(OTHER_SESSION, creation());
    await expect(store.getSession(SESSION)).rejects.toMatchObject(lost);
    expect(await store.getSession(OTHER_SESSION)).toMatchObject({ seq: 1 });
  });

  test("with a claim only: an epoch must never be given twice", async () => {
    const store = await damaged("UPDATE sessions SET epoch = 0");
    const claim = store.claim(SESSION, { owner: owner(), ttlMs: TTL_MS, at: 1 });
    await expect(claim).rejects.toMatchObject({ code: "E_LOG_LOST", data: { epoch: 0 } });
  });

  test.each([
    ["the database is empty", (path: string) => truncateSync(path)],
    ["the database is gone", (path: string) => rmSync(path)],
  ])("with everything: %s", async (_what, lose) => {
    const folder = await folderWithLog();
    lose(join(folder, "log.db"));
    await expect(openStore(folder)).rejects.toMatchObject({ code: "E_LOG_LOST" });
    await expect(openStore(folder)).rejects.toMatchObject({ code: "E_LOG_LOST" });
  });

  test("with the database, but not the WAL, which is left alone", async () => {
    const folder = freshFolder();
    writeFileSync(join(folder, "log.db-wal"), "commits");
    await expect(openStore(folder)).rejects.toMatchObject({ code: "E_LOG_LOST" });
    expect([existsSync(join(folder, "log.db")), readFileSync(join(folder, "log.db-wal"), "utf8")]).toEqual([
      false,
      "commits",
    ]);
  });
});

describe("log and head disagree", () => {
  test.each([
    ["the head's event", "UPDATE sessions SET hash = zeroblob(32)"],
    ["the session at that place", `UPDATE sessions SET id = '${OTHER_SESSION}'`],
  ])("in %s", async (_what, sql) => {
    const store = await damaged(sql);
    const sessions = await store.listSessions({ limit: 1 });
    const id = sessions[0]?.sessionId ?? SESSION;
    await expect(store.getSession(id)).rejects.toMatchObject({ code: "E_LOG_CORRUPT" });
    await expect(store.submit(id, submission("a"))).rejects.toMatchObject({ code: "E_LOG_CORRUPT" });
  });

  test("in an older event, because a head may lag behind", async () => {
    const folder = await folderWithLog();
    const heads = readFileSync(join(folder, "heads"));
    const store = await openStore(folder);
    await store.submit(SESSION, submission("later"));
    await store.close();
    writeFileSync(join(folder, "heads"), heads);
    expect(await (await openStore(folder)).getSession(SESSION)).toMatchObject({ seq: 8 });
    tamper(folder, "UPDATE events SET hash = zeroblob(32) WHERE seq = 7");
    const reading = (await openStore(folder)).getSession(SESSION);
    await expect(reading).rejects.toMatchObject({ code: "E_LOG_CORRUPT", data: { seq: 7 } });
  });

  test("but a damaged or missing slot stops nobody", async () => {
    const folder = await folderWithLog();
    const path = join(folder, "heads");
    const bytes = readFileSync(path);
    bytes[70] = (bytes[70] ?? 0) ^ 1;
    for (const heads of [bytes, bytes.subarray(0, 64), bytes.subarray(0, 0)]) {
      writeFileSync(path, heads);
      const store = await openStore(folder);
      expect(await store.getSession(SESSION)).toMatchObject({ seq: 7 });
      await store.close();
    }
  });
});
