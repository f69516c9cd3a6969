/** Our side of a comparison: the harness itself, driven by `wake`, halted at model calls between measurements. */

import type { EventBody } from "../src/core/events/index.ts";
import { event } from "../src/core/events/index.ts";
import type { SessionId } from "../src/core/ids.ts";
import { createRedactor } from "../src/core/redact.ts";
import { createSession } from "../src/runtime/client.ts";
import { systemChance, systemClock } from "../src/runtime/system.ts";
import { type Harness, LEASE_TTL_MS, wake } from "../src/runtime/wake.ts";
import type { Store } from "../src/store/contract.ts";
import { createLoopWorker } from "../src/worker/loop.ts";
import { InstantBackend, InstantModel, type ModelCall, READ_TOOL } from "./instant.ts";
import { OWNER } from "./store.ts";
import { QUESTION, type Workload } from "./workload.ts";

/** What the sessions of all benchmarks are made with. */
export const SESSION_CONFIG: EventBody<"session.created"> = {
  metadata: {},
  agent: {
    name: "bench",
    worker: "loop",
    model: { provider: "instant", id: "instant-1", max_output_tokens: 8192 },
    system: "You read files and tell what each of them is for.",
    tools: [READ_TOOL.name],
  },
  sandbox: { backend: "instant", workspace: "/workspace", options: {} },
  limits: {},
  policy: {
    steering: "enqueue",
    idle_timeout_ms: 600_000,
    sandbox_grace_ms: 600_000,
    tool_wall_ms: 600_000,
    model_failures_max: 10,
    no_contact_ms: 600_000,
  },
};

const REDACTOR = createRedactor({ secrets: ["a-secret-that-no-text-of-the-workload-holds"] });

/** The harness as it is, with a model and a sandbox that answer at once. */
export function createHarness(store: Store, workload: Workload, model: InstantModel): Harness {
  const tools = new Map([[READ_TOOL.name, READ_TOOL]]);
  const worker = createLoopWorker({ model, tools, clock: systemClock });
  const backend = new InstantBackend(workload);
  return {
    store,
    clock: systemClock,
    owner: OWNER,
    redactor: REDACTOR,
    tools,
    version: "0",
    leaseTtlMs: LEASE_TTL_MS,
    resolve: async () => ({ worker, backend }),
  };
}

/** Makes a session of the workload. */
export function createWorkloadSession(store: Store): Promise<SessionId> {
  const parts = { store, clock: systemClock, chance: systemChance, redactor: REDACTOR };
  const question = event("user.message", { content: [{ type: "text", text: QUESTION }] });
  return createSession(parts, SESSION_CONFIG, [question]);
}

/** Lets a loop take so many turns at a time: it stands still at a model call in between. */
class Gate {
  #until = 0;
  #go: PromiseWithResolvers<void> = Promise.withResolvers();
  #arrived: PromiseWithResolvers<void> = Promise.withResolvers();

  /** The loop is about to call the model for `turn`. */
  readonly onCall: ModelCall = (turn) => {
    if (turn < this.#until) return undefined;
    this.#go = Promise.withResolvers();
    this.#arrived.resolve();
    return this.#go.promise;
  };

  /** Opens until the model call of turn `until`, and waits for it. */
  async openUntil(until: number): Promise<void> {
    this.#until = until;
    this.#arrived = Promise.withResolvers();
    this.#go.resolve();
    await this.#arrived.promise;
  }
}

/** One session that `wake` drives, some turns at a time. */
export class HarnessLoop {
  readonly sessionId: SessionId;
  readonly #model: InstantModel;
  readonly #gate: Gate;
  readonly #stop = new AbortController();
  readonly #ended: Promise<unknown>;
  #turn = 0;

  private constructor(store: Store, workload: Workload, sessionId: SessionId, gate: Gate) {
    this.sessionId = sessionId;
    this.#gate = gate;
    this.#model = new InstantModel(workload, gate.onCall);
    const harness = createHarness(store, workload, this.#model);
    this.#ended = wake(harness, sessionId, { signal: this.#stop.signal });
  }

  /** Makes a session and brings it to its first model call. */
  static async start(store: Store, workload: Workload): Promise<HarnessLoop> {
    const gate = new Gate();
    const arrived = gate.openUntil(0);
    const loop = new HarnessLoop(store, workload, await createWorkloadSession(store), gate);
    await loop.#arrival(arrived);
    return loop;
  }

  /** Takes so many turns, from model call to model call. */
  async advance(turns: number, renders = false): Promise<void> {
    this.#model.renders = renders;
    this.#turn += turns;
    await this.#arrival(this.#gate.openUntil(this.#turn));
  }

  /** Gives the lease back. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  /** A loop that ends by itself has failed. */
  async #arrival(arrived: Promise<void>): Promise<void> {
    const end = await Promise.race([arrived, this.#ended]);
    if (end !== undefined) throw new Error(`the session ended: ${JSON.stringify(end)}`);
  }
}
