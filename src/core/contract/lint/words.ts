/** What words of a criterion say: whether they could be found false. English; texts in other languages pass. */

/** Judgements that two people would make differently, unless a measure stands beside them. */
const VAGUE =
  /\b(works?( well| correctly| properly| fine| nicely| perfectly| great| reliably| as (expected|intended))?|functions? (well|correctly|properly)|well[- ](written|structured|designed|tested|documented)|clean(er|ly)?|fast(er)?|quick(er|ly)?|slick|snappy|responsive|user[- ]friendly|intuitive|easy to (use|read|understand|maintain)|nice(ly|r)?|good|great|better|best practices?|high[- ]quality|quality|robust(ly|ness)?|scal(able|es)|efficient(ly)?|performant|optimi[sz]ed?|modern|beautiful(ly)?|elegant(ly)?|pretty|readable|maintainable|production[- ]ready|enterprise[- ]grade|bug[- ]free|no bugs|(handles?|covers?) (all )?(edge|corner) cases|proper(ly)?|correct(ly)?|appropriate(ly)?|sensibl[ey]|reasonabl[ey]|adequate(ly)?|seamless(ly)?|smooth(ly)?|professional(ly)?|polished|improved?|enhanced?|looks (good|great|nice|right)|simple|secure(ly)?|reliab(le|ly)|as (expected|intended|needed|required|appropriate))\b/gi;

/** Something that can be looked up or counted: numbers, code, quoted texts, names of things in code, outcomes. */
const MEASURE =
  /\d|`[^`]{1,200}`|"[^"]{1,200}"|“[^”]{1,200}”|'[^' ]{1,200}'|\b\w+\.\w{1,5}\b|\b[a-z]+[A-Z]\w*|\b\w+_\w+|\b\w+\(\)|(^|\s)\.{0,2}\/[\w.-]|(^|\s)--?[a-z]|\b(returns?|throws?|rejects?|refuses?|exits?|prints?|redirects?|is (empty|null|sorted|absent|missing)|equals?|at (least|most)|less than|more than|fewer than|no more than|every|never|only|exactly|unchanged)\b/;

/** Words that say nothing about what is wanted. */
const EMPTY_WORDS: ReadonlySet<string> = new Set(
  `a able about add added adds all also an and any app application are as at be been being build built but by can
  change changed code component could create created do does doing done each everything feature features fine fix
  fixed for from functionality get gets good great has have how i if implement implementation implemented implements
  in into is it its just like make makes makes may me might more most must my new no not of on one or our out
  overall page performance product program project should site so software solution some something support supported
  supports system task than that the their them there things this to tool ui up update updated use used user users
  ux very want was way we website well were what when which will with work working works would you your`.split(
    /\s+/,
  ),
);

/** Fewer than this many words that say something are no description of anything. */
const THIN_WORDS = 3;

/** Words that say something, lower-cased, each once. */
export function tellingWords(text: string): ReadonlySet<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return new Set(words.filter((word) => !EMPTY_WORDS.has(word)));
}

/** True for a text with numbers, code, names or outcomes in it. */
export function hasMeasure(text: string): boolean {
  return MEASURE.test(text);
}

/** True when so little is said that nobody could tell what is wanted. */
export function isThin(text: string): boolean {
  return !hasMeasure(text) && tellingWords(text).size < THIN_WORDS;
}

/** How a text judges. */
export interface Vagueness {
  /** The first judgement in it. */
  readonly word: string;
  /** Nothing else is said. */
  readonly isAll: boolean;
}

/** Undefined for a text that judges nothing, or says by what measure. */
export function vaguenessOf(text: string): Vagueness | undefined {
  const [word] = text.match(VAGUE) ?? [];
  if (word === undefined || hasMeasure(text)) return undefined;
  return { word: word.toLowerCase(), isAll: tellingWords(text.replace(VAGUE, " ")).size < THIN_WORDS };
}

/** Of the words of both, this part has to be the same. */
const SAME_PART = 0.75;

/** True when a line has no more to say than the description. */
export function restates(line: string, description: string): boolean {
  const one = stems(line);
  const other = stems(description);
  if (one.size === 0 || other.size === 0) return line.trim() === description.trim();
  const shared = [...one].filter((stem) => other.has(stem)).length;
  return shared === one.size || shared / (one.size + other.size - shared) >= SAME_PART;
}

/** Rough, so that `adds`, `added` and `adding` are the same word. */
function stems(text: string): ReadonlySet<string> {
  return new Set([...tellingWords(text)].map((word) => word.replace(/(?<=\w{3})(ing|ed|es|s|e)$/, "")));
}
