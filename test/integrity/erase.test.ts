import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { event } from "../../src/core/events/index.ts";
import { validateStoredEvent } from "../../src/core/events/validate.ts";
import { type SessionId, sessionId } from "../../src/core/ids.ts";
import type { Store } from "../../src/store/contract.ts";
import { createSqliteIntegrity } from "../../src/store/sqlite/integrity.ts";
import { append, openStore, readLog, temporaryFolder, writeSession } from "./sample.ts";
import { AT, createdEvent, messageEvent } from "./sample-events.ts";

const SECRET = "Tr0ub4dor-and-3";
const long = (text: string): string => `${text} `.repeat(1000);

let folder: string;
let store: Store;
let id: SessionId;

beforeEach(async () => {
  folder = temporaryFolder();
  store = await openStore(folder);
  id = await writeSession(store, "firstsession", 3);
});

/** Appends one event and gives its position. */
async function leak(input: Parameters<typeof append>[3][number], session = id): Promise<number> {
  await append(store, session, `leak ${(await readLog(store, session)).length}`, [input]);
  return (await store.getSession(session))?.seq ?? 0;
}

async function erase(seq: number, session = id) {
  return createSqliteIntegrity(folder).erase({
    sessionId: session,
    seq,
    at: AT,
    reason: "leaked a password",
  });
}

/** Is the secret in any file of the folder? */
function filesWithSecret(): string[] {
  return readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(SECRET));
}

async function problems() {
  const report = await createSqliteIntegrity(folder).check();
  return [...report.problems, ...report.sessions.flatMap((each) => each.problems)];
}

