/**
 * How many tokens a request may cost before it is sent, for reserving budget. An estimate from above, not a count:
 * three UTF-8 bytes a token is more tokens than any text in practice has (English and code have about four, Chinese
 * and Japanese three or more), except for long runs of digits and base64, which come close to two. The provider's
 * own count replaces it as soon as the request is settled.
 */
import type { AssistantBlock, Message, ModelRequest, ToolDescription } from "./contract.ts";

const BYTES_PER_TOKEN = 3;
/** Wrapping of a message, a block or a tool: role markers, names of fields. */
const BYTES_PER_PART = 24;
/** What providers add on their own, for example to explain tool use. */
const BYTES_PER_REQUEST = 1200;

/** Bytes of one message as far as the model sees them. Constant for a message, so a sum over messages can be kept. */
export function estimateMessageBytes(message: Message): number {
  switch (message.role) {
    case "user":
      return BYTES_PER_PART + Buffer.byteLength(message.text);
    case "tool":
      return BYTES_PER_PART + message.name.length + Buffer.byteLength(message.text);
    case "assistant":
      return message.blocks.reduce((sum, block) => sum + blockBytes(block), BYTES_PER_PART);
  }
}

function blockBytes(block: AssistantBlock): number {
  const provider = block.provider === undefined ? 0 : Buffer.byteLength(JSON.stringify(block.provider));
  if (block.type !== "tool_call") return BYTES_PER_PART + provider + Buffer.byteLength(block.text);
  return BYTES_PER_PART + provider + block.name.length + Buffer.byteLength(JSON.stringify(block.input));
}

/** Bytes of what precedes the messages: system prompt and tools. */
export function estimatePrefixBytes(system: string, tools: readonly ToolDescription[]): number {
  return tools.reduce(
    (sum, tool) => sum + BYTES_PER_PART + Buffer.byteLength(JSON.stringify(tool)),
    BYTES_PER_REQUEST + Buffer.byteLength(system),
  );
}

/** Bytes of a whole request, as {@link estimateInputTokens} counts them. */
export function estimateRequestBytes(request: ModelRequest): number {
  return request.messages.reduce(
    (sum, message) => sum + estimateMessageBytes(message),
    estimatePrefixBytes(request.system, request.tools),
  );
}

/** @param bytes - the sum of {@link estimatePrefixBytes} and {@link estimateMessageBytes} */
export function tokensOfBytes(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

/** An upper estimate of the input tokens of a request. */
export function estimateInputTokens(request: ModelRequest): number {
  return tokensOfBytes(estimateRequestBytes(request));
}
