/** Reads what an answer has used, out of the answer itself, while it goes by. */
import { StringDecoder } from "node:string_decoder";
import type { Json } from "../../core/text.ts";
import type { ModelUsage } from "../../model/contract.ts";
import type { GatewayWire } from "./contract.ts";

/** Longer events carry no usage that anybody sends. */
const EVENT_LENGTH_MAX = 4 * 1024 * 1024;

/** Looks at an answer and passes it on. */
export interface UsageReader {
  /** @returns what the client gets of it */
  push(chunk: Buffer): Buffer;
  /** The rest, when the answer is at its end. */
  end(): Buffer;
  /** Undefined as long as the answer has not told all of it. */
  readonly usage: ModelUsage | undefined;
}

/** For an answer in one piece. */
export function wholeReader(wire: GatewayWire): UsageReader {
  return new WholeReader(wire);
}

/** For server-sent events. @param hidesUsage - drops the event that only tells the usage */
export function streamReader(wire: GatewayWire, hidesUsage: boolean): UsageReader {
  return new StreamReader(wire, hidesUsage);
}

const NOTHING: Buffer = Buffer.alloc(0);

class WholeReader implements UsageReader {
  readonly #wire: GatewayWire;
  readonly #pieces: Buffer[] = [];
  usage: ModelUsage | undefined;

  constructor(wire: GatewayWire) {
    this.#wire = wire;
  }

  push(chunk: Buffer): Buffer {
    this.#pieces.push(chunk);
    return chunk;
  }

  end(): Buffer {
    const fields = parse(Buffer.concat(this.#pieces).toString("utf8"));
    this.usage = this.#wire === "anthropic" ? anthropicUsage(fields.usage) : openaiUsage(fields.usage);
    return NOTHING;
  }
}

class StreamReader implements UsageReader {
  readonly #wire: GatewayWire;
  readonly #hidesUsage: boolean;
  readonly #decoder = new StringDecoder("utf8");
  #text = "";
  #input: Json | undefined;
  usage: ModelUsage | undefined;

  constructor(wire: GatewayWire, hidesUsage: boolean) {
    this.#wire = wire;
    this.#hidesUsage = hidesUsage;
  }

  push(chunk: Buffer): Buffer {
    this.#text += this.#decoder.write(chunk);
    let passed = "";
    for (let end = frameEnd(this.#text); end !== -1; end = frameEnd(this.#text)) {
      const frame = this.#text.slice(0, end);
      this.#text = this.#text.slice(end);
      if (!this.#read(frame)) passed += frame;
    }
    // Events are read whole where they can be hidden; otherwise the client gets every byte at once.
    if (!this.#hidesUsage) {
      if (this.#text.length > EVENT_LENGTH_MAX) this.#text = "";
      return chunk;
    }
    if (this.#text.length > EVENT_LENGTH_MAX) {
      passed += this.#text;
      this.#text = "";
    }
    return Buffer.from(passed);
  }

  end(): Buffer {
    const rest = this.#text + this.#decoder.end();
    this.#text = "";
    const isHidden = this.#read(rest);
    return this.#hidesUsage && !isHidden ? Buffer.from(rest) : NOTHING;
  }

  /** @returns whether the frame is the client's not to see */
  #read(frame: string): boolean {
    // Most frames are pieces of text; parsing each would cost more than all the rest.
    if (!frame.includes('"usage"')) return false;
    const data = frame
      .split(/\r?\n/)
      .filter((line) => line.startsWith("data:"))
      .map((line) => line.slice(5).trimStart())
      .join("\n");
    const fields = parse(data);
    switch (this.#wire) {
      case "anthropic":
        this.#readAnthropic(fields);
        return false;
      case "openai-responses":
        this.usage = openaiUsage(fieldsOf(fields.response).usage) ?? this.usage;
        return false;
      case "openai-chat": {
        const usage = openaiUsage(fields.usage);
        this.usage = usage ?? this.usage;
        const { choices } = fields;
        return this.#hidesUsage && usage !== undefined && Array.isArray(choices) && choices.length === 0;
      }
    }
  }

  /** The input is told at the start, the output at the end, where some tell the input once more. */
  #readAnthropic(fields: Fields): void {
    if (fields.type === "message_start") this.#input = fieldsOf(fields.message).usage;
    if (fields.type !== "message_delta") return;
    const delta = Object.entries(fieldsOf(fields.usage)).filter(([, value]) => typeof value === "number");
    this.usage = anthropicUsage({ ...fieldsOf(this.#input), ...Object.fromEntries(delta) });
  }
}

/** Just behind the empty line that ends an event; -1 without one. */
function frameEnd(text: string): number {
  const end = /\r?\n\r?\n/.exec(text);
  return end === null ? -1 : end.index + end[0].length;
}

type Fields = { readonly [name: string]: Json };

function parse(text: string): Fields {
  try {
    return fieldsOf(JSON.parse(text) as Json);
  } catch {
    return {};
  }
}

function fieldsOf(value: Json | undefined): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function countOf(value: Json | undefined): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function anthropicUsage(value: Json | undefined): ModelUsage | undefined {
  const fields = fieldsOf(value);
  const inputTokens = countOf(fields.input_tokens);
  const outputTokens = countOf(fields.output_tokens);
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  return {
    inputTokens,
    outputTokens,
    cacheReadTokens: countOf(fields.cache_read_input_tokens) ?? 0,
    cacheWriteTokens: countOf(fields.cache_creation_input_tokens) ?? 0,
  };
}

/** Both of OpenAI's wires; tokens read from the cache are part of the input there. */
function openaiUsage(value: Json | undefined): ModelUsage | undefined {
  const fields = fieldsOf(value);
  const input = countOf(fields.input_tokens) ?? countOf(fields.prompt_tokens);
  const outputTokens = countOf(fields.output_tokens) ?? countOf(fields.completion_tokens);
  if (input === undefined || outputTokens === undefined) return undefined;
  const details = fieldsOf(fields.input_tokens_details ?? fields.prompt_tokens_details);
  const cacheReadTokens = Math.min(input, countOf(details.cached_tokens) ?? 0);
  return { inputTokens: input - cacheReadTokens, outputTokens, cacheReadTokens, cacheWriteTokens: 0 };
}
