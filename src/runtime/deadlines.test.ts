import { describe, expect, test } from "vitest";
import type { Clock } from "../core/clock.ts";
import { Deadlines } from "./deadlines.ts";

/** A clock that stands still until it is moved; counts the timers that were set. */
class ManualClock implements Clock {
  now = 0;
  timersSet = 0;
  readonly #sleepers = new Set<{ readonly atMs: number; readonly wake: () => void }>();

  get timers(): number {
    return this.#sleepers.size;
  }

  wallMs(): number {
    return this.now;
  }

  monotonicMs(): number {
    return this.now;
  }

  bootMs(): number {
    return this.now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.timersSet++;
    return new Promise((resolve, reject) => {
      const sleeper = { atMs: this.now + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      });
    });
  }

  async moveTo(now: number): Promise<void> {
    this.now = now;
    for (const sleeper of this.#sleepers) {
      if (sleeper.atMs > now) continue;
      this.#sleepers.delete(sleeper);
      sleeper.wake();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function record(): {
  readonly clock: ManualClock;
  readonly deadlines: Deadlines;
  readonly expired: string[];
} {
  const clock = new ManualClock();
  return { clock, deadlines: new Deadlines(clock), expired: [] };
}

describe("deadlines", () => {
  test("expire at their time, in any order of adding", async () => {
    const { clock, deadlines, expired } = record();
    deadlines.add(300, () => expired.push("late"));
    deadlines.add(100, () => expired.push("early"));
    deadlines.add(200, () => expired.push("middle"));
    await clock.moveTo(99);
    expect(expired).toEqual([]);
    await clock.moveTo(100);
    expect(expired).toEqual(["early"]);
    await clock.moveTo(300);
    expect(expired.sort()).toEqual(["early", "late", "middle"]);
    expect(clock.timers).toBe(0);
  });

  test("do not expire once they were taken back", async () => {
    const { clock, deadlines, expired } = record();
    const cancel = deadlines.add(100, () => expired.push("cancelled"));
    deadlines.add(150, () => expired.push("kept"));
    cancel();
    await clock.moveTo(149);
    expect(expired).toEqual([]);
    await clock.moveTo(150);
    expect(expired).toEqual(["kept"]);
  });

  test("a wait that ends before its limit sets no timer of its own", async () => {
    const { clock, deadlines, expired } = record();
    for (let turn = 0; turn < 100; turn++) {
      const cancel = deadlines.add(1000, () => expired.push(`turn ${turn}`));
      clock.now += 1;
      cancel();
    }
    expect(clock.timersSet).toBe(1);
    deadlines.add(1000, () => expired.push("last"));
    await clock.moveTo(1000);
    await clock.moveTo(1099);
    expect(expired).toEqual([]);
    await clock.moveTo(1100);
    expect(expired).toEqual(["last"]);
  });

  test("one that is added while others expire is kept", async () => {
    const { clock, deadlines, expired } = record();
    deadlines.add(100, () => deadlines.add(50, () => expired.push("second")));
    await clock.moveTo(100);
    await clock.moveTo(150);
    expect(expired).toEqual(["second"]);
  });

  test("closing leaves no timer behind", async () => {
    const { clock, deadlines, expired } = record();
    deadlines.add(100, () => expired.push("forgotten"));
    deadlines.close();
    expect(clock.timers).toBe(0);
    await clock.moveTo(100);
    expect(expired).toEqual([]);
  });

  test("that are added after closing, by what has not noticed yet, keep no process alive", () => {
    const { clock, deadlines, expired } = record();
    deadlines.close();
    deadlines.add(100, () => expired.push("late"))();
    expect(clock.timersSet).toBe(0);
  });
});
