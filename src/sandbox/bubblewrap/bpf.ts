/**
 * A small assembler for the kernel's packet filter language, as far as system call filters need it: compare, jump
 * forward to a named place, return.
 */

/** What a filter looks at: fields of the kernel's `struct seccomp_data`, low halves of the arguments. */
export const FIELD = {
  call: 0,
  architecture: 4,
  argument0: 16,
  argument1: 24,
} as const;

/** What happens to a call. */
export const VERDICT = {
  allow: 0x7fff_0000,
  /** Ends the process. */
  kill: 0x8000_0000,
  /** The call fails with this error number. */
  fail: (error: number): number => 0x0005_0000 | error,
} as const;

const LOAD_WORD_ABSOLUTE = 0x20;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_AT_LEAST = 0x35;
const JUMP_IF_ANY_BIT = 0x45;
const RETURN_CONSTANT = 0x06;
const INSTRUCTION_BYTES = 8;

interface Instruction {
  readonly code: number;
  readonly constant: number;
  /** Where to go on when the comparison holds; the next instruction otherwise. */
  readonly target?: string;
}

/** Comparisons of what was loaded last. */
export type Comparison = "equal" | "at least" | "any bit";

const COMPARISONS: { readonly [comparison in Comparison]: number } = {
  equal: JUMP_IF_EQUAL,
  "at least": JUMP_IF_AT_LEAST,
  "any bit": JUMP_IF_ANY_BIT,
};

/** A filter in the making. */
export class FilterProgram {
  readonly #instructions: Instruction[] = [];
  readonly #places = new Map<string, number>();

  /** Loads a field. */
  load(field: number): this {
    return this.#add({ code: LOAD_WORD_ABSOLUTE, constant: field });
  }

  /** Goes on at a place further down if the comparison holds. */
  jumpIf(comparison: Comparison, constant: number, target: string): this {
    return this.#add({ code: COMPARISONS[comparison], constant, target });
  }

  /** Names the place of the next instruction. */
  place(name: string): this {
    this.#places.set(name, this.#instructions.length);
    return this;
  }

  /** Decides. */
  decide(verdict: number): this {
    return this.#add({ code: RETURN_CONSTANT, constant: verdict });
  }

  /** The bytes as the kernel takes them: `struct sock_filter`, in the order of bytes of every machine we know. */
  assemble(): Buffer {
    const bytes = Buffer.alloc(this.#instructions.length * INSTRUCTION_BYTES);
    for (const [index, { code, constant, target }] of this.#instructions.entries()) {
      const at = index * INSTRUCTION_BYTES;
      bytes.writeUInt16LE(code, at);
      bytes.writeUInt8(target === undefined ? 0 : this.#distance(index, target), at + 2);
      bytes.writeUInt8(0, at + 3);
      bytes.writeUInt32LE(constant >>> 0, at + 4);
    }
    return bytes;
  }

  #add(instruction: Instruction): this {
    this.#instructions.push(instruction);
    return this;
  }

  #distance(from: number, target: string): number {
    const distance = (this.#places.get(target) ?? -1) - from - 1;
    if (distance < 0 || distance > 255) throw new Error(`a filter cannot jump to ${target}`);
    return distance;
  }
}
