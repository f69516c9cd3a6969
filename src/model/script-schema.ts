/**
 * The script file of the scripted model, as zod schemas. Loaded only when a script file is parsed; everything else
 * imports the types.
 *
 * A script is a JSON object:
 *
 * ```json
 * {
 *   "variables": { "file": "notes.md" },
 *   "turns": [
 *     { "thinking": "First I look.", "tools": [{ "name": "read", "input": { "path": "${file}" } }],
 *       "fail": [{ "kind": "status", "status": 529 }, { "kind": "cut", "after_chunks": 2 }] },
 *     { "text": "Done." }
 *   ]
 * }
 * ```
 *
 * Turn *n* answers a request whose history holds *n* assistant messages, so a retry, another machine or a resumed
 * session gets the right turn. A turn's faults are used up one per attempt; then the turn succeeds.
 *
 * A context that is begun anew holds no assistant message, so it has turns of its own: those of the last entry of
 * `threads` whose `when` is in what the context begins with, else `turns`.
 */
import * as z from "zod";
import type { Json } from "../core/text.ts";

const milliseconds = z.int().nonnegative().max(86_400_000);
const chunks = z.int().nonnegative().max(1_000_000).optional();
const words = z.string().max(10_000).optional();
const path = z.string().min(1).max(4096);

/** What goes wrong with one attempt. `after_chunks` counts pieces of content sent before it (default 0). */
const fault = z.discriminatedUnion("kind", [
  /** An HTTP error instead of an answer; `headers` such as `retry-after`. */
  z.strictObject({
    kind: z.literal("status"),
    status: z.int().min(400).max(599),
    headers: z.record(z.string(), z.string()).optional(),
    /** The provider's own name for the error, for example `rate_limit_error`. */
    error_type: z.string().optional(),
    message: words,
  }),
  /** The connection is reset before the head of the answer. */
  z.strictObject({ kind: z.literal("reset") }),
  /** The stream breaks off. */
  z.strictObject({ kind: z.literal("cut"), after_chunks: chunks }),
  /** The stream ends in good order, but without saying why the model stopped. */
  z.strictObject({ kind: z.literal("no_finish"), after_chunks: chunks }),
  /** Nothing comes any more, but the connection stays open. */
  z.strictObject({ kind: z.literal("silence"), after_chunks: chunks }),
  /** Bytes that are no answer. */
  z.strictObject({ kind: z.literal("garbage"), after_chunks: chunks }),
  /** An error reported inside of the stream, after a head that promised success. */
  z.strictObject({
    kind: z.literal("error_event"),
    after_chunks: chunks,
    error_type: z.string().optional(),
    message: words,
  }),
]);

const usage = z.strictObject({
  input_tokens: z.int().nonnegative().optional(),
  output_tokens: z.int().nonnegative().optional(),
  cache_read_input_tokens: z.int().nonnegative().optional(),
  cache_creation_input_tokens: z.int().nonnegative().optional(),
});

/** `raw` sends this text as the input instead: the way to play a model whose input is not JSON. */
const tool = z.strictObject({
  name: z.string().min(1).max(128),
  input: (z.json() as z.ZodType<Json>).optional(),
  raw: z.string().optional(),
});

/** One answer: thinking, then text, then tool calls. */
const turn = z.strictObject({
  thinking: z.string().optional(),
  /** Opaque proof of the thinking, which must come back unchanged. */
  signature: z.string().optional(),
  /** A thinking block whose text the provider keeps to itself; this data must come back unchanged. */
  redacted_thinking: z.string().optional(),
  text: z.string().optional(),
  tools: z.array(tool).max(128).optional(),
  /** Null: the provider never tells. Absent: made up from the number of messages and the length of the answer. */
  usage: usage.nullable().optional(),
  stop: z.enum(["end_turn", "tool_use", "max_tokens", "refusal", "other"]).optional(),
  /** Silence before the head of the answer. */
  delay_ms: milliseconds.optional(),
  /** Silence before each piece of content. */
  chunk_delay_ms: milliseconds.optional(),
  /** Length of the pieces. */
  chunk_chars: z.int().min(1).max(1_000_000).optional(),
  /** One per attempt, then success. */
  fail: z.array(fault).max(1000).optional(),
  /** Every attempt after those in `fail`. */
  fail_always: fault.optional(),
});

/** Turns of contexts that begin with certain words, for example `attempt 2`. */
const thread = z.strictObject({ when: z.string().min(1).max(1000), turns: z.array(turn).max(100_000) });

/** A whole script file. */
export const scriptSchema = z.strictObject({
  turns: z.array(turn).max(100_000),
  threads: z.array(thread).max(1000).optional(),
  /** `${name}` in any string of a turn becomes the value; names without a value stay as they are. */
  variables: z.record(z.string().regex(/^\w+$/), z.string()).optional(),
  /** Keeps the count of attempts beyond the process, so that a fault is not played again by the next one. */
  attempts_file: path.optional(),
  /** Gets a line of JSON for every request. */
  requests_file: path.optional(),
});

/** A script, as parsed. */
export type Script = z.infer<typeof scriptSchema>;
/** One answer of a script. */
export type ScriptTurn = z.infer<typeof turn>;
/** One failure of a script. */
export type ScriptFault = z.infer<typeof fault>;
