import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { SessionEvent } from "../../src/core/events/index.ts";
import { type SessionId, sessionId } from "../../src/core/ids.ts";
import { foldEvents } from "../../src/core/reduce.ts";
import type { ForkRequest } from "../../src/store/integrity/contract.ts";
import { createSqliteIntegrity } from "../../src/store/sqlite/integrity.ts";
import {
  append,
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
import { AT, messageEvent, turnEvents } from "./sample-events.ts";

let folder: string;
let id: SessionId;
let original: readonly SessionEvent[];
const copyId = sessionId("forkedsession");

beforeEach(async () => {
  folder = temporaryFolder();
  const store = await openStore(folder);
  id = await writeSession(store, "firstsession", 6);
  original = await readLog(store, id);
  await store.close();
});

function fork(request: Partial<ForkRequest> = {}) {
  return createSqliteIntegrity(folder).fork({ from: id, to: copyId, at: AT + 1, due: null, ...request });
}

async function logOf(session: SessionId, of = folder): Promise<readonly SessionEvent[]> {
  const store = await openStore(of);
  try {
    return await readLog(store, session);
  } finally {
    await store.close();
  }
}

/** Position of the first event of the commit that has the event at `seq`; turns are commits of three. */
function commitOf(seq: number): number {
  const types = ["agent.tool_result", "agent.tool_use", "agent.message"];
  const depth = 2 - types.indexOf(original[seq - 1]?.type ?? "");
  return seq - depth;
}

describe("a fork of a sound log", () => {
  test("has the same events, with long texts, and says where it comes from", async () => {
    const result = await fork();
    const copied = await logOf(copyId);
    expect(copied.slice(0, -1)).toEqual(original);
    expect(copied.at(-1)).toMatchObject({
      type: "session.forked",
      at: AT + 1,
      body: { from: id, at_seq: original.length },
    });
    expect(result).toMatchObject({
      sessionId: copyId,
      atSeq: original.length,
      seq: original.length + 1,
      problems: [],
    });
  });

  test("verifies by itself, and names the head that it was taken from", async () => {
    const before = await createSqliteIntegrity(folder).check({ sessionId: id });
    const result = await fork();
    const { sessions, problems } = await createSqliteIntegrity(folder).check({ sessionId: copyId });
    expect([...problems, ...(sessions[0]?.problems ?? [])]).toEqual([]);
    expect(sessions[0]?.head).toEqual({ seq: result.seq, hash: result.hash });
    const [last] = (await logOf(copyId)).slice(-1);
    expect(last?.body).toMatchObject({ head_hash: before.sessions[0]?.head.hash });
  });

  test("may end anywhere", async () => {
    expect(await fork({ atSeq: 7 })).toMatchObject({ atSeq: 7, seq: 8 });
    expect((await logOf(copyId)).slice(0, -1)).toEqual(original.slice(0, 7));
  });

  test("folds, and goes on as a session of its own", async () => {
    await fork();
    const store = await openStore(folder);
    await append(store, copyId, "more", turnEvents(99));
    const state = foldEvents(copyId, await readLog(store, copyId));
    expect(state).toMatchObject({ sessionId: copyId, sandbox: null, request: null });
    expect(await readLog(store, id)).toEqual(original);
    await store.close();
  });

  test("is due when it was asked to be", async () => {
    await fork({ due: AT + 5 });
    await fork({ to: sessionId("anotherfork") });
    const store = await openStore(folder);
    const { ready } = await store.listDue({ now: AT + 5, limit: 10 });
    expect(ready).toContain(copyId);
    expect(ready).not.toContain(sessionId("anotherfork"));
    await store.close();
  });

  test("into another folder, which is made; the first one is not touched", async () => {
    const before = contents(folder);
    const target = join(temporaryFolder(), "deep", "state");
    await fork({ folder: target });
    expect((await logOf(copyId, target)).slice(0, -1)).toEqual(original);
    expect(contents(folder)).toEqual(before);
  });

  test("of a fork", async () => {
    await fork();
    await createSqliteIntegrity(folder).fork({
      from: copyId,
      to: sessionId("secondfork"),
      at: AT,
      due: null,
    });
    const second = await logOf(sessionId("secondfork"));
    expect(second.slice(0, original.length)).toEqual(original);
    expect(second.slice(original.length).map((each) => each.type)).toEqual([
      "session.forked",
      "session.forked",
    ]);
  });

  test.each([
    ["an unknown session", { from: sessionId("neverexisted") }, "E_SESSION_UNKNOWN"],
    ["a name that is taken", { to: sessionId("firstsession") }, "E_SESSION_EXISTS"],
    ["a position beyond the end", { atSeq: 1000 }, "E_LOG_CORRUPT"],
  ])("%s is refused", async (_what, request, code) => {
    await expect(fork(request)).rejects.toMatchObject({ code });
  });
});

describe("a fork of a damaged log", () => {
  test.each([10, 11, 12, 13, 14])("ends with the last whole commit before the bad event %i", async (bad) => {
    tamper(folder, "UPDATE events SET body = body || ' ' WHERE session = 1 AND seq = ?", bad);
    const result = await fork();
    expect(result.atSeq).toBe(commitOf(bad) - 1);
    expect(result.problems[0]).toMatchObject({ code: "E_LOG_CORRUPT", seq: bad });
    expect((await logOf(copyId)).slice(0, -1)).toEqual(original.slice(0, result.atSeq));
  });

  test("may end in the middle of a commit when that is asked for, but not behind the damage", async () => {
    tamper(folder, "UPDATE events SET body = body || ' ' WHERE session = 1 AND seq = 12");
    await expect(fork({ atSeq: 12 })).rejects.toMatchObject({
      code: "E_LOG_CORRUPT",
      message: expect.stringContaining("event 12"),
      hint: expect.stringContaining("event 11"),
    });
    expect(await fork({ atSeq: 11 })).toMatchObject({ atSeq: 11 });
  });

  test("leaves the damaged rows as they are", async () => {
    tamper(folder, "UPDATE events SET body = body || ' ' WHERE session = 1 AND seq = 12");
    await fork();
    const { sessions } = await createSqliteIntegrity(folder).check({ sessionId: id });
    expect(sessions[0]).toMatchObject({ validSeq: 11, events: original.length });
  });

  test("with nothing sound is refused", async () => {
    tamper(folder, "UPDATE events SET body = '{}' WHERE session = 1 AND seq = 1");
    await expect(fork()).rejects.toMatchObject({ code: "E_LOG_CORRUPT" });
  });

  test("needs another folder when the files are damaged, because opening them would change them", async () => {
    tamperIndex(folder);
    const before = contents(folder);
    await expect(fork()).rejects.toMatchObject({
      code: "E_LOG_CORRUPT",
      hint: expect.stringContaining("another"),
    });
    expect(contents(folder)).toEqual(before);
    expect(await fork({ folder: temporaryFolder() })).toMatchObject({ atSeq: original.length });
  });

  test("cannot be made when not even the list of sessions is left", async () => {
    const bytes = readFileSync(join(folder, DATABASE));
    bytes.fill(0xff, 4096, 3 * 4096);
    writeFileSync(join(folder, DATABASE), bytes);
    await expect(fork()).rejects.toMatchObject({
      code: "E_LOG_CORRUPT",
      message: expect.stringContaining(id),
    });
  });

  test("whose commits were lost with the WAL: another folder, everything that is left", async () => {
    const store = await openStore(folder);
    await append(store, id, "late", turnEvents(50));
    await append(store, id, "later", turnEvents(51));
    const copy = crashCopy(folder);
    await store.close();
    truncateSync(join(copy, WAL), 32 + 2 * (24 + 4096));
    folder = copy;
    const before = contents(folder);
    await expect(fork()).rejects.toMatchObject({ code: "E_LOG_CORRUPT" });
    const target = temporaryFolder();
    const result = await fork({ folder: target });
    expect(result.problems).toContainEqual(expect.objectContaining({ code: "E_LOG_LOST" }));
    expect(result.atSeq).toBeGreaterThanOrEqual(original.length);
    expect((await logOf(copyId, target)).slice(0, original.length)).toEqual(original);
    expect(contents(folder)).toEqual(before);
    expect(readdirSync(folder).sort()).toEqual([HEADS, DATABASE, WAL].sort());
  });

  test("that has lost its heads file", async () => {
    rmSync(join(folder, HEADS));
    expect(await fork()).toMatchObject({ atSeq: original.length });
  });

  test("carries over the long texts that it needs and no others", async () => {
    const store = await openStore(folder);
    const long = "a long text of another session ".repeat(1000);
    const secret = await writeSession(store, "othersession", 1);
    await append(store, secret, "say", [messageEvent(long)]);
    await store.close();
    const target = temporaryFolder();
    await fork({ folder: target });
    expect(contents(target, [DATABASE, WAL]).join("")).not.toContain("a long text of another session");
  });
});
