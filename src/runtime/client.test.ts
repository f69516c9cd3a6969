import { describe, expect, test } from "vitest";
import { contractWith, sealed } from "../../test/support/contract-events.ts";
import { cancel, interrupt, pause, said, setLimits } from "../../test/support/events.ts";
import { intercept } from "../../test/support/intercept.ts";
import { settled } from "../../test/support/manual-clock.ts";
import { bodiesOf, World } from "../../test/support/world.ts";
import { NightshiftError } from "../core/errors.ts";
import type { ClientEventInput, EventInput } from "../core/events/index.ts";
import { isSessionId } from "../core/ids.ts";
import { countOf } from "../core/reduce/portions.ts";
import { NO_REDACTION, seal } from "../core/seal.ts";
import { sendEvents } from "./client.ts";
import { loadState } from "./load.ts";

const done = (): World => new World({ script: { turns: [{ text: "Done." }, { text: "Again." }] } });

describe("creating a session", () => {
  test("stores its configuration and its first messages together, due at once", async () => {
    const world = done();
    const id = await world.create({ tools: [] }, said("one"), said("two"));
    expect(isSessionId(id)).toBe(true);
    expect(await world.types(id)).toEqual(["session.created", "user.message", "user.message"]);
    expect((await world.store.getSession(id))?.due).toBe(world.clock.wallMs());
  });

  test("gives ids that sort by time", async () => {
    const world = done();
    const first = await world.create();
    await world.clock.pass(5);
    const second = await world.create();
    expect([second, first].toSorted()).toEqual([first, second]);
  });
});

describe("a contract that a session is made with", () => {
  test("is refused when it cannot be verified, and when its hash is another one's; nothing is stored", async () => {
    const world = done();
    const nothing = contractWith({ criteria: [], goal: "" });
    await expect(world.create({}, sealed(nothing))).rejects.toMatchObject({ code: "E_CONTRACT_INVALID" });
    const other = sealed(contractWith({ goal: "Another one." }));
    const forged = { ...other, body: { ...other.body, contract: contractWith() } } as EventInput;
    await expect(world.create({}, forged)).rejects.toMatchObject({
      code: "E_CONTRACT_INVALID",
      message: expect.stringContaining("hash"),
    });
    expect(await world.store.listDue({ now: Number.MAX_SAFE_INTEGER, limit: 10 })).toMatchObject({
      ready: [],
      nextDue: null,
    });
    expect(await world.types(await world.create({}, sealed()))).toContain("contract.sealed");
  });
});

