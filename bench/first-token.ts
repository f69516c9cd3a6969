/**
 * Time to the first token while the sandbox is still being made. Ours sends the model request beside the provisioning;
 * an eager harness, which is what most do, provisions first.
 */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SandboxId } from "../src/core/ids.ts";
import { wake } from "../src/runtime/wake.ts";
import type { SandboxBackend, SandboxSpec } from "../src/sandbox/contract.ts";
import type { Store } from "../src/store/contract.ts";
import type { Benchmark, RunOptions } from "./benchmark.ts";
import { InstantBackend, InstantModel } from "./instant.ts";
import { createHarness, createWorkloadSession } from "./loop.ts";
import { compared, type Figure, type Result } from "./report.ts";
import { type Pair, summarizePairs } from "./statistics.ts";
import { openStore } from "./store.ts";
import { Workload } from "./workload.ts";

/** How long making the sandbox takes, and how often that is measured. */
const TIMES: readonly { readonly ms: number; readonly reps: number }[] = [
  { ms: 200, reps: 15 },
  { ms: 1_000, reps: 10 },
  { ms: 5_000, reps: 9 },
  { ms: 20_000, reps: 1 },
];
const TINY_TIMES: typeof TIMES = [{ ms: 20, reps: 1 }];

/** Takes its time to make a sandbox, and no longer than somebody waits for it. */
class SlowBackend extends InstantBackend {
  readonly #ms: number;

  constructor(workload: Workload, ms: number) {
    super(workload);
    this.#ms = ms;
  }

  override async provision(spec: SandboxSpec, signal?: AbortSignal): ReturnType<InstantBackend["provision"]> {
    await sleep(this.#ms, undefined, { signal });
    return super.provision(spec);
  }
}

class FirstToken {
  readonly #store: Store;
  readonly #workload = new Workload();

  constructor(store: Store) {
    this.#store = store;
  }

  /** @returns milliseconds until the model has said its first word */
  async ours(provisionMs: number): Promise<number> {
    return this.#drive(new SlowBackend(this.#workload, provisionMs), performance.now());
  }

  /** The same harness, made to wait for its sandbox first. */
  async eager(provisionMs: number): Promise<number> {
    const startedMs = performance.now();
    const spec = { id: "sbox_eager" as SandboxId, workspace: "/", noContactMs: 60_000, options: {} };
    const backend = new SlowBackend(this.#workload, provisionMs);
    await backend.provision(spec);
    return this.#drive(new InstantBackend(this.#workload), startedMs);
  }

  async #drive(backend: SandboxBackend, startedMs: number): Promise<number> {
    const sessionId = await createWorkloadSession(this.#store);
    const stop = new AbortController();
    const first = Promise.withResolvers<number>();
    const model = new InstantModel(this.#workload, () => {
      first.resolve(performance.now() - startedMs);
      return new Promise(() => undefined);
    });
    const harness = createHarness(this.#store, this.#workload, model);
    const { worker } = await harness.resolve({} as never, {} as never);
    const ended = wake({ ...harness, resolve: async () => ({ worker, backend }) }, sessionId, {
      signal: stop.signal,
    });
    const ms = await first.promise;
    stop.abort();
    await ended;
    return ms;
  }
}

async function figuresFor(subject: FirstToken, ms: number, reps: number): Promise<Figure[]> {
  const still: Pair[] = [];
  const eager: Pair[] = [];
  for (let rep = 0; rep < reps; rep++) {
    const ours = await subject.ours(ms);
    still.push({ ours, baseline: await subject.ours(0) });
    eager.push({ ours, baseline: await subject.eager(ms) });
  }
  const name = `sandbox takes ${ms / 1000} s`;
  const target = ms === 5_000 ? ({ of: "ratio", atMost: 1.05 } as const) : null;
  return [
    compared(name, "ms, against ours with a sandbox at once", summarizePairs(still), target),
    compared(name, "ms, against an eager harness", summarizePairs(eager), null),
  ];
}

async function run({ folder, isTiny, onProgress }: RunOptions): Promise<Result> {
  const store = await openStore(join(folder, "state"), "inline");
  const subject = new FirstToken(store);
  // The first sessions pay for what is compiled and opened once.
  for (let warmUp = 0; warmUp < (isTiny ? 1 : 20); warmUp++) await subject.ours(0);
  const figures: Figure[] = [];
  for (const { ms, reps } of isTiny ? TINY_TIMES : TIMES) {
    onProgress(`a sandbox that takes ${ms} ms`);
    figures.push(...(await figuresFor(subject, ms, reps)));
  }
  await store.close();
  return {
    parameters: { model: "answers at once" },
    figures: figures.toSorted((left, right) => left.unit.localeCompare(right.unit)),
    notes: ["The eager harness is the same one, made to wait for its sandbox before it asks."],
  };
}

/** Time to first token. */
export const firstToken: Benchmark = {
  name: "first-token",
  summary: "time to the first token while the sandbox is being made",
  run,
};
