/** What the cases need from whoever runs them, and what they share. */
import { strict as assert } from "node:assert";
import type { Clock } from "../../core/clock.ts";
import type {
  AnswerBlock,
  AssistantBlock,
  Message,
  ModelAdapter,
  ModelFailure,
  ModelPart,
  ModelRequest,
} from "../contract.ts";
import type { Script, ScriptTurn } from "../script-schema.ts";

/** An adapter in front of something that plays a script. */
export interface ModelRig extends AsyncDisposable {
  readonly adapter: ModelAdapter;
  /** What reached the provider, oldest first: the bodies as text. */
  sent(): readonly string[];
  /** Requests that the provider still works on; undefined where nobody can tell. */
  openRequests(): number | undefined;
}

/** A backend under test. */
export interface ModelSubject {
  /** Backend name as in the registry. */
  readonly kind: string;
  /** A real one: connections do not know any other. */
  readonly clock: Clock;
  /** Does the wire carry proofs of thinking, which must come back unchanged? */
  readonly hasSignatures: boolean;
  /** Does the wire tell how much was written to the cache? */
  readonly countsCacheWrites: boolean;
  /** Can the wire leave the usage out? */
  readonly canOmitUsage: boolean;
  /** Makes a fresh rig. `idleMs` is the silence after which a request must fail. */
  open(script: Script, options?: { readonly idleMs?: number }): Promise<ModelRig>;
  /** The JSON of the list of messages within a body. */
  messagesOf(body: string): string;
}

/** A request without a history. */
export const FIRST_REQUEST: ModelRequest = {
  model: "conformance-model",
  system: "You are being tested.",
  tools: [
    {
      name: "shell",
      description: "Runs a command.",
      inputSchema: { type: "object", properties: { command: { type: "string" } }, required: ["command"] },
    },
    {
      name: "read",
      description: "Reads a file.",
      inputSchema: { type: "object", properties: { path: { type: "string" } }, required: ["path"] },
    },
  ],
  messages: [{ role: "user", text: 'Do it: “ü” \u{1F319} \n\t"quoted"' }],
  maxOutputTokens: 1000,
};

/** An answer, taken apart. */
export interface CollectedAnswer {
  readonly parts: readonly ModelPart[];
  readonly blocks: readonly AnswerBlock[];
  readonly end: Extract<ModelPart, { type: "finished" | "failed" }>;
}

/** Reads an answer to its end, checking the order of the parts on the way. */
export async function ask(
  rig: Pick<ModelRig, "adapter">,
  request: ModelRequest = FIRST_REQUEST,
  signal: AbortSignal = new AbortController().signal,
): Promise<CollectedAnswer> {
  const parts: ModelPart[] = [];
  for await (const part of rig.adapter.stream(request, signal)) parts.push(part);
  const ends = parts.filter((part) => part.type === "finished" || part.type === "failed");
  const [end] = ends;
  assert.equal(ends.length, 1, `one end, not ${ends.length}: ${JSON.stringify(ends)}`);
  assert.ok(end !== undefined && parts.at(-1) === end, "nothing comes after the end");
  const starts = parts.flatMap((part, index) => (part.type === "started" ? [index] : []));
  assert.ok(starts.length <= 1 && (starts[0] ?? 0) === 0, "`started` comes once at the most, and first");
  const blocks = parts.flatMap((part) => (part.type === "block" ? [part.block] : []));
  return { parts, blocks, end };
}

/** As {@link ask}, for a request that has to succeed. */
export async function askFor(rig: ModelRig, request?: ModelRequest): Promise<CollectedAnswer> {
  const answer = await ask(rig, request);
  assert.equal(answer.end.type, "finished", JSON.stringify(answer.end));
  return answer;
}

/** As {@link ask}, for a request that has to fail. */
export async function askInVain(rig: ModelRig, request?: ModelRequest): Promise<ModelFailure> {
  const { end } = await ask(rig, request);
  assert.equal(end.type, "failed", JSON.stringify(end));
  return end.type === "failed" ? end.failure : assert.fail();
}

/** The request that follows an answer: the history grows by it, by a result for each call, and by a person's words. */
export function followUp(
  request: ModelRequest,
  blocks: readonly AnswerBlock[],
  text = "Go on.",
): ModelRequest {
  const assistant: readonly AssistantBlock[] = blocks.map(({ invalid: _invalid, ...block }) => block);
  const results = assistant.flatMap((block): Message[] =>
    block.type === "tool_call"
      ? [
          {
            role: "tool",
            providerCallId: block.providerCallId,
            name: block.name,
            text: `result of ${block.providerCallId}`,
            isError: false,
          },
        ]
      : [],
  );
  const messages: readonly Message[] = [
    ...request.messages,
    { role: "assistant", blocks: assistant },
    ...results,
    { role: "user", text },
  ];
  return { ...request, messages };
}

/** A script of these turns. */
export function scriptOf(...turns: ScriptTurn[]): Script {
  return { turns };
}

const PATIENCE_MS = 10_000;

/** Waits for something to become true, but not for ever. */
export async function until(subject: ModelSubject, what: string, isTrue: () => boolean): Promise<void> {
  const startMs = subject.clock.monotonicMs();
  while (!isTrue()) {
    assert.ok(subject.clock.monotonicMs() - startMs < PATIENCE_MS, `${what} within ${PATIENCE_MS} ms`);
    await subject.clock.sleep(1);
  }
}
