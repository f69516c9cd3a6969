import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, test } from "vitest";
import { bodyHash, eventHash } from "../../src/core/chain.ts";
import { type SessionId, sessionId } from "../../src/core/ids.ts";
import type { Store } from "../../src/store/contract.ts";
import { createSqliteIntegrity } from "../../src/store/sqlite/integrity.ts";
import {
  contents,
  crashCopy,
  DATABASE,
  HEADS,
  openStore,
  readLog,
  tamper,
  tamperIndex,
  temporaryFolder,
  WAL,
  writeSession,
} from "./sample.ts";
import { AT } from "./sample-events.ts";

let folder: string;
let id: SessionId;
let other: SessionId;
let events: number;

beforeEach(async () => {
  folder = temporaryFolder();
  const store = await openStore(folder);
  id = await writeSession(store, "firstsession", 6);
  other = await writeSession(store, "othersession", 3);
  events = (await readLog(store, id)).length;
  await store.close();
});

async function check(options: Parameters<ReturnType<typeof createSqliteIntegrity>["check"]>[0] = {}) {
  return createSqliteIntegrity(folder).check(options);
}

async function checkOf(session: SessionId) {
  const { sessions } = await check();
  return sessions.find((each) => each.sessionId === session);
}

describe("a sound log", () => {
  test("has nothing to complain about", async () => {
    const report = await check();
    expect(report.problems).toEqual([]);
    expect(report.unchecked).toEqual([]);
    expect(report.sessions.map(({ sessionId, problems }) => [sessionId, problems])).toEqual([
      [id, []],
      [other, []],
    ]);
    expect(report.sessions[0]).toMatchObject({ events, validSeq: events });
    expect(report.sessions[0]?.head.seq).toBe(events);
  });

  test("leaves no trace: not a byte, not a file", async () => {
    const before = contents(folder);
    const names = readdirSync(folder);
    await check();
    expect(contents(folder)).toEqual(before);
    expect(readdirSync(folder)).toEqual(names);
  });

  test("also in the middle of a run, with commits in the WAL only", async () => {
    const store = await openStore(folder);
    const third = await writeSession(store, "thirdsession", 2);
    const before = contents(folder);
    expect(await checkOf(third)).toMatchObject({ problems: [] });
    expect(contents(folder)).toEqual(before);
    await store.close();
  });

  test("also while others write without a pause", async () => {
    const store = await openStore(folder);
    let isOver = false;
    const writing = (async () => {
      for (let round = 0; !isOver; round++) await writeSession(store, `busysession${round}`, 3);
    })();
    for (let round = 0; round < 5; round++) {
      const report = await check();
      expect(report.problems).toEqual([]);
      expect(report.sessions.flatMap((each) => each.problems)).toEqual([]);
    }
    isOver = true;
    await writing;
    await store.close();
  });

  test("one session alone can be checked; an unknown one is E_SESSION_UNKNOWN", async () => {
    expect((await check({ sessionId: other })).sessions.map((each) => each.sessionId)).toEqual([other]);
    await expect(check({ sessionId: sessionId("neverexisted") })).rejects.toMatchObject({
      code: "E_SESSION_UNKNOWN",
    });
  });

  test("a folder without a store is no error", async () => {
    folder = temporaryFolder();
    expect(await check()).toMatchObject({ sessions: [], problems: [] });
    folder = join(folder, "missing");
    expect(await check()).toMatchObject({ sessions: [], problems: [] });
  });
});

