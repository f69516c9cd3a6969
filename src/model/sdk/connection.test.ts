import { describe, expect, test, vi } from "vitest";
import { startRawServer } from "../../../test/model/raw-server.ts";
import type { Clock } from "../../core/clock.ts";
import { Connection, failureOfErrorPart } from "./connection.ts";

interface Sleeper {
  readonly untilMs: number;
  readonly wake: () => void;
}

/** Time that passes only when the test says so. */
class ManualClock implements Clock {
  #nowMs = 0;
  #sleepers: Sleeper[] = [];
  readonly wallMs = (): number => this.#nowMs;
  readonly monotonicMs = (): number => this.#nowMs;
  readonly bootMs = (): number => this.#nowMs;

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#sleepers.push({ untilMs: this.#nowMs + ms, wake: resolve });
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  async advance(ms: number): Promise<void> {
    this.#nowMs += ms;
    const due = this.#sleepers.filter((each) => each.untilMs <= this.#nowMs);
    this.#sleepers = this.#sleepers.filter((each) => each.untilMs > this.#nowMs);
    for (const { wake } of due) wake();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const IDLE_MS = 1000;

function connect(clock: Clock, signal: AbortSignal = new AbortController().signal): Connection {
  return new Connection(clock, IDLE_MS, signal);
}

describe("silence", () => {
  test("before the head ends the exchange", async () => {
    await using server = await startRawServer(() => undefined);
    const clock = new ManualClock();
    const connection = connect(clock);
    const response = connection.wait(connection.fetch(server.url));
    const error = response.catch((reason: unknown) => reason);
    await clock.advance(IDLE_MS - 1);
    expect(connection.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(connection.failureOf(await error)).toEqual({
      failure: { class: "timeout", message: "nothing came for 1000 ms" },
      usage: undefined,
    });
  });

  test("is broken by any byte, also by one that means nothing", async () => {
    let write = (_text: string): void => undefined;
    await using server = await startRawServer((response) => {
      response.writeHead(200);
      write = (text) => response.write(text);
      write(": hello\n\n");
    });
    const clock = new ManualClock();
    const connection = connect(clock);
    const { body } = await connection.fetch(server.url);
    let received = 0;
    const pump = body?.pipeTo(new WritableStream({ write: () => void received++ }));
    // One wait throughout, as the SDK's is for an event that means something.
    const ended = Promise.allSettled([pump, connection.wait(new Promise(() => undefined))]);
    for (let ping = 1; ping <= 5; ping++) {
      await vi.waitFor(() => expect(received).toBe(ping));
      await clock.advance(IDLE_MS - 1);
      expect(connection.signal.aborted).toBe(false);
      write(": ping\n\n");
    }
    await vi.waitFor(() => expect(received).toBe(6));
    await clock.advance(IDLE_MS);
    expect(connection.signal.aborted).toBe(true);
    await ended;
  });

  test("is the provider's, not that of a slow reader", async () => {
    await using server = await startRawServer((response) => response.end("all at once"));
    const clock = new ManualClock();
    const connection = connect(clock);
    const response = await connection.wait(connection.fetch(server.url));
    await clock.advance(IDLE_MS - 1);
    await connection.wait(Promise.resolve());
    await clock.advance(IDLE_MS - 1);
    expect(await connection.wait(response.text())).toBe("all at once");
    connection.close();
  });
});

describe("an exchange", () => {
  test("does not follow redirects, which would take the key along", async () => {
    await using elsewhere = await startRawServer((response) => response.end("caught"));
    await using server = await startRawServer((response) =>
      response.writeHead(307, { location: elsewhere.url }).end(),
    );
    const connection = connect(new ManualClock());
    const response = await connection.fetch(server.url, { headers: { "x-api-key": "secret" } });
    expect(response.status).toBe(307);
    expect(elsewhere.headers).toEqual([]);
    connection.close();
  });

  test("that never ends is no answer", async () => {
    const megabyte = Buffer.alloc(1024 * 1024, "x");
    await using server = await startRawServer((response) => {
      const fill = (): void => {
        while (!response.destroyed && response.write(megabyte));
      };
      response.on("drain", fill);
      fill();
    });
    const connection = connect(new ManualClock());
    const response = await connection.fetch(server.url);
    const error = await response.text().catch((reason: unknown) => reason);
    expect(connection.failureOf(error).failure.class).toBe("garbage");
    connection.close();
  });

  test("ends with its caller", async () => {
    await using server = await startRawServer(() => undefined);
    const controller = new AbortController();
    const connection = connect(new ManualClock(), controller.signal);
    const error = connection.fetch(server.url).catch((reason: unknown) => reason);
    controller.abort();
    expect(connection.failureOf(await error).failure.class).toBe("network");
  });
});

describe("an error inside of a stream", () => {
  test.each([
    [{ type: "overloaded_error", message: "Overloaded" }, "overloaded", "overloaded_error: Overloaded"],
    [{ code: 502, message: "Upstream failed" }, "overloaded", "502: Upstream failed"],
    [{ code: 429, message: "Slow down" }, "rate_limit", "429: Slow down"],
    [
      { code: "context_length_exceeded", message: "Too long" },
      "context_overflow",
      "context_length_exceeded: Too long",
    ],
    [new Error("Unexpected token"), "garbage", "the stream cannot be read: Unexpected token"],
    ["oops", "unknown", "oops"],
    [null, "unknown", "null"],
  ])("%j has class %s", (error, expected, message) => {
    expect(failureOfErrorPart(error)).toEqual({ class: expected, message });
  });
});
