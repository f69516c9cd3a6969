/** Two versions of a file of which only parts are protected. */

/** What became of such a file. */
export interface KeyedChange {
  /** Whose content pass A is to have, or a content made of both. */
  readonly forChecks: "base" | "candidate" | Buffer;
  /** What a person has to see; null for nothing. */
  readonly problem: string | null;
  /** What is worth a word. */
  readonly note?: string;
}
