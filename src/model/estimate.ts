/**
 * How many tokens a request may take, before it is sent: for reserving budget, and replaced by the provider's own
 * count once the request is settled. An estimate from above, not a count. Tokenizers in use put 2.5 to 4 bytes of
 * prose or code into a token, and take up to one and a half tokens for a letter outside of ASCII; only long runs of
 * digits, hexadecimal and base64 can need more tokens than this says (about 2 bytes each).
 */
import type { AssistantBlock, Message, ModelRequest, ToolDescription } from "./contract.ts";

const BYTES_PER_TOKEN = 2.5;
/** Each further byte of a letter outside of ASCII weighs this much. */
const EXTRA_BYTE_WEIGHT = 1.25;
/** Wrapping of a message, a block or a tool: role markers, names of fields. */
const BYTES_PER_PART = 24;
/** What providers add on their own, for example to explain tool use. */
const BYTES_PER_REQUEST = 1200;

/** Weighted bytes of one message. Constant for a message, so that a sum over a growing list can be kept. */
export function estimateMessageBytes(message: Message): number {
  switch (message.role) {
    case "user":
      return BYTES_PER_PART + weightOf(message.text);
    case "tool":
      return BYTES_PER_PART + weightOf(message.name) + weightOf(message.text);
    case "assistant":
      return message.blocks.reduce((sum, block) => sum + blockBytes(block), BYTES_PER_PART);
  }
}

function blockBytes(block: AssistantBlock): number {
  const provider = block.provider === undefined ? 0 : weightOf(JSON.stringify(block.provider));
  const content = block.type === "tool_call" ? block.name + JSON.stringify(block.input) : block.text;
  return BYTES_PER_PART + provider + weightOf(content);
}

/** Weighted bytes of what precedes the messages: system prompt and tools. */
export function estimatePrefixBytes(system: string, tools: readonly ToolDescription[]): number {
  return tools.reduce(
    (sum, tool) => sum + BYTES_PER_PART + weightOf(JSON.stringify(tool)),
    BYTES_PER_REQUEST + weightOf(system),
  );
}

/** @param bytes - the sum of {@link estimatePrefixBytes} and of {@link estimateMessageBytes} over the messages */
export function tokensOfBytes(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

/** An upper estimate of the input tokens of a request. */
export function estimateInputTokens(request: ModelRequest): number {
  return tokensOfBytes(
    request.messages.reduce(
      (sum, message) => sum + estimateMessageBytes(message),
      estimatePrefixBytes(request.system, request.tools),
    ),
  );
}

function weightOf(text: string): number {
  return text.length + (Buffer.byteLength(text) - text.length) * EXTRA_BYTE_WEIGHT;
}
