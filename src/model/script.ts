/** What a script says: which turn answers, which fault an attempt meets, and the pieces that a turn is sent in. */
import { appendFileSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { messageOf, NightshiftError } from "../core/errors.ts";
import type { Json } from "../core/text.ts";
import type { ModelStopReason, ModelUsage } from "./contract.ts";
import { isPlainScript } from "./script-check.ts";
import type { Script, ScriptFault, ScriptTurn } from "./script-schema.ts";

export type { Script, ScriptFault, ScriptTurn };

/** The answer to every request after the last turn. */
export const END_OF_SCRIPT = "end of script";

const CHUNK_CHARS = 48;
const LAST_TURN: ScriptTurn = { text: END_OF_SCRIPT };

/** One block of a scripted answer; `raw` is the input of a call exactly as sent. */
export type ScriptBlock =
  | { readonly type: "thinking"; readonly text: string; readonly signature: string }
  | { readonly type: "redacted_thinking"; readonly data: string }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool_call"; readonly id: string; readonly name: string; readonly raw: string };

/** A piece of one block. Every block has at least one, so that empty ones are seen too. */
export interface ScriptChunk {
  /** Index into the blocks. */
  readonly block: number;
  readonly text: string;
  readonly isLast: boolean;
}

/** One attempt at a turn, ready to be played. */
export interface ScriptedAttempt {
  /** 0-based; the number of assistant messages in the request. */
  readonly turnIndex: number;
  /** 0-based, per turn. */
  readonly attempt: number;
  readonly fault: ScriptFault | undefined;
  readonly blocks: readonly ScriptBlock[];
  readonly chunks: readonly ScriptChunk[];
  readonly stopReason: ModelStopReason;
  /** Undefined: the provider never tells. */
  readonly usage: ModelUsage | undefined;
  readonly delayMs: number;
  readonly chunkDelayMs: number;
}

/** What of a request decides which turn answers it. */
export interface ScriptCue {
  /** Assistant messages in the request. */
  readonly turnIndex: number;
  /** Messages in the request, for the usage that the script leaves open. */
  readonly messageCount: number;
  /** What people and the harness say before the first assistant message. */
  readonly opening: string;
}

/** Counts attempts by turn. */
interface AttemptCounter {
  /** @returns how often this turn was asked for before */
  take(turn: string): number;
}

/** Chooses turns and faults. Turns depend on the request alone; only faults need the count of attempts. */
export class ScriptPlayer {
  readonly #script: Script;
  readonly #variables: { readonly [name: string]: string };
  readonly #attempts: AttemptCounter;

  /** @param variables - override those of the script */
  constructor(script: Script, variables: { readonly [name: string]: string } = {}) {
    this.#script = script;
    this.#variables = { ...script.variables, ...variables };
    this.#attempts =
      script.attempts_file === undefined ? new AttemptsInMemory() : new AttemptsInFile(script.attempts_file);
  }

  /** Plays the turn that the script has for such a request. */
  play(cue: ScriptCue): ScriptedAttempt {
    const { turns, threads = [] } = this.#script;
    const index = threads.findLastIndex(({ when }) => cue.opening.includes(when));
    const chosen = threads[index]?.turns ?? turns;
    const name = index < 0 ? `${cue.turnIndex}` : `${index}/${cue.turnIndex}`;
    return this.#play(chosen[cue.turnIndex] ?? LAST_TURN, cue, name);
  }

  /** Plays a turn that the caller has made itself. */
  playTurn(template: ScriptTurn, cue: ScriptCue): ScriptedAttempt {
    return this.#play(template, cue, `${cue.turnIndex}`);
  }

  #play(template: ScriptTurn, { turnIndex, messageCount }: ScriptCue, name: string): ScriptedAttempt {
    const turn = fillIn(template as Json, this.#variables) as ScriptTurn;
    const attempt = this.#attempts.take(name);
    const blocks = blocksOf(turn, turnIndex);
    return {
      turnIndex,
      attempt,
      fault: turn.fail?.[attempt] ?? turn.fail_always,
      blocks,
      chunks: chunksOf(blocks, turn.chunk_chars ?? CHUNK_CHARS),
      stopReason: turn.stop ?? ((turn.tools?.length ?? 0) > 0 ? "tool_use" : "end_turn"),
      usage: usageOf(turn, blocks, messageCount),
      delayMs: turn.delay_ms ?? 0,
      chunkDelayMs: turn.chunk_delay_ms ?? 0,
    };
  }
}

class AttemptsInMemory implements AttemptCounter {
  readonly #taken: Map<string, number> = new Map();

  take(turn: string): number {
    const before = this.#taken.get(turn) ?? 0;
    this.#taken.set(turn, before + 1);
    return before;
  }
}

/** One line per attempt, so that processes which are killed, or several at once, need no lock. */
class AttemptsInFile implements AttemptCounter {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    mkdirSync(dirname(path), { recursive: true });
  }

  take(turn: string): number {
    appendFileSync(this.#path, `${turn}\n`);
    const lines = readFileSync(this.#path, "utf8").split("\n");
    return lines.filter((line) => line === turn).length - 1;
  }
}

/** Replaces `${name}` in all strings; names without a value stay, because shell text is full of them. */
function fillIn(value: Json, variables: { readonly [name: string]: string }): Json {
  if (typeof value === "string") {
    if (!value.includes("${")) return value;
    return value.replace(/\$\{(\w+)\}/g, (all, name: string) =>
      Object.hasOwn(variables, name) ? (variables[name] ?? all) : all,
    );
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => fillIn(item, variables));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillIn(item, variables)]));
}

