import { describe, expect, test } from "vitest";
import { decidedOn } from "../../test/support/contract-events.ts";
import {
  accepted,
  answered,
  asked,
  called,
  failedWith,
  replied,
  result,
  rewoundTo,
  running,
  said,
  threadStart,
  woke,
} from "../../test/support/events.ts";
import { intercept } from "../../test/support/intercept.ts";
import { bodiesOf, World } from "../../test/support/world.ts";
import { type Context, closeTurn, emptyContext, messagesOf, reduceContext } from "../core/context.ts";
import { NightshiftError } from "../core/errors.ts";
import { type ClientEventInput, type EventInput, event, type SessionEvent } from "../core/events/index.ts";
import { FOLD_DIGEST } from "../core/fold-digest.ts";
import type { SessionId } from "../core/ids.ts";
import { countOf } from "../core/reduce/portions.ts";
import { foldEvents } from "../core/reduce.ts";
import { NO_REDACTION, seal } from "../core/seal.ts";
import type { Store } from "../store/contract.ts";
import { loadSession, loadState } from "./load.ts";

const LONG = "long ".repeat(3000);

/** Makes a session of twelve turns, some with calls, some long; a snapshot every twenty events. */
async function longSession(world: World): Promise<SessionId> {
  const id = await world.create();
  for (let turn = 0; turn < 3; turn++) {
    await world.clock.until(world.wake(id));
    await world.send(id, said(`more ${turn}`));
  }
  await world.clock.until(world.wake(id));
  return id;
}

const talkative = (snapshotEvents: number): World =>
  new World({
    snapshotEvents,
    script: ({ messages }) =>
      messages.at(-1)?.role === "user"
        ? { text: LONG, tools: [{ name: "bash", input: { command: `echo ${LONG}` } }] }
        : { text: "Done." },
  });

/** What is sent, and what decides what is sent next. */
function shown(context: Context): unknown {
  const closed = closeTurn(context);
  const { thread, digest, bytes, count } = closed;
  return { thread, digest, bytes, count, messages: messagesOf(closed), calls: context.turn.calls };
}

const rendered = (log: readonly SessionEvent[]): unknown => shown(log.reduce(reduceContext, emptyContext()));

describe("loading", () => {
  test("from the newest snapshot and the tail gives what the whole log gives", async () => {
    const world = talkative(20);
    const id = await longSession(world);
    const log = await world.log(id);
    const loaded = await loadSession(world.store, id);
    expect(loaded.snapshotSeq).toBeGreaterThan(20);
    expect(loaded.snapshotSeq).toBeLessThan(log.length);
    expect(loaded.state).toEqual(foldEvents(id, log));
    expect(shown(loaded.context)).toEqual(rendered(log));
    expect(loaded.unverified).toEqual({ fromSeq: 2, throughSeq: loaded.snapshotSeq });
    expect(await loadState(world.store, id)).toEqual(loaded.state);
  });

  test("every snapshot that was ever taken is the fold of the log up to there", async () => {
    const world = talkative(1);
    const snapshots: { readonly body: string; readonly seq: number }[] = [];
    const store = intercept(world.store, {
      append: (append) => async (lease, batch) => {
        const result = await append(lease, batch);
        if (result.status === "appended" && batch.snapshot)
          snapshots.push({ ...batch.snapshot, seq: result.seq });
        return result;
      },
    });
    const id = await world.create();
    await world.clock.until(world.wake(id, {}, world.harness("h", store)));
    const log = await world.log(id);
    expect(snapshots.length).toBeGreaterThan(3);
    for (const { body, seq } of snapshots)
      expect(JSON.parse(body)).toEqual(foldEvents(id, log.slice(0, seq)));
  });

  test("without a snapshot reads everything, checked", async () => {
    const world = talkative(100_000);
    const id = await longSession(world);
    const loaded = await loadSession(world.store, id);
    expect(loaded).toMatchObject({ snapshotSeq: 0, unverified: null });
    expect(shown(loaded.context)).toEqual(rendered(await world.log(id)));
  });

  test("does not use a snapshot of another fold", async () => {
    const world = talkative(20);
    const id = await longSession(world);
    const store = intercept(world.store, {
      getSnapshot: (getSnapshot) => (session, fold) => {
        expect(fold).toBe(FOLD_DIGEST);
        return getSnapshot(session, "another fold");
      },
    });
    expect(await loadSession(store, id)).toMatchObject({ snapshotSeq: 0 });
  });

  test("ends also when more has come since the snapshot than fits a page", async () => {
    const world = talkative(5);
    const id = await world.create({ tools: [] });
    await world.clock.until(world.wake(id));
    await flood(world.store, id, 10_500);
    const { state, context } = await loadSession(world.store, id);
    expect(countOf(state.queue)).toBe(10_500);
    expect(countOf(context.queue)).toBe(10_500);
  });

  test("knows whether a text of the harness came before or after a request was started", async () => {
    const turn = (request: number, ...between: readonly EventInput[]): EventInput[] => [
      ...[asked(request), ...between, answered(request, { stop_reason: "tool_use" })],
      ...[replied(request, `answer ${request}`), called(request, 0), result(`c${request}_0`)],
    ];
    const opening = [woke(), running, threadStart(), accepted(2)];
    const events = [...opening, ...turn(1, rewoundTo(0)), ...turn(2), rewoundTo(0), ...turn(3, rewoundTo(0))];
    const { context, whole } = await loadedFrom(events);
    const sent = (each: Context) => messagesOf(closeTurn(each));
    expect(sent(context)).toEqual(sent(whole.reduce(reduceContext, emptyContext())));
  });

  test("knows what the last request has sent, though the one before it failed and a person said much since", async () => {
    const opening = [woke(), running, threadStart(), accepted(2)];
    const failed = [
      ...[asked(1, { context_hash: "first" }), failedWith(1, "overloaded")],
      ...[said("and this"), accepted(9), decidedOn("approve")],
    ];
    const { context } = await loadedFrom([...opening, ...failed, asked(2, { context_hash: "second" })]);
    expect(closeTurn(context).digest).toBe("second");
  });

  test("of an unknown session says so", async () => {
    const world = new World();
    await expect(loadSession(world.store, "sesn_99999999" as SessionId)).rejects.toMatchObject({
      code: "E_SESSION_UNKNOWN",
    });
  });
});

