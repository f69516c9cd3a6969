/**
 * The scripted model: plays a script instead of asking anybody. For demonstrations, tests and rehearsals without a
 * key. It keeps what it was sent, and fails on cue.
 */
import { appendFileSync } from "node:fs";
import type { Clock } from "../core/clock.ts";
import type { Message } from "../core/message.ts";
import type { Json } from "../core/text.ts";
import type {
  AnswerBlock,
  ModelAdapter,
  ModelFailure,
  ModelPart,
  ModelRequest,
  ModelUsage,
} from "./contract.ts";
import { classOfErrorType, failureOfResponse, NO_USAGE } from "./failure.ts";
import {
  type Script,
  type ScriptBlock,
  type ScriptChunk,
  type ScriptCue,
  type ScriptedAttempt,
  type ScriptFault,
  ScriptPlayer,
  type ScriptTurn,
} from "./script.ts";

export { loadScript, parseScript } from "./script.ts";
export type { Script, ScriptFault, ScriptTurn };

const IDLE_MS = 120_000;
const REQUESTS_KEPT = 1000;

/** Makes answers in code instead of from a list. Should depend on the request alone. */
export type Respond = (request: ModelRequest) => ScriptTurn;

/** How a scripted model plays. */
export interface ScriptedModelOptions {
  readonly clock: Clock;
  /** For `${name}` in the script; overrides the script's own. */
  readonly variables?: { readonly [name: string]: string };
  /** Silence after which an attempt fails as a real adapter would make it fail (class `timeout`). */
  readonly idleMs?: number;
  /** How many requests stay in memory, the newest ones. */
  readonly requestsKept?: number;
}

/** A model adapter that also tells what it was asked. */
export interface ScriptedModel extends ModelAdapter {
  /** What it was sent, oldest first; bounded by `requestsKept`. */
  readonly requests: readonly ModelRequest[];
  /** All requests so far, including those no longer kept. */
  readonly requestCount: number;
}

/** @param source - a script, or a function that makes the turn for a request */
export function createScriptedModel(source: Script | Respond, options: ScriptedModelOptions): ScriptedModel {
  return new ScriptedAdapter(source, options);
}

function cueOf(messages: readonly Message[]): ScriptCue {
  let turnIndex = 0;
  let opening = "";
  for (const message of messages) {
    if (message.role === "assistant") turnIndex += 1;
    else if (message.role === "user" && turnIndex === 0) opening += `${message.text}\n`;
  }
  return { turnIndex, messageCount: messages.length, opening };
}

/** Ends a stream early; carried as an exception, so that no caller can go on by mistake. */
class EarlyEnd extends Error {
  readonly failure: ModelFailure;
  readonly usage: ModelUsage | undefined;

  constructor(failure: ModelFailure, usage?: ModelUsage) {
    super(failure.message);
    this.failure = failure;
    this.usage = usage;
  }
}

class ScriptedAdapter implements ScriptedModel {
  readonly provider = "scripted";
  readonly #script: Script;
  readonly #respond: Respond | undefined;
  readonly #player: ScriptPlayer;
  readonly #clock: Clock;
  readonly #idleMs: number;
  readonly #requestsKept: number;
  /** Callers may let the list of messages grow, so its length is kept, which is cheaper than a copy. */
  readonly #requests: { readonly request: ModelRequest; readonly count: number }[] = [];
  #requestCount = 0;

  constructor(source: Script | Respond, options: ScriptedModelOptions) {
    this.#script = typeof source === "function" ? { turns: [] } : source;
    this.#respond = typeof source === "function" ? source : undefined;
    this.#player = new ScriptPlayer(this.#script, options.variables);
    this.#clock = options.clock;
    this.#idleMs = options.idleMs ?? IDLE_MS;
    this.#requestsKept = options.requestsKept ?? REQUESTS_KEPT;
  }

