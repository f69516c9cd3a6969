/** How large a message is, before anybody counts its tokens. */
import type { AssistantBlock, Message } from "./message.ts";

/** What a wire format puts around a message or a block, at the most. */
const FRAME_BYTES = 80;

/** Bytes that a message takes on any wire, at the most. */
export function bytesOf(message: Message): number {
  switch (message.role) {
    case "user":
      return FRAME_BYTES + Buffer.byteLength(message.text);
    case "tool":
      return FRAME_BYTES + Buffer.byteLength(message.name) + Buffer.byteLength(message.text);
    case "assistant":
      return message.blocks.reduce((sum, block) => sum + blockBytes(block), FRAME_BYTES);
  }
}

function blockBytes(block: AssistantBlock): number {
  const provider = block.provider === undefined ? 0 : Buffer.byteLength(JSON.stringify(block.provider));
  const content = block.type === "tool_call" ? block.name + JSON.stringify(block.input) : block.text;
  return FRAME_BYTES + provider + Buffer.byteLength(content);
}
