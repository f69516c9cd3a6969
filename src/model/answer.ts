/** A whole answer out of a stream. */
import type { AnswerBlock, ModelErrorClass, ModelPart } from "./contract.ts";

/** What came, and how it ended. */
export interface Answer {
  readonly blocks: readonly AnswerBlock[];
  readonly end: Extract<ModelPart, { type: "finished" | "failed" }>;
}

/**
 * Reads a stream to its end. @param blocksMax - an answer with more is given up (class `garbage`)
 * @param onPart - called for every part, also the previews
 */
export async function collectAnswer(
  parts: AsyncIterable<ModelPart>,
  blocksMax: number,
  onPart?: () => void,
): Promise<Answer> {
  const blocks: AnswerBlock[] = [];
  for await (const part of parts) {
    onPart?.();
    if (part.type === "block") blocks.push(part.block);
    if (blocks.length > blocksMax)
      return { blocks, end: unusable("garbage", `the answer has more than ${blocksMax} blocks`) };
    if (part.type === "finished" || part.type === "failed") return { blocks, end: part };
  }
  return { blocks, end: unusable("network", "the stream ended without an end") };
}

function unusable(errorClass: ModelErrorClass, message: string): Answer["end"] {
  return { type: "failed", failure: { class: errorClass, message }, usage: undefined };
}
