/** Promises about what the model sees. The messages are made here once more, by other means than the harness's. */
import { hash } from "node:crypto";
import type { EventBody, SessionEvent } from "../../../src/core/events/index.ts";
import type { Message } from "../../../src/core/message.ts";
import type { ModelRequest } from "../../../src/model/contract.ts";
import type { Invariant, RequestMoment } from "../judge.ts";
import type { ObservedLog } from "../log.ts";

/** What is sent follows from the log alone, is what the intent's hash says, and in one context only ever grows at its end. */
export function contextIsAFunctionOfTheLog(): Invariant {
  const previous = new Map<ObservedLog, Sent>();
  const rendered = new Map<ObservedLog, Rendering>();
  const arrived = new WeakMap<ModelRequest, readonly Message[]>();
  return {
    promise: "context-is-a-function-of-the-log",
    onRequest: (moment) => {
      arrived.set(moment.request, [...moment.messages]);
      const { log, number } = moment;
      const sent = moment.messages.map((message) => JSON.stringify(message));
      const before = previous.get(log);
      const rendering = rendered.get(log) ?? new Rendering(log);
      rendered.set(log, rendering);
      const extent = rendering.upTo(log.requests.get(number)?.seq ?? 0);
      const complaint = differs(number, sent, extent) ?? hashDiffers(moment, sent, extent);
      // A zombie may send an old request late; it cannot be fenced, and its answer is thrown away.
      if (before !== undefined && before.number > number) return complaint;
      previous.set(log, { number, sent, window: extent.window });
      return complaint ?? (before?.window === extent.window ? shrank(before.sent, sent) : null);
    },
    onRequestOver: ({ number, request }) => changed(number, arrived.get(request) ?? [], request.messages),
  };
}

/** What was sent with a request. */
interface Sent {
  readonly number: number;
  readonly sent: readonly string[];
  readonly window: Window;
}

function differs(number: number, sent: readonly string[], { window, count }: Extent): string | null {
  const expected = window.messages.slice(0, count);
  const index = expected.findIndex((message, at) => message !== sent[at]);
  if (index === -1 && expected.length === sent.length) return null;
  const at = index === -1 ? expected.length : index;
  return `message ${at} of request ${number} is ${sent[at]}, the log says ${expected[at]}`;
}

/** Asked once the messages are known to be those of the log. */
function hashDiffers({ log, number }: RequestMoment, sent: readonly string[], extent: Extent): string | null {
  const digest = digestOf({ window: extent.window, count: sent.length });
  const logged = log.requests.get(number)?.start.context_hash;
  return digest === logged
    ? null
    : `request ${number} sends ${digest.slice(0, 8)}, its intent says ${logged?.slice(0, 8)}`;
}

function shrank(before: readonly string[], sent: readonly string[]): string | null {
  const index = before.findIndex((message, at) => message !== sent[at]);
  return index === -1 ? null : `message ${index} has changed since the last request: ${sent[index]}`;
}

/** Adapters may read the list for as long as they work: what the log gains meanwhile must not get into it. */
function changed(number: number, before: readonly Message[], now: readonly Message[]): string | null {
  const isSame = now.length === before.length && now.every((message, at) => message === before[at]);
  return isSame
    ? null
    : `request ${number} was sent with ${before.length} messages, and now its list holds ${now.length}`;
}

/** One context window, as text. */
interface Window {
  readonly messages: string[];
  /** Chained hashes: the one at `index` covers so many messages. */
  readonly digests: string[];
}

/** What a request sent: so many messages of its window. */
interface Extent {
  readonly window: Window;
  readonly count: number;
}

/**
 * The messages of a log, as text. Turn by turn: what the assistant said, the results in the order of the calls, then
 * messages as picked up. A turn ends with the next request; what has ended is not made again.
 */
class Rendering {
  readonly #log: ObservedLog;
  /** By the position of the request's start in the log. */
  readonly #extents = new Map<number, Extent>();
  readonly #texts = new Map<number, string>();
  #window: Window = { messages: [], digests: [""] };
  #handoff: { readonly number: number; readonly text: string } | null = null;
  /** How many messages stood before the answer to a request. */
  readonly #marks = new Map<number, number>();
  #opening: Message[] = [];
  #turn: SessionEvent[] = [];
  #hasThread = false;
  #read = 0;

  constructor(log: ObservedLog) {
    this.#log = log;
  }

