/**
 * What an agent says it has done, found by its words. A claim decides nothing; it is set beside what the log shows, for
 * whoever reads a report. The patterns know plain English; what they miss is only not compared.
 */

/** What is claimed. */
export type ClaimKind = "tests_pass" | "done";

const TESTS =
  /\b(tests?|checks?|suite|specs?|build)\b[^.!?\n]{0,60}\b(pass(es|ed|ing)?|green|succeed(s|ed)?|ok)\b|\b(passing|green)\b[^.!?\n]{0,20}\b(tests?|checks?|suite)\b/i;
const DONE =
  /\b(done|finished|completed?|fixed|implemented|resolved|verified|works now|everything works|mission accomplished)\b/i;
/** Before the words, in the same sentence: then nothing is claimed. */
const NOT_SAID =
  /\b(not|never|cannot|can't|isn't|aren't|doesn't|don't|didn't|won't|fails?|failing|until|unless|if|when|once|should|would|will|must|to be|let me|going to|next|so that|make sure|check whether)\b/i;
const SENTENCE = /[^.!?\n]+[.!?]*/g;
const QUOTE_LENGTH_MAX = 240;

/** The last claim of a text, in its own words; null when nothing is claimed. */
export function claimIn(text: string): { readonly kind: ClaimKind; readonly quote: string } | null {
  let found: { readonly kind: ClaimKind; readonly quote: string } | null = null;
  for (const [sentence] of text.matchAll(SENTENCE)) {
    const quote = sentence.trim().slice(0, QUOTE_LENGTH_MAX);
    if (isSaid(sentence, TESTS)) found = { kind: "tests_pass", quote };
    else if (isSaid(sentence, DONE) && found?.kind !== "tests_pass") found = { kind: "done", quote };
  }
  return found;
}

function isSaid(sentence: string, pattern: RegExp): boolean {
  const match = pattern.exec(sentence);
  if (match === null) return false;
  const until = sentence.slice(0, match.index + match[0].length);
  return !NOT_SAID.test(until);
}
