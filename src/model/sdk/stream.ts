/** Runs one request through a model of the AI SDK; the part that the adapters share. */
import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider";
import type { Clock } from "../../core/clock.ts";
import type { ModelFailure, ModelPart } from "../contract.ts";
import { scrub } from "../failure.ts";
import { AnswerCollector } from "./answer.ts";
import { Connection } from "./connection.ts";

/** Silence that ends an exchange, unless the caller says otherwise. */
export const IDLE_MS = 120_000;

/** One request, ready to go. */
export interface SdkCall {
  /** Key for the provider's data in our blocks. */
  readonly provider: string;
  /** Key under which the SDK hands that data out. */
  readonly metadataKey: string;
  /** Does thinking go back although it carries no proof? */
  readonly keepsUnsigned: boolean;
  readonly clock: Clock;
  readonly idleMs: number;
  readonly key: string | undefined;
  /** Makes the SDK's model; it must use this `fetch` and no other. */
  readonly model: (fetch: typeof globalThis.fetch) => Promise<LanguageModelV4>;
  readonly options: Omit<LanguageModelV4CallOptions, "abortSignal">;
}

/** Streams the answer; whatever goes wrong is its last part. */
export async function* streamCall(call: SdkCall, signal: AbortSignal): AsyncGenerator<ModelPart> {
  const connection = new Connection(call.clock, call.idleMs, signal);
  try {
    for await (const part of answerOf(call, connection)) {
      yield part.type === "failed" ? { ...part, failure: scrubbed(part.failure, call.key) } : part;
      if (part.type === "failed" || part.type === "finished") return;
    }
  } catch (error) {
    const { failure, usage } = connection.failureOf(error);
    yield { type: "failed", failure: scrubbed(failure, call.key), usage };
  } finally {
    connection.close();
  }
}

async function* answerOf(call: SdkCall, connection: Connection): AsyncGenerator<ModelPart> {
  const model = await call.model(connection.fetch);
  const { stream } = await connection.wait(
    model.doStream({ ...call.options, abortSignal: connection.signal }),
  );
  yield { type: "started" };
  const collector = new AnswerCollector(call.provider, call.metadataKey, call.keepsUnsigned);
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await connection.wait(reader.read());
    if (done) break;
    yield* collector.partsOf(value);
  }
  yield {
    type: "failed",
    failure: { class: "garbage", message: "the stream ended without an end" },
    usage: undefined,
  };
}

function scrubbed(failure: ModelFailure, key: string | undefined): ModelFailure {
  return { ...failure, message: scrub(failure.message, key) };
}
