/** The model as one process reaches it: the scripted model behind the points where faults strike. */
import type { SessionId } from "../../src/core/ids.ts";
import type { ModelAdapter, ModelErrorClass, ModelPart, ModelRequest } from "../../src/model/contract.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";

/** Sees every request as it arrives at the provider, and once more when its adapter is through with it. */
export interface ModelWatch {
  onRequest(process: Process, session: SessionId, number: number, epoch: number, request: ModelRequest): void;
  onRequestOver(session: SessionId, number: number, request: ModelRequest): void;
}

/** What a model seam is made of. */
export interface ModelSeamParts {
  readonly process: Process;
  readonly session: SessionId;
  /** Of the intent that this request stands for. */
  readonly number: number;
  /** Of the lease under which it is sent. */
  readonly epoch: number;
  readonly provider: ModelAdapter;
  readonly watch: ModelWatch;
  readonly random: Random;
}

const REFUSALS: readonly ModelErrorClass[] = [
  "rate_limit",
  "overloaded",
  "network",
  "timeout",
  "garbage",
  "unknown",
];

/** A model adapter for one request. */
export function createSimulatedModel(parts: ModelSeamParts): ModelAdapter {
  return { provider: "scripted", stream: (request, signal) => stream(parts, request, signal) };
}

async function* stream(
  parts: ModelSeamParts,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelPart> {
  const { process, session, random } = parts;
  const before = await process.at("request.before", session, `${parts.number}`);
  if (before.kind === "refuse") {
    yield failed(random.pick(REFUSALS), "the provider refused");
    return;
  }
  parts.watch.onRequest(process, session, parts.number, parts.epoch, request);
  try {
    yield* answer(parts, request, signal);
  } finally {
    // An adapter may read the messages until its very end, even after it was told to give up.
    parts.watch.onRequestOver(session, parts.number, request);
  }
}

async function* answer(
  parts: ModelSeamParts,
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelPart> {
  const { process, session } = parts;
  for await (const part of parts.provider.stream(request, signal)) {
    if (part.type === "delta") {
      yield part;
      continue;
    }
    const after = await process.at("part.after", session, describe(part));
    if (after.kind === "no-reply") await process.silence(signal).catch(() => undefined);
    if (after.kind === "no-reply" || after.kind === "lose-reply") {
      yield failed("network", "the stream broke off");
      return;
    }
    yield part;
  }
}

function failed(errorClass: ModelErrorClass, message: string): ModelPart {
  return { type: "failed", failure: { class: errorClass, message }, usage: undefined };
}

function describe(part: ModelPart): string {
  switch (part.type) {
    case "block":
      return part.block.type === "tool_call" ? `tool_call ${part.block.name}` : part.block.type;
    case "failed":
      return `failed ${part.failure.class}`;
    default:
      return part.type;
  }
}