describe("the first bad event is named", () => {
  const key = 1;

  test.each([
    [
      "a changed body",
      "UPDATE events SET body = replace(body, 'request', 'tseuqer') WHERE session = ? AND seq = 7",
      7,
    ],
    ["a changed type", "UPDATE events SET type = 'user.interrupt' WHERE session = ? AND seq = 5", 5],
    ["a changed time", "UPDATE events SET at = at + 1 WHERE session = ? AND seq = 9", 9],
    ["a changed hash", "UPDATE events SET hash = zeroblob(32) WHERE session = ? AND seq = 4", 4],
    ["a deleted event", "DELETE FROM events WHERE session = ? AND seq = 6", 6],
    ["a deleted first event", "DELETE FROM events WHERE session = ? AND seq = 1", 1],
    ["a body that is no JSON", "UPDATE events SET body = 'x' WHERE session = ? AND seq = 8", 8],
  ])("%s", async (_what, sql, seq) => {
    tamper(folder, sql, key);
    const found = await checkOf(id);
    expect(found?.validSeq).toBe(seq - 1);
    expect(found?.problems[0]).toMatchObject({ code: "E_LOG_CORRUPT", seq });
    expect((await checkOf(other))?.problems).toEqual([]);
  });

  test("the last event deleted", async () => {
    tamper(folder, "DELETE FROM events WHERE session = ? AND seq = ?", key, events);
    expect(await checkOf(id)).toMatchObject({ validSeq: events - 1, events: events - 1 });
    expect((await checkOf(id))?.problems[0]).toMatchObject({ code: "E_LOG_CORRUPT", seq: events });
  });

  test("a missing long text, and a damaged one", async () => {
    const { seq } = await eventWithBlob();
    tamper(folder, "UPDATE blobs SET bytes = zeroblob(length(bytes))");
    expect((await checkOf(id))?.problems[0]).toMatchObject({ code: "E_LOG_CORRUPT", seq });
    tamper(folder, "DELETE FROM blobs");
    expect((await checkOf(id))?.problems[0]).toMatchObject({ code: "E_BLOB_MISSING", seq });
    expect((await checkOf(id))?.validSeq).toBe(seq - 1);
  });

  test("an event of a newer release", async () => {
    rewriteLast("agent.telepathy", 1, "{}");
    expect((await checkOf(id))?.problems).toEqual([
      expect.objectContaining({ code: "E_EVENT_NEWER", seq: events }),
    ]);
  });

  test("an event that does not fit its schema, though its hash is right", async () => {
    rewriteLast("harness.woke", 1, '{"epoch":"one"}');
    const [problem] = (await checkOf(id))?.problems ?? [];
    expect(problem).toMatchObject({ code: "E_LOG_CORRUPT", seq: events });
    expect(problem?.message).toContain("body.epoch");
  });

  async function eventWithBlob(): Promise<{ readonly seq: number }> {
    const store: Store = await openStore(folder);
    const log = await store.getEvents(id, { limit: 1000, hydrate: false });
    await store.close();
    const found = log.find((each) => JSON.stringify(each.body).includes("$blob"));
    return found ?? expect.fail("no event of the sample has a long text");
  }

  /** Replaces the last event, chained as it should be; what a newer or a buggy release could have written. */
  function rewriteLast(type: string, v: number, body: string): void {
    const previous = hashOf(events - 1);
    const hash = eventHash(previous, { session: id, seq: events, type, v, at: AT }, bodyHash(body));
    const bytes = Buffer.from(hash, "hex");
    tamper(
      folder,
      "UPDATE events SET type = ?, v = ?, body = ?, hash = ? WHERE session = 1 AND seq = ?",
      type,
      v,
      body,
      bytes,
      events,
    );
    tamper(folder, "UPDATE sessions SET hash = ? WHERE key = 1", bytes);
    rmSync(join(folder, HEADS));
  }

  function hashOf(seq: number): string {
    return hashes(folder).get(seq) ?? "";
  }
});

