/** A whole runtime in memory: store, clock, sandboxes, a scripted model, and as many harnesses as a test wants. */
import type {
  ClientEventInput,
  EventBody,
  EventInput,
  EventType,
  SessionEvent,
} from "../../src/core/events/index.ts";
import type { SessionId } from "../../src/core/ids.ts";
import { NO_REDACTION } from "../../src/core/seal.ts";
import type { ModelAdapter } from "../../src/model/contract.ts";
import {
  createScriptedModel,
  type Respond,
  type Script,
  type ScriptedModel,
} from "../../src/model/scripted.ts";
import { type ClientParts, createSession, sendEvents } from "../../src/runtime/client.ts";
import type { DayCaps } from "../../src/runtime/day-tally.ts";
import { type Harness, type WakeOptions, type WakeResult, wake } from "../../src/runtime/wake.ts";
import type { Owner, Store } from "../../src/store/contract.ts";
import { createMemoryData, createMemoryStore, type MemoryData } from "../../src/store/memory.ts";
import { builtinTools, sessionTools } from "../../src/tool/builtin.ts";
import { createLoopWorker } from "../../src/worker/loop.ts";
import { configWith, said, type Variations } from "./events.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemorySandboxes } from "./memory-sandbox.ts";

/** What a world is made of; everything has a plain default. */
export interface WorldParts {
  readonly script?: Script | Respond;
  /** Instead of the scripted model. */
  readonly model?: (world: World) => ModelAdapter;
  /** Wraps the store, for example to hold a call. */
  readonly store?: (store: Store) => Store;
  readonly snapshotEvents?: number;
  readonly dayCaps?: DayCaps;
}

/** One test's world. */
export class World {
  readonly clock: ManualClock = new ManualClock();
  readonly sandboxes: MemorySandboxes = new MemorySandboxes(this.clock);
  readonly data: MemoryData = createMemoryData();
  readonly store: Store;
  readonly scripted: ScriptedModel;
  readonly dead: Set<string> = new Set();
  /** For tests whose store is slow at times. */
  slow = false;
  readonly #model: ModelAdapter;
  readonly #parts: WorldParts;
  #unique = 0;

  constructor(parts: WorldParts = {}) {
    this.#parts = parts;
    const plain = createMemoryStore({
      clock: this.clock,
      data: this.data,
      probe: { isDead: ({ harness }) => this.dead.has(harness) },
    });
    this.store = parts.store?.(plain) ?? plain;
    this.scripted = createScriptedModel(parts.script ?? { turns: [] }, { clock: this.clock });
    this.#model = parts.model?.(this) ?? this.scripted;
  }

  /** A harness of its own: another process, as far as the store can tell. */
  harness(name = "harness-1", store: Store = this.store): Harness {
    const tools = new Map([...builtinTools(), ...sessionTools()].map((tool) => [tool.name, tool]));
    const { snapshotEvents, dayCaps } = this.#parts;
    return {
      store,
      clock: this.clock,
      owner: ownerOf(name),
      redactor: NO_REDACTION,
      tools,
      version: "0.0.0",
      leaseTtlMs: 10_000,
      ...(snapshotEvents !== undefined && { snapshotEvents }),
      ...(dayCaps !== undefined && { dayCaps }),
      resolve: async ({ policy }) => ({
        worker: createLoopWorker({ model: this.#model, tools, clock: this.clock, policy }),
        backend: this.sandboxes,
      }),
    };
  }

  get client(): ClientParts {
    return {
      store: this.store,
      clock: this.clock,
      redactor: NO_REDACTION,
      chance: { unique: (length) => String(++this.#unique).padStart(length, "0") },
    };
  }

  create(variations: Variations = {}, ...first: readonly EventInput[]): Promise<SessionId> {
    const config = configWith({ tools: ["bash", "write", "read"], ...variations });
    const messages = first.length > 0 ? first : [said("go")];
    return createSession(this.client, config, messages as ClientEventInput[]);
  }

  send(sessionId: SessionId, ...inputs: readonly EventInput[]): Promise<unknown> {
    return sendEvents(this.client, sessionId, inputs as ClientEventInput[]);
  }

  wake(sessionId: SessionId, options?: WakeOptions, harness: Harness = this.harness()): Promise<WakeResult> {
    return wake(harness, sessionId, options);
  }

  log(sessionId: SessionId): Promise<readonly SessionEvent[]> {
    return this.store.getEvents(sessionId, { after: 0, limit: 10_000 });
  }

  async types(sessionId: SessionId): Promise<readonly string[]> {
    return (await this.log(sessionId)).map(({ type }) => type);
  }
}

/** Who a harness of that name claims to be. */
export function ownerOf(harness: string): Owner {
  return { harness, bootId: "boot", pidNamespace: "ns", pid: 1, startTime: "1" };
}

/** The bodies of all events of one type. */
export function bodiesOf<T extends EventType>(
  log: readonly SessionEvent[],
  type: T,
): readonly EventBody<T>[] {
  return log.flatMap((event) => (event.type === type ? [event.body as EventBody<T>] : []));
}
