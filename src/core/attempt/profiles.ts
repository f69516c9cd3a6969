/** How much of a context each model takes, and what helps it when work does not get on. */
import type { EventBody } from "../events/index.ts";

/** What a session pins of its model at its start. */
export type ContextProfile = NonNullable<EventBody<"session.created">["policy"]["context"]>;

interface Family {
  /** Begins the model's id. */
  readonly prefix: string;
  readonly window_tokens: number;
}

/** The longest prefix counts. Windows are those that are had without asking for more. */
const FAMILIES: readonly Family[] = [
  { prefix: "claude-", window_tokens: 200_000 },
  { prefix: "gpt-4o", window_tokens: 128_000 },
  { prefix: "gpt-4.1", window_tokens: 1_000_000 },
  { prefix: "gpt-5", window_tokens: 400_000 },
  { prefix: "o3", window_tokens: 200_000 },
  { prefix: "o4", window_tokens: 200_000 },
  { prefix: "gemini-", window_tokens: 1_000_000 },
];

/** Part of the window that is used: answers get worse well before it is full. */
const FILL_MAX = 0.7;
/** Of a window that is very large, less is of use. */
const FILL_MAX_LARGE = 0.4;
const LARGE_TOKENS = 500_000;

/** @param windowTokens - what a person says of it; undefined: what is known of the model */
export function contextProfileOf(
  modelId: string,
  mode: ContextProfile["mode"],
  windowTokens?: number,
): ContextProfile {
  const name = modelId.slice(modelId.lastIndexOf("/") + 1);
  const family = FAMILIES.filter(({ prefix }) => name.startsWith(prefix)).toSorted(
    (a, b) => b.prefix.length - a.prefix.length,
  )[0];
  const window = windowTokens ?? family?.window_tokens;
  const isLarge = window !== undefined && window >= LARGE_TOKENS;
  return {
    mode,
    ...(window !== undefined && { window_tokens: window }),
    fill_max: isLarge ? FILL_MAX_LARGE : FILL_MAX,
    compact: true,
    resets_help: true,
  };
}
