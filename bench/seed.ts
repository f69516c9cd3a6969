/**
 * Long logs, written straight to the store: event for event what the harness writes, without waiting for a commit
 * twice a turn. Each thread begins with a message of a person and has the same number of turns.
 */
import { closeTurn, emptyContext, reduceContext, tokensOf } from "../src/core/context.ts";
import { type EventBody, type EventInput, event } from "../src/core/events/index.ts";
import { FOLD_DIGEST } from "../src/core/fold-digest.ts";
import { callId, type SessionId, sandboxId, threadId } from "../src/core/ids.ts";
import { reduce } from "../src/core/reduce.ts";
import { NO_REDACTION, placed, type SealedEvent, seal } from "../src/core/seal.ts";
import { emptyState } from "../src/core/state.ts";
import { summarize } from "../src/core/summary.ts";
import type { Lease, Store } from "../src/store/contract.ts";
import { READ_TOOL } from "./instant.ts";
import { createWorkloadSession, SESSION_CONFIG } from "./loop.ts";
import { OWNER } from "./store.ts";
import { QUESTION, type Workload } from "./workload.ts";

/** Events per append; the harness takes a snapshot about as often. */
const BATCH_EVENTS = 390;

/** How long a log is to be. */
export interface LogLength {
  readonly threads: number;
  /** Turns of each thread. */
  readonly turns: number;
}

/** Makes a session that stopped while its model was asked for the turn after the last one. */
export async function seedSession(store: Store, workload: Workload, length: LogLength): Promise<SessionId> {
  const sessionId = await createWorkloadSession(store);
  const claim = await store.claim(sessionId, { owner: OWNER, ttlMs: 600_000, at: Date.now() });
  if (claim.status !== "claimed") throw new Error("somebody else drives a session that was made just now");
  const log = new Log(store, sessionId, claim.lease);
  await log.read();
  for (let thread = 0; thread < length.threads; thread++) {
    await log.openThread(thread);
    for (let turn = 0; turn < length.turns; turn++) await log.takeTurn(workload, turn);
  }
  await log.flush();
  await store.release(claim.lease, { seq: log.seq, due: null });
  return sessionId;
}

class Log {
  readonly #store: Store;
  readonly #sessionId: SessionId;
  readonly #lease: Lease;
  #state;
  #context = emptyContext();
  #sealed: SealedEvent[] = [];
  #appends = 0;

  constructor(store: Store, sessionId: SessionId, lease: Lease) {
    this.#store = store;
    this.#sessionId = sessionId;
    this.#lease = lease;
    this.#state = emptyState(sessionId);
  }

  get seq(): number {
    return this.#state.seq;
  }

  /** Folds what the session was made with. */
  async read(): Promise<void> {
    for (const item of await this.#store.getEvents(this.#sessionId, { after: 0, limit: 10 })) {
      this.#state = reduce(this.#state, item);
      this.#context = reduceContext(this.#context, item);
    }
  }

  async openThread(index: number): Promise<void> {
    if (index === 0) {
      this.#add(event("harness.woke", { epoch: this.#lease.epoch, owner: OWNER.harness, version: "0" }));
      this.#add(event("session.status_running", {}));
      this.#add(this.#threadCreated("start", 1));
      this.#add(event("harness.input_accepted", { seqs: [2] }));
      const sandbox = sandboxId(this.#sessionId, 0);
      this.#add(event("sandbox.requested", { sandbox, backend: "instant" }));
      this.#startRequest();
      this.#add(event("sandbox.ready", { sandbox, incarnation: "1", handle: { id: sandbox } }));
      return;
    }
    // The open request is answered first: a reset comes between two turns.
    this.#add(this.#answered());
    this.#add(this.#threadCreated("reset", this.seq + 1));
    this.#add(event("user.message", { content: [{ type: "text", text: QUESTION }] }));
    this.#add(event("harness.input_accepted", { seqs: [this.seq] }));
    this.#startRequest();
    await this.#flushWhenFull();
  }

  async takeTurn(workload: Workload, turn: number): Promise<void> {
    const request = this.#state.requests;
    const call = callId(request, 0);
    const at = Date.now();
    this.#add(this.#answered());
    this.#add(event("agent.message", { request, content: [{ type: "text", text: workload.text(turn) }] }));
    this.#add(
      event("agent.tool_use", {
        request,
        call,
        provider_call_id: `call_${turn}`,
        name: READ_TOOL.name,
        input: workload.input(turn),
        evaluated_permission: "allow",
        effect: "read_only",
      }),
    );
    const sandbox = sandboxId(this.#sessionId, 0);
    this.#add(event("tool.started", { call, run: 1, sandbox, incarnation: "1", at }));
    this.#add(
      event("agent.tool_result", {
        call,
        run: 1,
        content: [{ type: "text", text: workload.result(turn) }],
        is_error: false,
        ending: "exited",
        exit_code: 0,
        duration_ms: 0,
        dropped_bytes: 0,
        in_doubt: false,
      }),
    );
    this.#startRequest();
    await this.#flushWhenFull();
  }

  async flush(): Promise<void> {
    if (this.#sealed.length === 0) return;
    const result = await this.#store.append(this.#lease, {
      appendId: `${this.#lease.epoch}.${++this.#appends}`,
      at: Date.now(),
      events: this.#sealed,
      snapshot: { fold: FOLD_DIGEST, body: JSON.stringify(this.#state) },
      summary: summarize(this.#state),
    });
    if (result.status !== "appended" || result.seq !== this.seq)
      throw new Error(`not appended: ${result.status}`);
    this.#sealed = [];
  }

  async #flushWhenFull(): Promise<void> {
    if (this.#sealed.length >= BATCH_EVENTS) await this.flush();
  }

  #add(input: EventInput): void {
    const sealed = seal(input, NO_REDACTION);
    const item = placed(sealed, this.seq + 1, Date.now());
    this.#state = reduce(this.#state, item);
    this.#context = reduceContext(this.#context, item);
    this.#sealed.push(sealed);
  }

  #startRequest(): void {
    this.#context = closeTurn(this.#context);
    const reservation = { tokens: tokensOf(this.#context) + 8192, cost_micro_usd: 0 };
    this.#add(
      event("span.model_request_start", {
        request: this.#state.requests + 1,
        session_thread_id: this.#state.thread?.id ?? "",
        epoch: this.#lease.epoch,
        model: "instant:instant-1",
        through_seq: this.seq,
        context_hash: this.#context.digest,
        reservation,
      }),
    );
  }

  #answered(): EventInput {
    return event("span.model_request_end", {
      request: this.#state.requests,
      outcome: "answered",
      is_error: false,
      stop_reason: "tool_use",
      duration_ms: 0,
      model_usage: {
        input_tokens: 100,
        output_tokens: 200,
        cache_read_input_tokens: 1000,
        cache_creation_input_tokens: 0,
      },
    });
  }

  #threadCreated(reason: EventBody<"session.thread_created">["reason"], fromSeq: number): EventInput {
    const { name, description, inputSchema } = READ_TOOL.description;
    const { agent } = SESSION_CONFIG;
    return event("session.thread_created", {
      session_thread_id: threadId(this.#sessionId, this.#state.threads),
      agent_name: agent.name,
      reason,
      renderer: 1,
      system: agent.system,
      tools: [{ name, description, input_schema: { ...inputSchema } }],
      model: agent.model,
      from_seq: fromSeq,
    });
  }
}
