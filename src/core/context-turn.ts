/** The turn of a context that is not closed yet, and the messages that it becomes. */
import type { CallId } from "./ids.ts";
import type { AssistantBlock, Message } from "./message.ts";
import type { Json } from "./text.ts";

/** An answer, what came of its calls, and what is said to the model after it. */
export interface Turn {
  /** Whose answer the blocks are, or will be; 0 before the first. */
  readonly request: number;
  readonly blocks: readonly AssistantBlock[];
  readonly calls: readonly PendingCall[];
  readonly results: ReadonlyMap<string, { readonly text: string; readonly isError: boolean }>;
  readonly input: readonly string[];
  /** Which of the input is no news to a first thread. */
  readonly news: readonly number[];
}

/** A call of the open turn, as stored: what is executed is what was logged. */
export interface PendingCall {
  readonly call: CallId;
  readonly providerCallId: string;
  readonly name: string;
  readonly input: Json;
}

/** Nothing yet. */
export const EMPTY_TURN: Turn = {
  request: 0,
  blocks: [],
  calls: [],
  results: new Map(),
  input: [],
  news: [],
};

/** The same in a new thread, which begins with `opening`. */
export function opened(turn: Turn, opening: readonly string[], isFirst: boolean): Turn {
  const { input, news } = turn;
  const known = isFirst ? input.filter((_, index) => !news.includes(index)) : input;
  return { ...turn, input: [...opening, ...known], news: [] };
}

/** The assistant's blocks, the results in call order, then what people and the harness say. */
export function renderTurn(turn: Turn): Message[] {
  const messages: Message[] = [];
  if (turn.blocks.length > 0) messages.push({ role: "assistant", blocks: turn.blocks });
  for (const { call, providerCallId, name } of turn.calls) {
    const result = turn.results.get(call);
    messages.push({
      role: "tool",
      providerCallId,
      name,
      text: result?.text ?? "",
      isError: result?.isError ?? true,
    });
  }
  for (const text of turn.input) messages.push({ role: "user", text });
  return messages;
}