function blocksOf(turn: ScriptTurn, turnIndex: number): ScriptBlock[] {
  const blocks: ScriptBlock[] = [];
  if (turn.thinking !== undefined) {
    const signature = turn.signature ?? `signature-${turnIndex}`;
    blocks.push({ type: "thinking", text: turn.thinking, signature });
  }
  if (turn.redacted_thinking !== undefined) {
    blocks.push({ type: "redacted_thinking", data: turn.redacted_thinking });
  }
  if (turn.text !== undefined) blocks.push({ type: "text", text: turn.text });
  for (const [index, tool] of (turn.tools ?? []).entries()) {
    const raw = tool.raw ?? JSON.stringify(tool.input ?? {});
    blocks.push({ type: "tool_call", id: `call_${turnIndex}_${index}`, name: tool.name, raw });
  }
  return blocks;
}

function textOf(block: ScriptBlock): string {
  switch (block.type) {
    case "tool_call":
      return block.raw;
    case "redacted_thinking":
      return "";
    default:
      return block.text;
  }
}

function chunksOf(blocks: readonly ScriptBlock[], chunkChars: number): ScriptChunk[] {
  const chunks: ScriptChunk[] = [];
  for (const [block, content] of blocks.entries()) {
    // By code points: a pair of surrogates must not be torn apart on the wire.
    const characters = Array.from(textOf(content));
    for (let start = 0; start === 0 || start < characters.length; start += chunkChars) {
      const end = start + chunkChars;
      chunks.push({
        block,
        text: characters.slice(start, end).join(""),
        isLast: end >= characters.length,
      });
    }
  }
  return chunks;
}

function usageOf(
  turn: ScriptTurn,
  blocks: readonly ScriptBlock[],
  messageCount: number,
): ModelUsage | undefined {
  if (turn.usage === null) return undefined;
  const outputChars = blocks.reduce((sum, block) => sum + textOf(block).length, 0);
  return {
    inputTokens: turn.usage?.input_tokens ?? 100 * (messageCount + 1),
    outputTokens: turn.usage?.output_tokens ?? Math.ceil(outputChars / 4) + blocks.length,
    cacheReadTokens: turn.usage?.cache_read_input_tokens ?? 0,
    cacheWriteTokens: turn.usage?.cache_creation_input_tokens ?? 0,
  };
}

/**
 * Parses the text of a script file.
 * @param name - how messages call the script
 * @throws NightshiftError `E_SCRIPT_INVALID` naming the field, or the place where the JSON breaks
 */
export async function parseScript(text: string, name: string): Promise<Script> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new NightshiftError("E_SCRIPT_INVALID", `${name} is not JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (isPlainScript(value)) return value;
  const { scriptSchema } = await import("./script-schema.ts");
  const parsed = scriptSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  // An unknown key is a problem of the object around it; people look for the key.
  const unknownKey = issue?.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
  const field = fieldName([...(issue?.path ?? []), ...unknownKey]) || "the top level";
  throw new NightshiftError("E_SCRIPT_INVALID", `${name}, ${field}: ${issue?.message ?? "invalid"}`, {
    data: { field },
  });
}

/** `turns[2].fail[0].status` */
function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === "number" ? `[${key}]` : `${index === 0 ? "" : "."}${String(key)}`))
    .join("");
}

/**
 * Reads a script file. Its `attempts_file` and `requests_file` are relative to its folder.
 * @throws NightshiftError `E_SCRIPT_INVALID`
 */
export async function loadScript(path: string): Promise<Script> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new NightshiftError("E_SCRIPT_INVALID", `the script ${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
      hint: "Pass the path of a script file that exists.",
    });
  }
  const script = await parseScript(text, path);
  const folder = dirname(resolve(path));
  return {
    ...script,
    ...(script.attempts_file === undefined ? {} : { attempts_file: resolve(folder, script.attempts_file) }),
    ...(script.requests_file === undefined ? {} : { requests_file: resolve(folder, script.requests_file) }),
  };
}
