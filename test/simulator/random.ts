/** Chance that a seed decides: the same label under the same seed gives the same numbers on every machine. */
import type { Chance } from "../../src/core/clock.ts";

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

/** A stream of numbers (sfc32). */
export class Random {
  readonly #label: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param label - seeds the stream; streams of different labels are independent */
  constructor(label: string) {
    this.#label = label;
    const [a, b, c] = mixed(label);
    this.#a = a;
    this.#b = b;
    this.#c = c;
    for (let round = 0; round < 12; round++) this.next();
  }

  /** At least 0, less than 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return (sum >>> 0) / 4294967296;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)] as T;
  }

  /** One of the keys of `weights`, in proportion to its weight. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      left -= weight;
      if (left < 0) return key;
    }
    return entries[0]?.[0] as K;
  }

  /** An independent stream. Drawing from it leaves this one as it is. */
  fork(label: string): Random {
    return new Random(`${this.#label}/${label}`);
  }

  text(length: number): string {
    let text = "";
    for (let index = 0; index < length; index++) text += ALPHABET[Math.floor(this.next() * 36)];
    return text;
  }
}

/** Unique text out of a stream: 36^15 possibilities are enough for one seed. */
export function seededChance(random: Random): Chance {
  return { unique: (length) => random.text(length) };
}

/** Three words out of a label (FNV-1a with different starts). */
function mixed(label: string): [number, number, number] {
  const words: [number, number, number] = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b];
  for (let index = 0; index < label.length; index++) {
    const code = label.charCodeAt(index);
    words[0] = Math.imul(words[0] ^ code, 0x01000193);
    words[1] = Math.imul(words[1] ^ code, 0x85ebca6b) ^ (words[0] >>> 13);
    words[2] = Math.imul(words[2] ^ code, 0xc2b2ae35) ^ (words[1] >>> 16);
  }
  return words;
}
