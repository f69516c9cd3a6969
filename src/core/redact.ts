/**
 * Takes secrets out of texts: known values in every spelling, and whatever looks like a well-known kind of key.
 *
 * The scan goes strictly from left to right and every match is bounded, so a text that comes in chunks gives the
 * same result as the whole of it, and a hostile text cannot make it slow. Markers are never looked into, so
 * redacting twice changes nothing.
 */
import { type Finding, isInWord, Matcher } from "./redaction/matcher.ts";
import { MARKER_START, type RedactionRule, STANDARD_RULES } from "./redaction/rules.ts";
import type { Redactor } from "./seal.ts";

/** What to look for. */
export interface RedactionOptions {
  /**
   * Secret values themselves, found as they are and in base64, URL-encoded and JSON-escaped form. Values of less
   * than 8 characters are not looked for: they would blacken ordinary words.
   */
  readonly secrets: readonly string[];
  /** Default: {@link STANDARD_RULES}. */
  readonly rules?: readonly RedactionRule[];
}

/** Redacts one text that comes in chunks. */
export interface RedactionStream {
  /** @returns what is certain by now; the beginning of a possible secret is held back, a few KB at the most */
  push(chunk: string): string;
  /** @returns the rest; the stream must not be used any more */
  end(): string;
}

/** A redactor that also takes texts in chunks. */
export interface TextRedactor extends Redactor {
  /** All that its stream gives, put together, equals `redact` of all that it was given. */
  stream(): RedactionStream;
}

/** @returns a redactor for these secrets; making one costs more than using it, so make one per process */
export function createRedactor(options: RedactionOptions): TextRedactor {
  return new MatchingRedactor(new Matcher(options.secrets, options.rules ?? STANDARD_RULES));
}

class MatchingRedactor implements TextRedactor {
  readonly #matcher: Matcher;

  constructor(matcher: Matcher) {
    this.#matcher = matcher;
  }

  redact(text: string): string {
    const matcher = this.#matcher;
    const layout = matcher.layOut(text);
    for (let at = matcher.nextCandidate(layout, 0); at >= 0; at = matcher.nextCandidate(layout, at + 1)) {
      if (matcher.findingsAt(text, at, true, isInWord(text, at)).length > 0) return this.#redactWhole(text);
    }
    return text;
  }

  #redactWhole(text: string): string {
    const redacted = new MatchingStream(this.#matcher, text).end();
    return redacted === text ? text : redacted;
  }

  stream(): RedactionStream {
    return new MatchingStream(this.#matcher, "");
  }
}

/** How much of the text before a position decides what is found there. */
const LOOK_BEHIND = 2;

class MatchingStream implements RedactionStream {
  readonly #matcher: Matcher;
  /** What is not given out yet, after {@link LOOK_BEHIND} characters that are. Positions below refer to it. */
  #text: string;
  /** Everything that begins before this position has been found. */
  #scanned = 0;
  /** Everything before this position was given out or left out. */
  #given = 0;
  /** Found but not given out yet. */
  #findings: Finding[] = [];
  /** The finding that reaches furthest of those at hand; what begins inside it needs no second look. */
  #last: Finding = { start: 0, end: 0, name: "" };
  #furthestEnd = Number.NEGATIVE_INFINITY;

  constructor(matcher: Matcher, text: string) {
    this.#matcher = matcher;
    this.#text = text;
  }

  push(chunk: string): string {
    this.#text += chunk;
    const certain = this.#scan(false);
    const given = this.#give(certain);
    this.#forget();
    return given;
  }

  end(): string {
    return this.#give(this.#scan(true));
  }

  /** @returns the position up to which everything is certain */
  #scan(isWhole: boolean): number {
    const matcher = this.#matcher;
    const text = this.#text;
    const layout = matcher.layOut(text);
    let from = this.#scanned;
    for (let at = matcher.nextCandidate(layout, from); at >= 0; at = matcher.nextCandidate(layout, from)) {
      const withRules = at < this.#last.start || at >= this.#last.end;
      const inWord = at - 1 > this.#furthestEnd && isInWord(text, at);
      if (!isWhole && matcher.isOpen(text, at, withRules, inWord)) return this.#scannedTo(at);
      for (const finding of matcher.findingsAt(text, at, withRules, inWord)) this.#found(finding);
      from = matcher.markerEnd(text, at) ?? at + 1;
    }
    const tail = isWhole ? undefined : matcher.openTail(text, from);
    return this.#scannedTo(tail ?? text.length);
  }

  #scannedTo(position: number): number {
    this.#scanned = position;
    return position;
  }

  #found(finding: Finding): void {
    if (finding.start >= this.#last.start && finding.end <= this.#last.end) return;
    this.#findings.push(finding);
    this.#last = finding;
    this.#furthestEnd = Math.max(this.#furthestEnd, finding.end);
  }

  /** Findings that overlap become one marker, named after the first of them. */
  #give(certain: number): string {
    const due = this.#findings.filter((finding) => finding.start < certain);
    this.#findings = this.#findings.filter((finding) => finding.start >= certain);
    let text = "";
    for (const { start, end, name } of due.sort((left, right) => left.start - right.start)) {
      if (start >= this.#given) text += `${this.#text.slice(this.#given, start)}${MARKER_START}${name}]`;
      this.#given = Math.max(this.#given, end);
    }
    if (this.#given >= certain) return text;
    text += this.#text.slice(this.#given, certain);
    this.#given = certain;
    return text;
  }

  /** Drops what no later finding can depend on. */
  #forget(): void {
    const dropped = Math.max(0, Math.min(this.#scanned, this.#text.length) - LOOK_BEHIND);
    if (dropped === 0) return;
    this.#text = this.#text.slice(dropped);
    this.#scanned -= dropped;
    this.#given -= dropped;
    this.#furthestEnd -= dropped;
    this.#last = shifted(this.#last, dropped);
    this.#findings = this.#findings.map((finding) => shifted(finding, dropped));
  }
}

function shifted(finding: Finding, by: number): Finding {
  return { ...finding, start: finding.start - by, end: finding.end - by };
}
