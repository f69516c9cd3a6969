/**
 * Workload W: an agent is given one message; each turn is 600 bytes of text with one tool call, and 2 KB that the
 * tool answers. Model and tool answer at once, so the time from one model call to the next is the harness's own.
 */

/** Bytes of the assistant's text in each turn. */
export const TEXT_BYTES = 600;
/** Bytes of the tool's result in each turn. */
export const RESULT_BYTES = 2048;
/** Bytes of a large result, which becomes a blob. */
export const LARGE_RESULT_BYTES = 65_536;
/** What the agent is asked. */
export const QUESTION = "Go through the files of the list one by one and tell what each of them is for.";

/** Different texts of one size; enough of them that no page of a database or disk holds the same one twice. */
const VARIANTS = 64;
const ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -";

/** The texts of a workload. Equal on every machine; barely compressible, like real text that differs everywhere. */
export class Workload {
  readonly resultBytes: number;
  readonly #texts: readonly string[];
  readonly #results: readonly string[];

  constructor(resultBytes: number = RESULT_BYTES) {
    this.resultBytes = resultBytes;
    this.#texts = variants(TEXT_BYTES, 1);
    this.#results = variants(resultBytes, 1 + VARIANTS);
  }

  /** What the assistant says in a turn (0-based). */
  text(turn: number): string {
    return label(turn) + (this.#texts[turn % VARIANTS] ?? "");
  }

  /** What the tool answers in a turn. */
  result(turn: number): string {
    return label(turn) + (this.#results[turn % VARIANTS] ?? "");
  }

  /** The input of a turn's tool call. */
  input(turn: number): { readonly path: string } {
    return { path: `src/file-${turn}.txt` };
  }

  /** The turn whose tool call has this input. */
  turnOf(input: unknown): number {
    const { path } = input as { readonly path: string };
    return Number(/-(\d+)\./.exec(path)?.[1]);
  }
}

const LABEL_LENGTH = 8;

function label(turn: number): string {
  return String(turn).padStart(LABEL_LENGTH, "0");
}

function variants(bytes: number, firstSeed: number): string[] {
  return Array.from({ length: VARIANTS }, (_, index) => noise(bytes - LABEL_LENGTH, firstSeed + index));
}

/** Text from a linear congruential generator: its high bits choose the characters. */
function noise(length: number, seed: number): string {
  const bytes = Buffer.alloc(length);
  let state = seed * 7919;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = ALPHABET.charCodeAt(state >>> 26);
  }
  return bytes.toString("latin1");
}