  /** The window of the request that starts at `seq`, and how much of it was sent. */
  upTo(seq: number): Extent {
    const { events } = this.#log;
    while (this.#read < seq) this.#add(events[this.#read++] as SessionEvent);
    return this.#extents.get(seq) ?? { window: this.#window, count: 0 };
  }

  #add(event: SessionEvent): void {
    if (event.type === "session.thread_created") this.#open(event.body);
    if (event.type === "handoff.recorded")
      this.#handoff = { number: event.body.number, text: textOf(event.body.content) };
    if (event.type === "user.message") this.#texts.set(event.seq, textOf(event.body.content));
    if (event.type !== "span.model_request_start") {
      // What becomes of the files before the first thread is nobody's news.
      if (this.#hasThread || !event.type.startsWith("workspace.")) this.#turn.push(event);
      return;
    }
    this.#close();
    const { messages } = this.#window;
    this.#marks.set(event.body.request, messages.length);
    this.#extents.set(event.seq, { window: this.#window, count: messages.length });
  }

  #close(): void {
    for (const message of renderTurn(this.#turn, this.#texts, this.#opening))
      this.#window.messages.push(JSON.stringify(message));
    this.#turn = [];
    this.#opening = [];
  }

  /**
   * A reset begins with nothing, a shortened one with the answers from a request on. What opens a thread comes before
   * everything that waits.
   */
  #open({ reason, opening, handoff, keep_from }: EventBody<"session.thread_created">): void {
    this.#hasThread = true;
    const given =
      handoff !== undefined && handoff === this.#handoff?.number ? [this.#handoff?.text ?? ""] : [];
    const parts = [...given, ...(opening === undefined ? [] : [textOf(opening)])];
    const first: Message[] = parts.length === 0 ? [] : [{ role: "user", text: parts.join("\n\n") }];
    if (reason === "compact") {
      this.#close();
      const kept = this.#window.messages.slice(
        this.#marks.get(keep_from ?? 0) ?? this.#window.messages.length,
      );
      this.#window = { messages: [...first.map((each) => JSON.stringify(each)), ...kept], digests: [""] };
      return;
    }
    if (reason === "reset") {
      this.#window = { messages: [], digests: [""] };
      this.#turn = [];
      this.#opening = [];
    }
    // A thread may follow another one before anything is sent: then what opened that one still stands.
    this.#opening = [...first, ...this.#opening];
  }
}

/** The chained hash of what was sent. */
function digestOf({ window, count }: Extent): string {
  const { digests, messages } = window;
  for (let index = digests.length; index <= count; index++)
    digests.push(hash("sha256", `${digests[index - 1]}${messages[index - 1]}`, "hex"));
  return digests[count] ?? "";
}

function renderTurn(
  turn: readonly SessionEvent[],
  texts: ReadonlyMap<number, string>,
  opening: readonly Message[],
): Message[] {
  const blocks = turn.flatMap((event) => blockOf(event));
  const calls = turn.filter((event) => event.type === "agent.tool_use");
  const results = calls.map(({ body }): Message => {
    const result = turn.find((event) => event.type === "agent.tool_result" && event.body.call === body.call);
    const found = result?.type === "agent.tool_result" ? result.body : undefined;
    return {
      role: "tool",
      providerCallId: body.provider_call_id,
      name: body.name,
      text: found === undefined ? "" : textOf(found.content),
      isError: found?.is_error ?? true,
    };
  });
  const input = turn.flatMap((event) => inputOf(event, texts));
  const said = blocks.length > 0 ? [{ role: "assistant", blocks } as const] : [];
  return [...said, ...results, ...opening, ...input];
}

/** What people said, as it was picked up, and what the harness has to say of files and contract. */
function inputOf(event: SessionEvent, texts: ReadonlyMap<number, string>): Message[] {
  switch (event.type) {
    case "harness.input_accepted":
      return event.body.seqs.map((seq) => ({ role: "user", text: texts.get(seq) ?? "?" }));
    case "workspace.restored":
    case "workspace.rewound":
    case "sandbox.services_failed":
    case "contract.amended":
    case "handoff.asked":
    case "preflight.finished":
    case "verdict.given":
    case "breaker.nudged":
      return event.body.content === undefined ? [] : [{ role: "user", text: textOf(event.body.content) }];
    case "approval.decided": {
      const { item, result } = event.body;
      if (result === "approve") return [];
      const [, criterion] = /^declared:(.*)$/.exec(item) ?? [];
      const text =
        criterion === undefined
          ? `[harness] A person did not approve ${item}.`
          : `[harness] A person does not accept that ${criterion} cannot be met.\nIt is asked for again. Go on with it; if it still cannot be met, declare it again with new evidence.`;
      return [{ role: "user", text }];
    }
    default:
      return [];
  }
}

type Block = Extract<Message, { role: "assistant" }>["blocks"][number];

function blockOf(event: SessionEvent): Block[] {
  switch (event.type) {
    case "agent.thinking": {
      const { text, provider } = event.body;
      return [{ type: "thinking", text: String(text), ...(provider && { provider }) }];
    }
    case "agent.message": {
      const { content, provider } = event.body;
      return [{ type: "text", text: textOf(content), ...(provider && { provider }) }];
    }
    case "agent.tool_use": {
      const { provider_call_id: providerCallId, name, input, provider } = event.body;
      return [{ type: "tool_call", providerCallId, name, input, ...(provider && { provider }) }];
    }
    default:
      return [];
  }
}

function textOf(content: readonly { readonly text: unknown }[]): string {
  return content.map((block) => String(block.text)).join("\n");
}
