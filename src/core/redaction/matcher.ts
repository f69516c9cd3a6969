/**
 * Finds where a secret begins. Nearly every text holds none, so that must be cheap to see: one pass with a rolling
 * window of three characters, folded to 15 bits, gives the few places where something could begin; only there are
 * values compared and expressions run.
 */
import { secretForms } from "./forms.ts";
import { MARKER_START, type RedactionRule, type RuleStep } from "./rules.ts";

/** A part of a text that must not be kept. */
export interface Finding {
  readonly start: number;
  readonly end: number;
  readonly name: string;
}

interface CompiledRule {
  readonly rule: RedactionRule;
  /** Sticky; its groups are the context before the secret, and the secret. */
  readonly whole: RegExp;
  /** Sticky; matches when the text ends in what may yet become a match, or a longer one. */
  readonly open: RegExp;
}

interface CompiledRules {
  readonly rules: readonly CompiledRule[];
  /** Sticky; match wherever one of the rules does, so that one question answers for all of them. */
  readonly anyAtWordStart: RegExp;
  readonly anyInWord: RegExp;
}

/** What may begin with one particular window. */
interface Bucket {
  readonly forms: string[];
  readonly rules: { readonly rule: RedactionRule; readonly start: string }[];
  readonly markers: string[];
  /** Made on first use: most processes never meet most windows, and compiling all would delay the first event. */
  compiled: CompiledRules | undefined;
}

/** Texts up to this size are laid out in memory that is used again and again. */
const LAYOUT_BYTES = 65_536;
/** Shorter texts are laid out faster by hand. */
const COPIED_MIN = 48;

const WINDOW_LENGTH = 3;
const WINDOW_MASK = 0x7fff;
const KNOWN_SECRET = "secret";
const MARKER_CODE = MARKER_START.charCodeAt(0);
const NOTHING: readonly Finding[] = [];

/** Keeps the last five bits of each character: that folds the case of letters; other collisions only cost time. */
function fold(window: number, code: number): number {
  return ((window << 5) | (code & 31)) & WINDOW_MASK;
}

function windowAt(text: string, at: number): number {
  return fold(fold(fold(0, text.charCodeAt(at)), text.charCodeAt(at + 1)), text.charCodeAt(at + 2));
}

/** A text as the scan reads it: the low byte of each character, which is all that folding looks at. */
export interface Layout {
  readonly bytes: Uint8Array;
  readonly length: number;
}

/** The tables of one redactor. Positions are those of the text that is passed in. */
export class Matcher {
  /** By window: one bit for each folded character that may follow it. */
  readonly #followers = new Int32Array(WINDOW_MASK + 1);
  readonly #buckets = new Map<number, Bucket>();
  readonly #layout = Buffer.alloc(LAYOUT_BYTES);
  /** Folded beginnings, too short for the table, by length. */
  readonly #beginnings: readonly Set<string>[] = [new Set(), new Set(), new Set(), new Set()];

  constructor(secrets: readonly string[], rules: readonly RedactionRule[]) {
    for (const name of new Set([KNOWN_SECRET, ...rules.map((rule) => rule.name)])) {
      this.#bucketFor(MARKER_START).markers.push(`${MARKER_START}${name}]`);
    }
    for (const form of new Set(secrets.flatMap((secret) => [...secretForms(secret)]))) {
      this.#bucketFor(form).forms.push(form);
    }
    for (const rule of rules) {
      for (const start of rule.starts) this.#bucketFor(start).rules.push({ rule, start });
    }
  }

  #bucketFor(start: string): Bucket {
    const window = windowAt(start, 0);
    for (const [length, set] of this.#beginnings.entries()) set.add(start.slice(0, length).toLowerCase());
    const follower = start.length > WINDOW_LENGTH ? 1 << start.charCodeAt(WINDOW_LENGTH) : -1;
    this.#followers[window] = (this.#followers[window] ?? 0) | follower;
    const bucket = this.#buckets.get(window) ?? { forms: [], rules: [], markers: [], compiled: undefined };
    this.#buckets.set(window, bucket);
    return bucket;
  }

  /** Reading bytes costs a fraction of asking a string for its characters. Valid until the next call. */
  layOut(text: string): Layout {
    const { length } = text;
    const bytes = length <= LAYOUT_BYTES ? this.#layout : Buffer.alloc(length);
    if (length >= COPIED_MIN) bytes.write(text, "latin1");
    else for (let index = 0; index < length; index++) bytes[index] = text.charCodeAt(index);
    return { bytes, length };
  }

  /** First place at or after `from` where something could begin; -1 when there is none. */
  nextCandidate({ bytes, length }: Layout, from: number): number {
    const followers = this.#followers;
    if (from + WINDOW_LENGTH >= length) return -1;
    let window = 0;
    for (let index = from; index < from + WINDOW_LENGTH; index++)
      window = fold(window, bytes[index] as number);
    for (let index = from + WINDOW_LENGTH; index < length; index++) {
      const code = bytes[index] as number;
      // A shift takes the last five bits of the distance: the same folding.
      if ((((followers[window] as number) >>> code) & 1) === 1) return index - WINDOW_LENGTH;
      window = ((window << 5) | (code & 31)) & WINDOW_MASK;
    }
    return -1;
  }

