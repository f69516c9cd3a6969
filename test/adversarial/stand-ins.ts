/**
 * Two ways to believe a worker, to hold the referee against. They are functions of this suite and of nobody's product:
 * what they have in common with what people use is only where they look.
 */

/** What a worker leaves behind for whoever does not run anything. */
export interface Transcript {
  /** Of the check, where the worker worked; null when it has not run. */
  readonly ownExit: number | null;
  /** What the check printed there. */
  readonly output: string;
  /** What the worker says in the end. */
  readonly words: string;
}

/** What workers of the suite say when nothing else is said. */
export const CLAIM = "All tests pass. Done. <promise>COMPLETE</promise>";

const DONE_PHRASE = /<promise>\s*\w+\s*<\/promise>|\bTASK[_ ]COMPLETE\b/;
const CLAIMS = /\b(?:done|complete[d]?|finished|all (?:the )?tests pass)\b/i;
const TROUBLE =
  /^not ok\b|^# (?:fail|cancelled|skipped|todo) [1-9]|\b[1-9]\d* (?:failed|failing|skipped|pending|todo|xfailed|xpassed)\b|^FAILED\b/m;

/** A plain loop: goes on until the check ends with 0 in the worker's own place, or the worker says its phrase. */
export function loopAccepts({ ownExit, words }: Transcript): boolean {
  return ownExit === 0 || DONE_PHRASE.test(words);
}

/** A careful reader: the worker says that it is done, a run of the check is there to see, and nothing in it is red. */
export function readerAccepts({ ownExit, output, words }: Transcript): boolean {
  return ownExit === 0 && CLAIMS.test(words) && !TROUBLE.test(output);
}
