/**
 * What the model sees: a pure function of the log. Folded incrementally, message by message; a message, once
 * closed, never changes, so the prefix of a thread is stable through wakes, machines and harness versions.
 *
 * Order within a turn: the assistant's blocks, the results in call order, then messages of people in the order
 * they were picked up.
 */
import { hash } from "node:crypto";
import { bytesOf } from "./context-size.ts";
import { EMPTY_TURN, opened, renderTurn, type Turn } from "./context-turn.ts";
import { denialText } from "./contract/tell.ts";
import type { EventBody, SessionEvent } from "./events/index.ts";
import type { CallId, Sequence } from "./ids.ts";
import type { AssistantBlock, Message, ToolDescription } from "./message.ts";
import { LAYER_ITEM } from "./reduce/environment.ts";
import { kept, type Portions, withLast } from "./reduce/portions.ts";
import { type Json, joinedText, plainText } from "./text.ts";

/** The renderer that new threads pin. A changed rendering is a new number; old ones stay. */
export const RENDERER = 1;

/** Event types that a context is made of; a reader needs no others. */
export const CONTEXT_TYPES: readonly string[] = [
  "session.thread_created",
  "handoff.asked",
  "handoff.recorded",
  "user.message",
  "harness.input_accepted",
  "harness.input_rejected",
  "workspace.restored",
  "workspace.rewound",
  "environment.decided",
  "sandbox.services_failed",
  "contract.amended",
  "preflight.finished",
  "verdict.given",
  "approval.decided",
  "breaker.nudged",
  "span.model_request_start",
  "agent.thinking",
  "agent.message",
  "agent.tool_use",
  "agent.tool_result",
];

/** The fold of a thread's events. Treat as immutable: the message list is shared between versions. */
export interface Context {
  readonly thread: ThreadPins | null;
  /** Closed messages; only the first `count` belong to this version. */
  readonly messages: Message[];
  readonly count: number;
  /** Chained hash over the closed messages. */
  readonly digest: string;
  /** Size of the closed messages. */
  readonly bytes: number;
  /** The turn that is not closed yet. */
  readonly turn: Turn;
  /** Messages of people that no request has picked up. */
  readonly queue: Portions<WaitingText>;
  /** The newest, until a thread begins with it. */
  readonly handoff: { readonly number: number; readonly text: string } | null;
  /** How many messages there were before the answer to each of the latest requests. */
  readonly marks: readonly { readonly request: number; readonly count: number }[];
}

/** What the thread fixed at its start. */
export interface ThreadPins {
  readonly system: string;
  readonly tools: readonly ToolDescription[];
  readonly model: EventBody<"session.thread_created">["model"];
  /** Size of the system prompt and the tools' JSON. */
  readonly bytes: number;
}

interface WaitingText {
  readonly seq: Sequence;
  readonly text: string;
}

/** Answers whose places are known: more than a context is ever shortened to. */
const MARKS_MAX = 8;

/** The context before its first event. */
export function emptyContext(): Context {
  return {
    thread: null,
    messages: [],
    count: 0,
    digest: "",
    bytes: 0,
    turn: EMPTY_TURN,
    queue: [],
    handoff: null,
    marks: [],
  };
}

/** The context after a (hydrated) event. */
export function reduceContext(context: Context, event: SessionEvent): Context {
  switch (event.type) {
    case "session.thread_created":
      return openThread(context, event.body);
    case "user.message":
      return {
        ...context,
        queue: withLast(context.queue, { seq: event.seq, text: joinedText(event.body.content) }),
      };
    case "harness.input_accepted":
      return accept(context, event.body.seqs);
    case "harness.input_rejected":
      return { ...context, queue: without(context.queue, event.body.seqs) };
    case "workspace.restored":
    case "workspace.rewound":
    case "environment.decided":
    case "sandbox.services_failed":
      if (event.body.content === undefined) return context;
      return withNews(context, joinedText(event.body.content));
    case "handoff.recorded": {
      const { number, content } = event.body;
      return { ...context, handoff: { number, text: joinedText(content) } };
    }
    case "handoff.asked":
    case "contract.amended":
    case "verdict.given":
    case "preflight.finished":
    case "breaker.nudged":
      return event.body.content === undefined
        ? context
        : withInput(context, [joinedText(event.body.content)]);
    case "approval.decided":
      return isReviewDenied(event.body) ? withInput(context, [denialText(event.body)]) : context;
    case "span.model_request_start":
      return awaiting(closeTurn(context), event.body.request);
    case "agent.thinking":
      return withBlock(context, event.body.request, {
        type: "thinking",
        text: plainText(event.body.text),
        ...signed(event.body.provider),
      });
    case "agent.message":
      return withBlock(context, event.body.request, {
        type: "text",
        text: joinedText(event.body.content),
        ...signed(event.body.provider),
      });
    case "agent.tool_use":
      return withCall(context, event.body);
    case "agent.tool_result":
      return withResult(context, event.body);
    default:
      return context;
  }
}