describe("sending", () => {
  test("is refused for an unknown session", async () => {
    await expect(done().send("sesn_99999999" as never, said("x"))).rejects.toMatchObject({
      code: "E_SESSION_UNKNOWN",
    });
  });

  test("is refused when the session is over, and stores nothing", async () => {
    const world = done();
    const id = await world.create({ tools: [] });
    await world.send(id, cancel);
    await world.clock.until(world.wake(id));
    const before = await world.types(id);
    await expect(world.send(id, said("x"))).rejects.toMatchObject({ code: "E_SESSION_TERMINATED" });
    await expect(world.send(id, pause)).rejects.toMatchObject({ code: "E_SESSION_TERMINATED" });
    expect(await world.types(id)).toEqual(before);
  });

  test("again under the caller's own id stores nothing, whatever has become of the session", async () => {
    const world = done();
    const id = await world.create({ tools: [], policy: { steering: "reject" } });
    const sent = [said("once"), cancel] as ClientEventInput[];
    const first = await sendEvents(world.client, id, sent, { appendId: "from-the-caller" });
    expect(first).toMatchObject({ repeated: false });
    await world.clock.until(world.wake(id));
    const before = await world.types(id);
    const again = await sendEvents(world.client, id, sent, { appendId: "from-the-caller" });
    expect(again).toEqual({ ...first, repeated: true });
    expect(await world.types(id)).toEqual(before);
  });

  test("something else under the same id is an error", async () => {
    const world = done();
    const id = await world.create({ tools: [] });
    await sendEvents(world.client, id, [said("one") as ClientEventInput], { appendId: "x" });
    const other = sendEvents(world.client, id, [said("two") as ClientEventInput], { appendId: "x" });
    await expect(other).rejects.toMatchObject({ code: "E_APPEND_MISMATCH" });
  });

  test.each(["", "1.1", "a b", "x".repeat(65)])(
    "an id cannot be %j: drivers have theirs",
    async (appendId) => {
      const world = done();
      const id = await world.create({ tools: [] });
      const sent = sendEvents(world.client, id, [pause as ClientEventInput], { appendId });
      await expect(sent).rejects.toMatchObject({ code: "E_USAGE" });
    },
  );

  test("is refused when too many messages wait", async () => {
    const world = done();
    const id = await world.create();
    await world.send(id, ...Array<ReturnType<typeof said>>(999).fill(said("x")));
    await expect(world.send(id, said("one too many"))).rejects.toMatchObject({ code: "E_QUEUE_FULL" });
    await world.send(id, pause);
    expect(countOf((await loadState(world.store, id)).queue)).toBe(1000);
  });

  test("is refused while the agent works, if the policy is reject", async () => {
    const world = new World({ script: { turns: [{ text: "slow", delay_ms: 5000 }] } });
    const id = await world.create({ tools: [], policy: { steering: "reject" } });
    const driven = world.wake(id);
    await settled();
    await expect(world.send(id, said("x"))).rejects.toMatchObject({ code: "E_SESSION_BUSY" });
    await world.send(id, said("but this", "enqueue"));
    await world.send(id, interrupt);
    await world.clock.until(driven);
    expect((await loadState(world.store, id)).queue).toEqual([]);
  });

  test("a cap in money is refused for a model without a price", async () => {
    const world = done();
    const id = await world.create();
    await expect(world.send(id, setLimits({ cost_micro_usd: 5 }))).rejects.toMatchObject({
      code: "E_CONFIG",
    });
    await world.send(id, setLimits({ tokens: 5 }));
    const price = { input: 1, output: 1, cache_read: 1, cache_write: 1 };
    const priced = await world.create({ model: { price } });
    await world.send(priced, setLimits({ cost_micro_usd: 5 }));
  });

  test("what races past the refusal is rejected on the record", async () => {
    const world = new World({ script: { turns: [{ text: "slow", delay_ms: 5000 }] } });
    const id = await world.create({ tools: [], policy: { steering: "reject" } });
    const driven = world.wake(id);
    await settled();
    const late = seal(said("x") as ClientEventInput, NO_REDACTION);
    await world.store.submit(id, { appendId: "late", at: world.clock.wallMs(), events: [late] });
    await world.clock.until(driven);
    const log = await world.log(id);
    expect(bodiesOf(log, "harness.input_rejected")).toMatchObject([{ seqs: [8] }]);
    expect(world.scripted.requestCount).toBe(1);
  });
});

describe("a store whose reply is lost", () => {
  /** Does what is asked, then fails the first time. */
  const forgetful = (): World => {
    const lost = new Set<string>();
    const once = (what: string): void => {
      if (lost.has(what)) return;
      lost.add(what);
      throw new NightshiftError("E_STORE_IO", "lost", { retryable: true });
    };
    return new World({
      store: (store) =>
        intercept(store, {
          create: (create) => async (id, batch) => {
            const result = await create(id, batch);
            once("create");
            return result;
          },
          submit: (submit) => async (id, batch) => {
            const result = await submit(id, batch);
            once("submit");
            return result;
          },
        }),
    });
  };

  test("does not make a session or a message twice", async () => {
    const world = forgetful();
    const id = await world.clock.until(world.create());
    await world.clock.until(world.send(id, said("more")));
    expect(await world.types(id)).toEqual(["session.created", "user.message", "user.message"]);
    expect(await world.store.listSessions({ limit: 10 })).toHaveLength(1);
  });

  test("is told when it stays away", async () => {
    const world = new World({
      store: (store) =>
        intercept(store, {
          submit: () => () =>
            Promise.reject(new NightshiftError("E_STORE_BUSY", "busy", { retryable: true })),
        }),
    });
    const id = await world.create();
    await expect(world.clock.until(world.send(id, said("x")))).rejects.toMatchObject({
      code: "E_STORE_BUSY",
    });
  });
});
