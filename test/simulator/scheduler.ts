/**
 * Virtual time. Nothing in a simulation waits for real: when no code can run any more, one of the actions that are
 * ready is chosen by the seed; when none is ready, time jumps to the next timer.
 */
import type { Random } from "./random.ts";

/** Calendar time at the start of every simulation. */
export const WALL_START_MS = 1_800_000_000_000;

interface Timer {
  readonly atMs: number;
  /** Breaks ties, so that timers of the same time fire in the order in which they were set. */
  readonly order: number;
  action: (() => void) | null;
}

/** How a run of the scheduler ended. */
export type RunEnd = "done" | "nothing-left" | "too-many-steps" | "too-much-time" | "time-stands-still";

/** So many steps at one instant are a loop that does not wait. */
const STEPS_PER_INSTANT_MAX = 3000;

/** When to give up, for simulations that never come to rest. */
export interface RunLimits {
  readonly steps: number;
  readonly untilMs: number;
}

/** The one queue of everything that happens. */
export class Scheduler {
  readonly #random: Random;
  readonly #ready: (() => void)[] = [];
  readonly #timers: Timer[] = [];
  #order = 0;
  #nowMs = 0;
  #steps = 0;
  #wallSkewMs = 0;
  #asleepMs = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  get steps(): number {
    return this.#steps;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return WALL_START_MS + Math.floor(this.#nowMs + this.#wallSkewMs);
  }

  bootMs(): number {
    return this.#nowMs + this.#asleepMs;
  }

  /** Somebody sets the calendar clock. */
  jumpWall(byMs: number): void {
    this.#wallSkewMs = Math.max(-WALL_START_MS / 2, this.#wallSkewMs + byMs);
  }

  /** The machine sleeps: the monotonic clock and everything on the machine stands still meanwhile. */
  suspend(forMs: number): void {
    this.#asleepMs += forMs;
    this.#wallSkewMs += forMs;
  }

  /** Runs `action` soon; among everything that is ready, the seed decides what comes first. */
  post(action: () => void): void {
    this.#ready.push(action);
  }

  /** Runs `action` after `ms` of monotonic time. @returns the way to call it off */
  after(ms: number, action: () => void): () => void {
    // Whole milliseconds, never early: a remainder too small to move the clock would ring for ever.
    const timer: Timer = { atMs: Math.ceil(this.#nowMs + Math.max(0, ms)), order: this.#order++, action };
    insert(this.#timers, timer);
    return () => {
      timer.action = null;
    };
  }

  /** @param isDone - asked whenever nothing is ready, before time moves */
  async run(isDone: () => boolean, limits: RunLimits): Promise<RunEnd> {
    let stepsNow = 0;
    for (;;) {
      await settled();
      if (this.#ready.length > 0) {
        if (++this.#steps > limits.steps) return "too-many-steps";
        if (++stepsNow > STEPS_PER_INSTANT_MAX) return "time-stands-still";
        this.#takeReady()();
        continue;
      }
      if (isDone()) return "done";
      if (this.#ready.length > 0) continue;
      const timer = this.#nextTimer();
      if (timer === undefined) return "nothing-left";
      if (timer.atMs > limits.untilMs) return "too-much-time";
      if (timer.atMs > this.#nowMs) stepsNow = 0;
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      timer.action?.();
    }
  }

  #takeReady(): () => void {
    const ready = this.#ready;
    const index = ready.length === 1 ? 0 : Math.floor(this.#random.next() * ready.length);
    const [action] = ready.splice(index, 1);
    return action as () => void;
  }

  #nextTimer(): Timer | undefined {
    for (;;) {
      const timer = removeFirst(this.#timers);
      if (timer === undefined || timer.action !== null) return timer;
    }
  }
}

/** Resolves when all microtasks have run: an immediate comes after them. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Binary heap, the earliest first. */
function insert(heap: Timer[], timer: Timer): void {
  let index = heap.length;
  heap.push(timer);
  while (index > 0) {
    const parent = (index - 1) >> 1;
    const other = heap[parent] as Timer;
    if (!isBefore(timer, other)) break;
    heap[index] = other;
    index = parent;
  }
  heap[index] = timer;
}

function removeFirst(heap: Timer[]): Timer | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && isBefore(heap[child + 1] as Timer, heap[child] as Timer)) child++;
    const other = heap[child] as Timer;
    if (!isBefore(other, last)) break;
    heap[index] = other;
    index = child;
  }
  heap[index] = last;
  return first;
}