  get requests(): readonly ModelRequest[] {
    return this.#requests.map(({ request, count }) => ({
      ...request,
      messages: request.messages.slice(0, count),
    }));
  }

  get requestCount(): number {
    return this.#requestCount;
  }

  async *stream(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelPart> {
    this.#keep(request);
    const attempt = this.#attemptFor(request);
    try {
      await this.#pause(attempt.delayMs, signal);
      await this.#failBeforeHead(attempt.fault, signal);
      yield { type: "started" };
      yield* this.#content(attempt, signal);
    } catch (error) {
      if (!(error instanceof EarlyEnd)) throw error;
      yield { type: "failed", failure: error.failure, usage: error.usage };
      return;
    }
    yield { type: "finished", stopReason: attempt.stopReason, usage: attempt.usage };
  }

  #keep(request: ModelRequest): void {
    this.#requestCount += 1;
    this.#requests.push({ request, count: request.messages.length });
    if (this.#requests.length > this.#requestsKept) this.#requests.shift();
    if (this.#script.requests_file !== undefined) {
      appendFileSync(this.#script.requests_file, `${JSON.stringify(request)}\n`);
    }
  }

  #attemptFor(request: ModelRequest): ScriptedAttempt {
    const cue = cueOf(request.messages);
    return this.#respond === undefined
      ? this.#player.play(cue)
      : this.#player.playTurn(this.#respond(request), cue);
  }

  async *#content(attempt: ScriptedAttempt, signal: AbortSignal): AsyncGenerator<ModelPart> {
    const { fault, blocks, chunks } = attempt;
    const faultAt =
      fault === undefined ? Number.POSITIVE_INFINITY : Math.min(afterChunks(fault), chunks.length);
    for (const [index, chunk] of chunks.entries()) {
      if (index === faultAt) await this.#failInStream(fault, signal);
      await this.#pause(attempt.chunkDelayMs, signal);
      const block = blocks[chunk.block];
      if (block !== undefined) yield* partsOf(block, chunk);
    }
    if (faultAt === chunks.length) await this.#failInStream(fault, signal);
    if (chunks.length === 0 && attempt.stopReason !== "refusal") {
      throw new EarlyEnd({ class: "garbage", message: "the model answered nothing" });
    }
  }

  /** Waits as long as a real connection would: to the limit on silence, or until somebody aborts. */
  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    try {
      signal.throwIfAborted();
      if (ms > 0) await this.#clock.sleep(Math.min(ms, this.#idleMs), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
      throw new EarlyEnd({ class: "network", message: "the request was aborted" });
    }
    if (ms >= this.#idleMs) {
      throw new EarlyEnd({ class: "timeout", message: `nothing came for ${this.#idleMs} ms` });
    }
  }

  async #failBeforeHead(fault: ScriptFault | undefined, signal: AbortSignal): Promise<void> {
    if (fault?.kind === "reset") {
      throw new EarlyEnd({ class: "network", message: "the connection was reset" });
    }
    if (fault?.kind === "silence" && afterChunks(fault) === 0) await this.#pause(this.#idleMs, signal);
    if (fault?.kind !== "status") return;
    const message = fault.message ?? `scripted status ${fault.status}`;
    const headers = lowerCase(fault.headers ?? {});
    const described = fault.error_type === undefined ? message : `${fault.error_type}: ${message}`;
    const response = { status: fault.status, message: described, headers };
    throw new EarlyEnd(failureOfResponse(response, this.#clock.wallMs()), NO_USAGE);
  }

  async #failInStream(fault: ScriptFault | undefined, signal: AbortSignal): Promise<void> {
    switch (fault?.kind) {
      case "cut":
        throw new EarlyEnd({ class: "network", message: "the stream broke off" });
      case "no_finish":
        throw new EarlyEnd({ class: "garbage", message: "the stream ended without an end" });
      case "garbage":
        throw new EarlyEnd({ class: "garbage", message: "the stream cannot be read" });
      case "error_event": {
        const message = fault.message ?? "scripted error";
        throw new EarlyEnd({ class: classOfErrorType(fault.error_type, message), message });
      }
      case "silence":
        return this.#pause(this.#idleMs, signal);
      default:
        return undefined;
    }
  }
}

function afterChunks(fault: ScriptFault): number {
  if (fault.kind === "status" || fault.kind === "reset") return Number.POSITIVE_INFINITY;
  return fault.after_chunks ?? 0;
}

function* partsOf(block: ScriptBlock, chunk: ScriptChunk): Generator<ModelPart> {
  if (chunk.text !== "") yield { type: "delta", kind: kindOf(block), text: chunk.text };
  if (chunk.isLast) yield { type: "block", block: answerBlock(block) };
}

function kindOf(block: ScriptBlock): "text" | "thinking" | "tool_input" {
  if (block.type === "tool_call") return "tool_input";
  return block.type === "text" ? "text" : "thinking";
}

function answerBlock(block: ScriptBlock): AnswerBlock {
  switch (block.type) {
    case "thinking":
      return {
        type: "thinking",
        text: block.text,
        provider: { scripted: { signature: block.signature } },
      };
    case "redacted_thinking":
      return { type: "thinking", text: "", provider: { scripted: { redactedData: block.data } } };
    case "text":
      return block;
    case "tool_call":
      return callBlock(block);
  }
}

function callBlock(block: ScriptBlock & { readonly type: "tool_call" }): AnswerBlock {
  const call = { type: "tool_call", providerCallId: block.id, name: block.name } as const;
  try {
    return { ...call, input: JSON.parse(block.raw) as Json };
  } catch {
    return { ...call, input: block.raw, invalid: "the input is not JSON" };
  }
}

function lowerCase(headers: { readonly [name: string]: string }): { readonly [name: string]: string } {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
