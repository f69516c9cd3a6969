/** What a deliberate mistake is told by. */

/** One mistake. */
export interface Mutant {
  readonly name: string;
  /** What it breaks, in the words of a promise; another promise may be the first to be seen broken. */
  readonly promise: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Where to look: a full run of seeds aims at everything, a run for one mutant should find it soon. */
  readonly aim?: RegExp;
}