describe("erasing an event", () => {
  test.each([
    ["in a message", messageEvent(`it is ${SECRET}`)],
    ["in a long text", messageEvent(long(SECRET))],
    [
      "in a command, as a key, with a signature",
      event("agent.tool_use", {
        request: 9,
        call: "c9_0",
        provider_call_id: "toolu_9",
        name: "shell",
        input: { command: `echo ${SECRET}`, [SECRET]: [{ deep: SECRET }] },
        evaluated_permission: "allow",
        effect: "side_effect",
        provider: { anthropic: { signature: SECRET } },
      }),
    ],
    [
      "in an error",
      event("session.error", {
        error: { type: "x", code: "E_X", message: SECRET, retry_status: { type: "terminal" } },
      }),
    ],
  ])("%s: gone from every file, the chain and the schema hold", async (_where, input) => {
    const seq = await leak(input);
    await append(store, id, "after", [messageEvent("life goes on")]);
    expect(filesWithSecret()).not.toEqual([]);
    const before = await readLog(store, id);
    await erase(seq);
    expect(filesWithSecret()).toEqual([]);
    const after = await readLog(store, id);
    expect(after.map((each) => each.type)).toEqual(before.map((each) => each.type));
    expect(after.filter((each) => each.seq !== seq)).toEqual(before.filter((each) => each.seq !== seq));
    const erased = after[seq - 1] ?? expect.fail("the event is gone");
    expect(JSON.stringify(erased.body)).toContain("[erased]");
    expect(validateStoredEvent(erased)).toBeUndefined();
    expect(await problems()).toEqual([]);
    await append(store, id, "more", [messageEvent("and on")]);
    await store.close();
  });

  test("keeps what the fold goes by", async () => {
    const seq = 4;
    const { body } = await erase(seq);
    const [tool] = await store.getEvents(id, { after: seq - 1, limit: 1 });
    expect(tool?.body).toEqual(body);
    expect(tool).toMatchObject({
      type: "agent.tool_use",
      body: { request: 1, call: "c1_0", name: "shell", provider_call_id: "toolu_1", input: "[erased]" },
    });
    const created = (await erase(1)).body;
    expect(created).toMatchObject({
      agent: { name: "loop", model: { provider: "scripted", id: "script.json" }, system: "[erased]" },
      sandbox: { backend: "process", workspace: "/workspace" },
    });
    await store.close();
  });

  test("takes snapshot and summary along: they are folds of it", async () => {
    const seq = await leak(messageEvent(SECRET));
    const claim = await store.claim(id, {
      owner: { harness: "h", bootId: "b", pidNamespace: "n", pid: 1, startTime: "1" },
      ttlMs: 1000,
      at: AT,
    });
    if (claim.status !== "claimed") return expect.fail("not claimed");
    const { events } = await sealedMessage("x");
    await store.append(claim.lease, {
      appendId: "with snapshot",
      at: AT,
      events,
      snapshot: { fold: "digest", body: JSON.stringify({ queue: [SECRET] }) },
      summary: `about ${SECRET}`,
    });
    await erase(seq);
    expect(filesWithSecret()).toEqual([]);
    expect(await store.getSnapshot(id, "digest")).toBeUndefined();
    expect((await store.getSession(id))?.summary).toBeNull();
    await store.close();
  });

  test("leaves a long text that another event holds, and names that event", async () => {
    const seq = await leak(messageEvent(long(SECRET)));
    const twin = await leak(messageEvent(long(SECRET)));
    expect(await erase(seq)).toMatchObject({ blobsDeleted: 0, alsoIn: [{ sessionId: id, seq: twin }] });
    expect((await readLog(store, id))[twin - 1]?.body).toMatchObject({ content: [{ text: long(SECRET) }] });
    expect(await erase(twin)).toMatchObject({ blobsDeleted: 1, alsoIn: [] });
    expect(filesWithSecret()).toEqual([]);
    await store.close();
  });

  test("names the copies in forks", async () => {
    const seq = await leak(messageEvent(SECRET));
    const copy = sessionId("forkedsession");
    await createSqliteIntegrity(folder).fork({ from: id, to: copy, at: AT, due: null });
    expect((await erase(seq)).alsoIn).toEqual([{ sessionId: copy, seq }]);
    await erase(seq, copy);
    expect(filesWithSecret()).toEqual([]);
    expect(await problems()).toEqual([]);
    await store.close();
  });

  test("twice is as once", async () => {
    const seq = await leak(messageEvent(SECRET));
    const { body } = await erase(seq);
    expect((await erase(seq)).body).toEqual(body);
    expect(await problems()).toEqual([]);
    await store.close();
  });

  test("a body that was changed instead is still found out", async () => {
    const seq = await leak(messageEvent(SECRET));
    await erase(seq);
    await store.close();
    const { tamper } = await import("./sample.ts");
    tamper(
      folder,
      'UPDATE events SET body = \'{"content":[{"type":"text","text":"forged"}]}\' WHERE seq = ?',
      seq,
    );
    expect(await problems()).toEqual([expect.objectContaining({ code: "E_LOG_CORRUPT", seq })]);
  });

  test.each([
    [0, "E_EVENT_INVALID"],
    [999, "E_EVENT_INVALID"],
    [1.5, "E_EVENT_INVALID"],
  ])("event %d is refused", async (seq, code) => {
    await expect(erase(seq)).rejects.toMatchObject({ code });
    await expect(erase(1, sessionId("neverexisted"))).rejects.toMatchObject({ code: "E_SESSION_UNKNOWN" });
    await store.close();
  });

  test("every kind of event keeps to its schema", async () => {
    const { erasedBody } = await import("../../src/store/integrity/erase.ts");
    const body = createdEvent(SECRET).body;
    const isSound = (candidate: unknown): boolean =>
      validateStoredEvent({ type: "session.created", body: candidate, seq: 1, at: 0 } as never) === undefined;
    const erased = erasedBody(body as never, isSound);
    expect(isSound(erased)).toBe(true);
    expect(JSON.stringify(erased)).not.toContain(SECRET);
    await store.close();
  });
});

async function sealedMessage(text: string) {
  const { NO_REDACTION, seal } = await import("../../src/core/seal.ts");
  return { events: [seal(messageEvent(text), NO_REDACTION)] };
}