/** The context of a session with these events after its first two, and a snapshot behind all of them. */
async function loadedFrom(
  events: readonly EventInput[],
): Promise<{ readonly context: Context; readonly whole: readonly SessionEvent[] }> {
  const world = new World();
  const id = await world.create();
  const { owner } = world.harness();
  const claim = await world.store.claim(id, { owner, ttlMs: 10_000, at: 1 });
  if (claim.status !== "claimed") throw new Error("nobody else is there");
  const sealed = events.map((input) => seal(input, NO_REDACTION));
  await world.store.append(claim.lease, { appendId: "all", at: 1, events: sealed });
  const log = await world.log(id);
  const slept = event("harness.suspended", { gap_ms: 1 });
  const state = foldEvents(id, [...log, { ...slept, seq: log.length + 1, at: 1 } as SessionEvent]);
  const snapshot = { fold: FOLD_DIGEST, body: JSON.stringify(state) };
  const noted = seal(slept, NO_REDACTION);
  await world.store.append(claim.lease, { appendId: "snapshot", at: 1, events: [noted], snapshot });
  const whole = await world.log(id);
  const { context, snapshotSeq } = await loadSession(world.store, id);
  expect(snapshotSeq).toBe(whole.length);
  return { context, whole };
}

/** Past the courtesy of clients. */
async function flood(store: Store, id: SessionId, count: number): Promise<void> {
  const event = seal(said("hello?") as ClientEventInput, NO_REDACTION);
  for (let sent = 0; sent < count; sent += 500)
    await store.submit(id, { appendId: `flood-${sent}`, at: 1, events: Array(500).fill(event) });
}

describe("damage in the part that was loaded unchecked", () => {
  /** A store that finds event 6 damaged whenever it checks. */
  const damaged = (store: Store): Store =>
    intercept(store, {
      getEvents: (getEvents) => async (id, range) => {
        const events = await getEvents(id, range);
        if (range.verify !== false && events.some(({ seq }) => seq === 6))
          throw new NightshiftError("E_LOG_CORRUPT", "event 6 does not match its hash");
        return events;
      },
    });

  test("is noticed before an answer is kept", async () => {
    const world = talkative(10);
    const id = await longSession(world);
    await world.send(id, said("once more"));
    const before = await world.log(id);
    const asked = world.scripted.requestCount;
    const driven = world.wake(id, {}, world.harness("late", damaged(world.store)));
    await expect(world.clock.until(driven)).rejects.toMatchObject({ code: "E_LOG_CORRUPT" });
    const written = (await world.log(id)).slice(before.length);
    expect(bodiesOf(written, "span.model_request_start")).toHaveLength(1);
    expect(bodiesOf(written, "span.model_request_end")).toEqual([]);
    expect(world.scripted.requestCount).toBeLessThanOrEqual(asked + 1);
  });

  test("is noticed before anything is executed", async () => {
    const world = talkative(10);
    const id = await longSession(world);
    const asked = [...world.sandboxes.asked];
    await world.clock.pass(60_000);
    const driven = world.wake(id, {}, world.harness("late", damaged(world.store)));
    await expect(world.clock.until(driven)).rejects.toMatchObject({ code: "E_LOG_CORRUPT" });
    expect(world.sandboxes.asked).toEqual(asked);
  });
});
