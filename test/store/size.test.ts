/** What a store costs: bytes on the disk, and looks at many sessions. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { event } from "../../src/core/events/index.ts";
import { sessionId } from "../../src/core/ids.ts";
import { NO_REDACTION, type SealedEvent, seal } from "../../src/core/seal.ts";
import { batchOf, claimed, creation, owner, SESSION } from "../../src/store/conformance/subject.ts";
import { freshFolder, openStore } from "./place.ts";

/** The events of a turn: 600 characters of text, a small call, a result of 2 KB. */
function turn(number: number): {
  readonly answer: readonly SealedEvent[];
  readonly result: readonly SealedEvent[];
} {
  const call = `c${number}_0`;
  const text = (length: number) => `${number} `.repeat(length).slice(0, length);
  const usage = {
    input_tokens: 1000,
    output_tokens: 200,
    cache_read_input_tokens: 900,
    cache_creation_input_tokens: 0,
  };
  const answer = [
    event("span.model_request_end", {
      request: number,
      outcome: "answered",
      is_error: false,
      stop_reason: "tool_use",
      model_usage: usage,
      cost_micro_usd: 1234,
      duration_ms: 2000,
    }),
    event("agent.message", { request: number, content: [{ type: "text", text: text(600) }] }),
    event("agent.tool_use", {
      request: number,
      call,
      provider_call_id: `toolu_${number}`,
      name: "shell",
      input: { command: "npm test" },
      evaluated_permission: "allow",
      effect: "side_effect",
    }),
    event("tool.started", { call, run: 1, sandbox: "sbox_1234567890_0", incarnation: "one", at: 1 }),
  ];
  const result = [
    event("agent.tool_result", {
      call,
      run: 1,
      content: [{ type: "text", text: text(2048) }],
      is_error: false,
      ending: "exited",
      exit_code: 0,
      duration_ms: 300,
      dropped_bytes: 0,
      in_doubt: false,
    }),
    event("span.model_request_start", {
      request: number + 1,
      session_thread_id: "sthr_1234567890_0",
      epoch: 1,
      model: "scripted:one",
      through_seq: number * 6,
      context_hash: "a".repeat(64),
      reservation: { tokens: 20_000, cost_micro_usd: 300_000 },
    }),
  ];
  return {
    answer: answer.map((each) => seal(each, NO_REDACTION)),
    result: result.map((each) => seal(each, NO_REDACTION)),
  };
}

test("a log takes at most 1.3 times its events' JSON, and the WAL is written over and over", async () => {
  const folder = freshFolder();
  const store = await openStore(folder);
  await store.create(SESSION, creation());
  const lease = await claimed(store);
  let jsonBytes = 0;
  let seq = 1;
  for (let number = 0; number < 400; number++) {
    const { answer, result } = turn(number);
    for (const { type, body } of [...answer, ...result]) {
      seq += 1;
      jsonBytes += Buffer.byteLength(
        JSON.stringify({ type, body: JSON.parse(body), seq, at: 1_700_000_000_000 }),
      );
    }
    await store.append(lease, { appendId: `1.${number}a`, at: 1_700_000_000_000, events: answer });
    await store.append(lease, { appendId: `1.${number}b`, at: 1_700_000_000_000, events: result });
  }
  expect(statSync(join(folder, "log.db-wal")).size).toBeLessThan(3 * 1024 * 1024);
  await store.close();
  const bytes = statSync(join(folder, "log.db")).size + statSync(join(folder, "heads")).size;
  expect(bytes / jsonBytes).toBeLessThan(1.3);
});

test("a reader that stays away does not keep the WAL from being started over", async () => {
  const folder = freshFolder();
  const store = await openStore(folder);
  const reader = await openStore(folder);
  await store.create(SESSION, creation());
  const lease = await claimed(store);
  for (let number = 0; number < 300; number++) {
    await store.append(lease, batchOf(`${number}`, { events: turn(number).answer }));
    if (number % 10 === 0) await reader.getEvents(SESSION, { after: number, limit: 5 });
  }
  expect(statSync(join(folder, "log.db-wal")).size).toBeLessThan(3 * 1024 * 1024);
});

test("listDue looks past any number of held sessions", async () => {
  const store = await openStore(freshFolder(), { writer: "thread" });
  const ids = Array.from({ length: 450 }, (_, index) => sessionId(`held${String(index).padStart(6, "0")}`));
  await Promise.all(ids.map((id, index) => store.create(id, creation({ at: index }))));
  await Promise.all(ids.slice(0, 440).map((id) => claimed(store, owner(), id)));
  expect(await store.listDue({ now: 1000, limit: 10 })).toEqual({
    ready: ids.slice(440),
    nextDue: null,
    heldForMs: 10_000,
  });
  expect((await store.listDue({ now: 1000, limit: 2 })).ready).toEqual(ids.slice(440, 442));
});