describe("heads", () => {
  test("a log that is behind its head is E_LOG_LOST", async () => {
    tamper(folder, "DELETE FROM events WHERE session = 1 AND seq > 8");
    const hash = Buffer.from(hashes(folder).get(8) ?? "", "hex");
    tamper(folder, "UPDATE sessions SET seq = 8, hash = ? WHERE key = 1", hash);
    expect(await checkOf(id)).toMatchObject({ validSeq: 8, head: { seq: 8 } });
    expect((await checkOf(id))?.problems).toEqual([expect.objectContaining({ code: "E_LOG_LOST", seq: 9 })]);
  });

  test("a session that only its head remembers is E_LOG_LOST", async () => {
    tamper(folder, "DELETE FROM events WHERE session = 2");
    tamper(folder, "DELETE FROM sessions WHERE key = 2");
    expect((await check()).problems).toEqual([expect.objectContaining({ code: "E_LOG_LOST" })]);
    expect((await check({ sessionId: other })).sessions).toEqual([
      expect.objectContaining({
        validSeq: 0,
        problems: [expect.objectContaining({ code: "E_LOG_LOST", seq: 1 })],
      }),
    ]);
  });

  test("without a heads file the log is sound, and the lesser certainty is told", async () => {
    rmSync(join(folder, HEADS));
    const report = await check();
    expect(report.problems).toEqual([]);
    expect(report.sessions.flatMap((each) => each.problems)).toEqual([]);
    expect(report.unchecked[0]).toContain("no heads file");
    expect(readdirSync(folder)).not.toContain(HEADS);
  });

  test("a damaged slot and a damaged title are told", async () => {
    const path = join(folder, HEADS);
    const bytes = Buffer.from(contents(folder, [HEADS])[0] ?? "", "latin1");
    bytes[64 + 20] = (bytes[64 + 20] ?? 0) ^ 1;
    bytes[30] = 0;
    writeFileSync(path, bytes);
    const messages = (await check()).problems.map((problem) => problem.message);
    expect(messages).toEqual([expect.stringContaining("title"), expect.stringContaining("slot 1")]);
  });

  test("a head that was kept elsewhere shows a forged log", async () => {
    const head = (await checkOf(id))?.head ?? expect.fail("no head");
    expect((await check({ sessionId: id, expectedHead: head })).sessions[0]?.problems).toEqual([]);
    const earlier = { seq: 5, hash: hashes(folder).get(5) ?? "" };
    expect((await check({ sessionId: id, expectedHead: earlier })).sessions[0]?.problems).toEqual([]);
    const forged = { seq: 5, hash: "0".repeat(64) };
    expect((await check({ sessionId: id, expectedHead: forged })).sessions[0]?.problems).toEqual([
      expect.objectContaining({ code: "E_LOG_CORRUPT", seq: 5 }),
    ]);
    const ahead = { seq: events + 3, hash: "0".repeat(64) };
    expect((await check({ sessionId: id, expectedHead: ahead })).sessions[0]?.problems).toEqual([
      expect.objectContaining({ code: "E_LOG_LOST", seq: events + 1 }),
    ]);
  });
});

describe("files", () => {
  test("the database gone, heads still there: E_LOG_LOST, for the store too", async () => {
    rmSync(join(folder, DATABASE));
    expect((await check()).problems[0]).toMatchObject({ code: "E_LOG_LOST" });
    await expect(openStore(folder)).rejects.toMatchObject({ code: "E_LOG_LOST" });
  });

  test("a database that is none is told, not thrown", async () => {
    writeFileSync(join(folder, DATABASE), "not a database".repeat(1000));
    expect((await check()).problems[0]).toMatchObject({ code: "E_LOG_CORRUPT" });
  });

  test("a database of a newer release is refused", async () => {
    tamper(folder, "PRAGMA user_version = 999");
    await expect(check()).rejects.toMatchObject({ code: "E_STORE_NEWER" });
  });

  test("an index that lost an entry hides no event", async () => {
    tamperIndex(folder);
    const report = await check();
    expect(report.problems[0]?.message).toContain("structure is damaged");
    expect(await checkOf(id)).toMatchObject({ problems: [], validSeq: events });
  });

  test("the WAL gone: commits that only it held are E_LOG_LOST", async () => {
    const store = await openStore(folder);
    const third = await writeSession(store, "thirdsession", 4);
    const copy = crashCopy(folder);
    await store.close();
    rmSync(join(copy, WAL));
    folder = copy;
    const report = await check({ sessionId: third });
    expect([...report.problems, ...report.sessions.flatMap((each) => each.problems)]).toContainEqual(
      expect.objectContaining({ code: "E_LOG_LOST" }),
    );
  });
});

/** Hashes of the first session's events by position. */
function hashes(of: string): Map<number, string> {
  const database = new DatabaseSync(join(of, DATABASE));
  try {
    const rows = database.prepare("SELECT seq, hex(hash) AS hash FROM events WHERE session = 1").all();
    return new Map(rows.map(({ seq, hash }) => [Number(seq), String(hash).toLowerCase()]));
  } finally {
    database.close();
  }
}