/** Texts of the harness: whether one came before or after a request was started cannot be seen by its answer. */
export const PLACED_TYPES: readonly string[] = [
  "workspace.restored",
  "workspace.rewound",
  "environment.decided",
  "sandbox.services_failed",
  "approval.decided",
];

/** What is needed of a log besides some of its `span.model_request_start`, for {@link recallContext}. */
export const RECALLED_TYPES: readonly string[] = CONTEXT_TYPES.filter(
  (type) => type !== "span.model_request_start",
);

/**
 * The same for events of a log, faster: the hash of the context that was sent last is in the log, and making it again
 * would cost more than all the rest of the fold. Of the requests only the newest need be given, and the newest before
 * each of {@link PLACED_TYPES}: that the others were sent is seen by their answers.
 */
export function recallContext(context: Context, event: SessionEvent): Context {
  switch (event.type) {
    case "span.model_request_start":
      return recallRequest(context, event.body);
    case "agent.thinking":
    case "agent.message":
    case "agent.tool_use":
      return reduceContext(
        context.turn.request === event.body.request ? context : close(context, () => ""),
        event,
      );
    default:
      return reduceContext(context, event);
  }
}

/** Makes messages of the open turn, as the next request will see them. Idempotent. */
export function closeTurn(context: Context): Context {
  return close(context, (closed) => closed.reduce(chained, context.digest));
}

/** Whatever an older request that failed has closed too late, the hash is that of all messages up to here. */
function recallRequest(
  context: Context,
  { request, context_hash: digest }: EventBody<"span.model_request_start">,
): Context {
  return awaiting({ ...close(context, () => digest), digest }, request);
}

function chained(digest: string, message: Message): string {
  return hash("sha256", digest + JSON.stringify(message), "hex");
}

function close(context: Context, digestWith: (closed: readonly Message[]) => string): Context {
  const closed = renderTurn(context.turn);
  if (closed.length === 0) return context.turn === EMPTY_TURN ? context : { ...context, turn: EMPTY_TURN };
  // The list is shared; a version that lags behind (its batch was refused) gets a list of its own.
  const messages =
    context.messages.length === context.count ? context.messages : context.messages.slice(0, context.count);
  messages.push(...closed);
  const bytes = closed.reduce((sum, message) => sum + bytesOf(message), context.bytes);
  const digest = digestWith(closed);
  return { ...context, messages, count: messages.length, digest, bytes, turn: EMPTY_TURN };
}

/** The messages of a closed context; valid until the context is folded further. */
export function messagesOf(context: Context): readonly Message[] {
  return context.messages.length === context.count
    ? context.messages
    : context.messages.slice(0, context.count);
}

/** The same context with a list of its own: folding it further leaves what {@link messagesOf} has given alone. */
export function withOwnMessages(context: Context): Context {
  return { ...context, messages: context.messages.slice(0, context.count) };
}

/**
 * Tokens that the context takes at the most: a tokenizer may make one of each byte, and of digits, hashes and rare
 * scripts it nearly does. Prose takes a quarter of that, which the first answer's usage shows (`inputSurplus`).
 */
export function tokensOf(context: Context): number {
  return context.bytes + (context.thread?.bytes ?? 0) + 64;
}

function openThread(context: Context, body: EventBody<"session.thread_created">): Context {
  const tools = body.tools.map((tool) => ({
    name: tool.name,
    description: tool.description,
    inputSchema: tool.input_schema,
  }));
  const bytes = Buffer.byteLength(body.system) + Buffer.byteLength(JSON.stringify(tools));
  const thread = { system: body.system, tools, model: body.model, bytes };
  const opening = openingOf(context, body);
  switch (body.reason) {
    case "start":
    case "upgrade":
    case "model":
      return { ...context, thread, turn: opened(context.turn, opening, body.reason === "start") };
    case "reset":
      return afresh(context, thread, opening);
    case "compact":
      return shortened({ ...closeTurn(context), thread }, opening, body.keep_from ?? 0);
  }
}

