import { describe, expect, test } from "vitest";
import { pause, said } from "../../test/support/events.ts";
import { intercept } from "../../test/support/intercept.ts";
import { checkLog } from "../../test/support/promises.ts";
import { bodiesOf, World } from "../../test/support/world.ts";
import { closeTurn, emptyContext, messagesOf, reduceContext } from "../core/context.ts";
import type { ClientEventInput, EventInput, SessionEvent } from "../core/events/index.ts";
import type { SessionId } from "../core/ids.ts";
import { foldEvents } from "../core/reduce.ts";
import { NO_REDACTION, seal } from "../core/seal.ts";
import type { AppendBatch, AppendResult } from "../store/contract.ts";

/** What the harness appended, and what came of it. */
interface Written {
  readonly batch: AppendBatch;
  readonly result: AppendResult;
}

/** A world in which somebody submits an event right before an append, whenever `before` says so. */
function overtaken(before: (batch: AppendBatch) => EventInput | undefined): {
  readonly world: World;
  readonly written: Written[];
} {
  const written: Written[] = [];
  let count = 0;
  const world = new World({
    snapshotEvents: 8,
    script: {
      turns: [
        { text: "Looking.", tools: [{ name: "bash", input: { command: "echo one" } }] },
        {
          tools: [
            { name: "bash", input: { command: "echo two" } },
            { name: "write", input: { file_path: "a", content: "x" } },
          ],
        },
        { text: "Done." },
      ],
    },
    store: (store) =>
      intercept(store, {
        append: (append) => async (lease, batch) => {
          const event = before(batch);
          if (event !== undefined) {
            const events = [seal(event as ClientEventInput, NO_REDACTION)];
            await store.submit(lease.sessionId, { appendId: `s${++count}`, at: 1, events });
          }
          const result = await append(lease, batch);
          written.push({ batch, result });
          return result;
        },
      }),
  });
  return { world, written };
}

/** The context that each request names is the one that a reader of the log renders, and the one that was sent. */
function checkContexts(world: World, log: readonly SessionEvent[]): void {
  const starts = log.filter((event) => event.type === "span.model_request_start");
  expect(starts).toHaveLength(world.scripted.requestCount);
  for (const [index, { body, seq }] of starts.entries()) {
    const read = closeTurn(log.slice(0, seq - 1).reduce(reduceContext, emptyContext()));
    expect(body.context_hash).toBe(read.digest);
    expect(world.scripted.requests[index]?.messages).toEqual(messagesOf(read));
  }
}

async function finish(world: World, id: SessionId): Promise<readonly SessionEvent[]> {
  const result = await world.clock.until(world.wake(id));
  const log = await world.log(id);
  checkLog(log);
  checkContexts(world, log);
  expect(result).toMatchObject({ status: "left", state: foldEvents(id, log) });
  return log;
}

const isDecided = (batch: AppendBatch): boolean => batch.expectedSeq !== undefined;

describe("somebody writes right before an append", () => {
  test("nobody: two commits a turn, one more where a file is looked at", async () => {
    const { world, written } = overtaken(() => undefined);
    await finish(world, await world.create());
    expect(written.map(({ batch }) => batch.events.map(({ type }) => type.replace(/^.*\./, "")))).toEqual([
      ["woke", "status_running", "thread_created", "input_accepted", "requested", "model_request_start"],
      ["ready"],
      ["model_request_end", "message", "tool_use", "started"],
      ["tool_result", "model_request_start"],
      ["model_request_end", "tool_use", "tool_use", "started"],
      ["tool_result"],
      ["prepared", "started"],
      ["tool_result", "model_request_start"],
      ["model_request_end", "message", "status_idle"],
    ]);
  });

  test("a message before each decision: the draft is thrown away, and the message is in the next", async () => {
    let messages = 0;
    const overtook = new Set<number>();
    const { world, written } = overtaken((batch) => {
      const expected = batch.expectedSeq;
      if (expected === undefined || messages >= 12 || overtook.has(expected)) return undefined;
      overtook.add(expected + 1);
      return said(`message ${++messages}`);
    });
    const log = await finish(world, await world.create());
    expect(written.filter(({ result }) => result.status === "conflict").length).toBeGreaterThanOrEqual(6);
    expect(bodiesOf(log, "harness.input_accepted").flatMap(({ seqs }) => seqs)).toHaveLength(messages + 1);
    expect(bodiesOf(log, "agent.tool_result")).toHaveLength(3);
  });

  test("a fact does not conflict: it is written behind, once", async () => {
    let messages = 0;
    const { world, written } = overtaken((batch) =>
      isDecided(batch) ? undefined : said(`message ${++messages}`),
    );
    const log = await finish(world, await world.create());
    expect(messages).toBeGreaterThan(0);
    expect(written.map(({ result }) => result.status)).not.toContain("conflict");
    expect(bodiesOf(log, "sandbox.ready")).toHaveLength(1);
    expect(bodiesOf(log, "agent.tool_result")).toHaveLength(3);
    expect(bodiesOf(log, "harness.input_accepted").flatMap(({ seqs }) => seqs)).toHaveLength(messages + 1);
  });

  test("a pause before a request: it is not sent", async () => {
    let isPaused = false;
    const { world } = overtaken((batch) => {
      const asks = batch.events.some(
        ({ body, type }) => type.endsWith("_start") && body.includes('"request":2'),
      );
      if (!asks || isPaused) return undefined;
      isPaused = true;
      return pause;
    });
    const log = await finish(world, await world.create());
    expect(bodiesOf(log, "span.model_request_start")).toHaveLength(1);
    expect(bodiesOf(log, "agent.tool_result")).toHaveLength(1);
    expect(bodiesOf(log, "session.status_idle")).toEqual([{ stop_reason: { type: "paused" } }]);
  });
});

describe("a snapshot", () => {
  test("is saved only where the draft is what the log holds then", async () => {
    let messages = 0;
    const { world, written } = overtaken(() => (messages < 5 ? said(`message ${++messages}`) : undefined));
    const id = await world.create();
    const log = await finish(world, id);
    let saved = 0;
    for (const { batch, result } of written) {
      if (batch.snapshot === undefined || result.status !== "appended") continue;
      expect(JSON.parse(batch.snapshot.body)).toEqual(foldEvents(id, log.slice(0, result.seq)));
      saved += 1;
    }
    expect(saved).toBeGreaterThan(0);
  });
});