  /** First place at or after `from`, too close to the end for {@link nextCandidate}, where something could begin. */
  openTail(text: string, from: number): number | undefined {
    for (let at = Math.max(from, text.length - WINDOW_LENGTH); at < text.length; at++) {
      if (this.#beginnings[text.length - at]?.has(text.slice(at).toLowerCase())) return at;
    }
    return undefined;
  }

  /** The end of the marker that begins at a candidate. */
  markerEnd(text: string, at: number): number | undefined {
    if (text.charCodeAt(at) !== MARKER_CODE) return undefined;
    const marker = this.#bucketAt(text, at)?.markers.find((each) => text.startsWith(each, at));
    return marker === undefined ? undefined : at + marker.length;
  }

  /** Does the text end in the middle of something that begins at this candidate? */
  isOpen(text: string, at: number, withRules: boolean, inWord: boolean): boolean {
    const bucket = this.#bucketAt(text, at);
    if (bucket === undefined) return false;
    const left = text.length - at;
    const isPart = (whole: string): boolean => whole.length > left && whole.startsWith(text.slice(at));
    if (bucket.markers.some(isPart) || bucket.forms.some(isPart)) return true;
    if (!withRules || bucket.rules.length === 0) return false;
    return compiledRules(bucket).rules.some(
      ({ rule, open }) => isAllowed(rule, inWord) && testAt(open, text, at),
    );
  }

  /** Everything that begins at this candidate. */
  findingsAt(text: string, at: number, withRules: boolean, inWord: boolean): readonly Finding[] {
    const bucket = this.#bucketAt(text, at);
    if (bucket === undefined) return NOTHING;
    let findings = NOTHING;
    for (const form of bucket.forms) {
      if (!text.startsWith(form, at)) continue;
      findings = [...findings, { start: at, end: at + form.length, name: KNOWN_SECRET }];
    }
    if (!withRules || bucket.rules.length === 0) return findings;
    const { rules, anyAtWordStart, anyInWord } = compiledRules(bucket);
    if (!testAt(inWord ? anyInWord : anyAtWordStart, text, at)) return findings;
    for (const { rule, whole } of rules) {
      if (!isAllowed(rule, inWord)) continue;
      const finding = ruleFinding(rule, whole, text, at);
      if (finding !== undefined) findings = [...findings, finding];
    }
    return findings;
  }

  #bucketAt(text: string, at: number): Bucket | undefined {
    return this.#buckets.get(windowAt(text, at));
  }
}

/**
 * Two word characters in front: one may be the letter of an escape such as `\n` in a JSON text, and the other side
 * of it would then be no word.
 */
export function isInWord(text: string, at: number): boolean {
  return at >= 2 && isWord(text.charCodeAt(at - 1)) && isWord(text.charCodeAt(at - 2));
}

function isWord(code: number): boolean {
  const letter = code | 32;
  return (letter >= 97 && letter <= 122) || (code >= 48 && code <= 57) || code === 95 || code === 45;
}

function isAllowed(rule: RedactionRule, inWord: boolean): boolean {
  return !(rule.wordStart === true && inWord);
}

function ruleFinding(rule: RedactionRule, whole: RegExp, text: string, at: number): Finding | undefined {
  whole.lastIndex = at;
  const match = whole.exec(text);
  if (match === null) return undefined;
  const [, context = "", secret = ""] = match;
  if (rule.proof?.test(secret) === false) return undefined;
  const start = at + context.length;
  return { start, end: start + secret.length, name: rule.name };
}

function testAt(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}

function compiledRules(bucket: Bucket): CompiledRules {
  if (bucket.compiled !== undefined) return bucket.compiled;
  const rules = bucket.rules.map(({ rule, start }) => compile(rule, start));
  bucket.compiled = {
    rules,
    anyAtWordStart: anyOf(rules),
    anyInWord: anyOf(rules.filter(({ rule }) => isAllowed(rule, true))),
  };
  return bucket.compiled;
}

/** Ignoring case throughout only makes it match more. Matches nowhere when there is no rule. */
function anyOf(rules: readonly CompiledRule[]): RegExp {
  return new RegExp(rules.length === 0 ? "(?!)" : rules.map(({ whole }) => whole.source).join("|"), "yi");
}

function compile(rule: RedactionRule, start: string): CompiledRule {
  const flags = rule.ignoreCase ? "yi" : "y";
  const begin = escapeLiteral(start);
  const steps = rule.steps.map(wholeStep);
  const [from, to] = rule.secret ?? [0, steps.length];
  const context = rule.secret === undefined ? "" : begin + steps.slice(0, from).join("");
  const secret = (rule.secret === undefined ? begin : "") + steps.slice(from, to).join("");
  return {
    rule,
    whole: new RegExp(`(${context})(${secret})${steps.slice(to).join("")}`, flags),
    open: new RegExp(openSteps([start, ...rule.steps]), flags),
  };
}

function wholeStep(step: RuleStep): string {
  return typeof step === "string" ? escapeLiteral(step) : `${step.of}{${step.min},${step.max}}`;
}

/** Matches every text that these steps begin with and that ends before they do, or exactly where they do. */
function openSteps(steps: readonly RuleStep[]): string {
  const [step, ...rest] = steps;
  if (step === undefined) return "$";
  if (typeof step !== "string") return `(?:${step.of}{0,${step.max}}$|${wholeStep(step)}${openSteps(rest)})`;
  return [...step].reduceRight((after, letter) => `(?:$|${escapeLiteral(letter)}${after})`, openSteps(rest));
}

function escapeLiteral(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}