/** What the thread begins with, as one message: the handoff, then what it is about. */
function openingOf(
  { handoff }: Context,
  { handoff: number, opening }: EventBody<"session.thread_created">,
): readonly string[] {
  const parts = [
    ...(number !== undefined && handoff?.number === number ? [handoff.text] : []),
    ...(opening === undefined ? [] : [joinedText(opening)]),
  ];
  return parts.length === 0 ? [] : [parts.join("\n\n")];
}

/** The handoff stays: without a newer one, the next context begins with it again. */
function afresh({ queue, handoff }: Context, thread: Context["thread"], opening: readonly string[]): Context {
  return { ...emptyContext(), thread, queue, handoff, turn: { ...EMPTY_TURN, input: opening } };
}

/** A closed context with only the turns from the answer to `request` on, behind `opening`. */
function shortened(context: Context, opening: readonly string[], request: number): Context {
  const mark = context.marks.find((each) => each.request >= request);
  const from = mark?.count ?? context.count;
  const messages: Message[] = [
    ...opening.map((text) => ({ role: "user" as const, text })),
    ...context.messages.slice(from, context.count),
  ];
  const shift = opening.length - from;
  return {
    ...context,
    messages,
    count: messages.length,
    digest: messages.reduce(chained, ""),
    bytes: messages.reduce((sum, message) => sum + bytesOf(message), 0),
    marks: context.marks
      .filter(({ count }) => count >= from)
      .map((each) => ({ ...each, count: each.count + shift })),
  };
}

function accept(context: Context, seqs: readonly Sequence[]): Context {
  const waiting = new Map(context.queue.flatMap((portion) => portion.map(({ seq, text }) => [seq, text])));
  const texts = seqs.flatMap((seq) => waiting.get(seq) ?? []);
  return withInput({ ...context, queue: without(context.queue, seqs) }, texts);
}

/** What becomes of a layer is told by `environment.decided`. */
function isReviewDenied({ item, result }: EventBody<"approval.decided">): boolean {
  return result === "deny" && item !== LAYER_ITEM;
}

function awaiting(context: Context, request: number): Context {
  return { ...context, turn: { ...context.turn, request } };
}

function withInput(context: Context, texts: readonly string[]): Context {
  return { ...context, turn: { ...context.turn, input: [...context.turn.input, ...texts] } };
}

/**
 * What has become of the files. Where no thread is known this is either before the first one, where a model takes nothing
 * for granted, or within the turns that a shortened one begins with: only the thread will tell.
 */
function withNews(context: Context, text: string): Context {
  const next = withInput(context, [text]);
  if (context.thread !== null) return next;
  return { ...next, turn: { ...next.turn, news: [...next.turn.news, next.turn.input.length - 1] } };
}

function without(queue: Portions<WaitingText>, seqs: readonly Sequence[]): Portions<WaitingText> {
  const gone = new Set(seqs);
  return kept(queue, ({ seq }) => !gone.has(seq));
}

function withBlock(context: Context, request: number, block: AssistantBlock): Context {
  return {
    ...context,
    marks: marked(context, request),
    turn: { ...context.turn, request, blocks: [...context.turn.blocks, block] },
  };
}

/** The first block of an answer marks its place: to it a context may be shortened. */
function marked({ marks, turn, count }: Context, request: number): Context["marks"] {
  return turn.blocks.length > 0 ? marks : [...marks, { request, count }].slice(-MARKS_MAX);
}

function withCall(context: Context, body: EventBody<"agent.tool_use">): Context {
  const call = {
    call: body.call as CallId,
    providerCallId: body.provider_call_id,
    name: body.name,
    input: body.input,
  };
  const block: AssistantBlock = {
    type: "tool_call",
    providerCallId: body.provider_call_id,
    name: body.name,
    input: body.input,
    ...signed(body.provider),
  };
  const { request } = body;
  const { turn } = context;
  return {
    ...context,
    marks: marked(context, request),
    turn: { ...turn, request, blocks: [...turn.blocks, block], calls: [...turn.calls, call] },
  };
}

function withResult(context: Context, body: EventBody<"agent.tool_result">): Context {
  const results = new Map(context.turn.results).set(body.call, {
    text: joinedText(body.content),
    isError: body.is_error,
  });
  return { ...context, turn: { ...context.turn, results } };
}

function signed(provider: { readonly [key: string]: Json } | undefined): {
  readonly provider?: { readonly [key: string]: Json };
} {
  return provider === undefined ? {} : { provider };
}
