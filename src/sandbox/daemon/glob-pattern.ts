/**
 * File patterns: `*` and `?` within a name, `**` for any number of folders, `[a-z]` classes and `{a,b}` choices.
 * Names are matched in time proportional to their length times the pattern's, so no pattern can hang the daemon;
 * translating patterns to regular expressions could not promise that.
 */
import type { Parsed } from "../inputs.ts";

const CHOICES_MAX = 256;

type Token =
  | { readonly kind: "star" }
  | { readonly kind: "any" }
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "class";
      readonly isNegated: boolean;
      readonly ranges: readonly (readonly [string, string])[];
    };

type Segment = "**" | readonly Token[];

/** Where matching a path has got to: positions in the choices of a pattern. */
export type MatchState = readonly (readonly [choice: number, segment: number])[];

/** A pattern that is matched name by name, from the top folder down. */
export class GlobPattern {
  readonly #choices: readonly (readonly Segment[])[];

  private constructor(choices: readonly (readonly Segment[])[]) {
    this.#choices = choices;
  }

  static parse(pattern: string): Parsed<GlobPattern> {
    const choices = expandChoices(pattern);
    if (choices === undefined)
      return { ok: false, problem: `the pattern has more than ${CHOICES_MAX} choices` };
    return { ok: true, value: new GlobPattern(choices.map(parseSegments)) };
  }

  /** Before the first name. */
  get start(): MatchState {
    return this.#closure(this.#choices.map((_, choice) => [choice, 0] as const));
  }

  /** After one more name; empty when nothing below can match. */
  step(state: MatchState, name: string): MatchState {
    const characters = Array.from(name);
    const next: [number, number][] = [];
    for (const [choice, index] of state) {
      const segment = this.#choices[choice]?.[index];
      if (segment === "**") next.push([choice, index]);
      else if (segment !== undefined && matchesName(segment, characters)) next.push([choice, index + 1]);
    }
    return this.#closure(next);
  }

  /** True when the names so far are a match. */
  isMatch(state: MatchState): boolean {
    return state.some(([choice, index]) => index === this.#choices[choice]?.length);
  }

  /** `**` also stands for no folder at all. */
  #closure(positions: readonly (readonly [number, number])[]): MatchState {
    const seen = new Map<string, readonly [number, number]>();
    for (const [choice, from] of positions) {
      for (let index = from; ; index++) {
        seen.set(`${choice}:${index}`, [choice, index]);
        if (this.#choices[choice]?.[index] !== "**") break;
      }
    }
    return [...seen.values()];
  }
}

/** `a{b,c{d,e}}` as `ab`, `acd`, `ace`; undefined when there are too many. A brace without its pair is text. */
function expandChoices(pattern: string): string[] | undefined {
  const expanded: string[] = [];
  const open = [pattern];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const parts = splitFirstBraces(next);
    if (parts === undefined) expanded.push(next);
    else open.push(...parts.choices.map((choice) => parts.before + choice + parts.after).reverse());
    if (expanded.length + open.length > CHOICES_MAX) return undefined;
  }
  return expanded;
}

function splitFirstBraces(
  pattern: string,
): { readonly before: string; readonly choices: readonly string[]; readonly after: string } | undefined {
  for (let from = pattern.indexOf("{"); from !== -1; from = pattern.indexOf("{", from + 1)) {
    const choices: string[] = [];
    let depth = 0;
    let start = from + 1;
    for (let at = from; at < pattern.length; at++) {
      const character = pattern[at];
      if (character === "{") depth++;
      if (character === "}") depth--;
      if (depth === 0 || (depth === 1 && character === ",")) {
        choices.push(pattern.slice(start, at));
        start = at + 1;
      }
      if (depth > 0) continue;
      if (choices.length > 1)
        return { before: pattern.slice(0, from), choices, after: pattern.slice(at + 1) };
      break;
    }
  }
  return undefined;
}

function parseSegments(pattern: string): readonly Segment[] {
  return pattern
    .split("/")
    .filter((segment) => segment !== "" && segment !== ".")
    .map((segment) => (segment === "**" ? segment : parseTokens(segment)));
}

function parseTokens(segment: string): readonly Token[] {
  const characters = Array.from(segment);
  const tokens: Token[] = [];
  for (let at = 0; at < characters.length; ) {
    const character = characters[at] ?? "";
    const set = character === "[" ? parseClass(characters, at) : undefined;
    if (set !== undefined) {
      tokens.push(set.token);
      at = set.end;
      continue;
    }
    if (character === "*") tokens.push({ kind: "star" });
    else if (character === "?") tokens.push({ kind: "any" });
    else tokens.push({ kind: "text", text: character === "\\" ? (characters[++at] ?? "\\") : character });
    at++;
  }
  return tokens;
}

function parseClass(
  characters: readonly string[],
  from: number,
): { readonly token: Token; readonly end: number } | undefined {
  const isNegated = characters[from + 1] === "!" || characters[from + 1] === "^";
  const start = from + (isNegated ? 2 : 1);
  // A closing bracket right at the start is one of the characters.
  const end = characters.indexOf("]", start + 1);
  if (end === -1) return undefined;
  const ranges: [string, string][] = [];
  for (let at = start; at < end; at++) {
    const low = characters[at] ?? "";
    const isRange = characters[at + 1] === "-" && at + 2 < end;
    ranges.push([low, isRange ? (characters[at + 2] ?? low) : low]);
    if (isRange) at += 2;
  }
  return { token: { kind: "class", isNegated, ranges }, end: end + 1 };
}

/** The classic two-pointer match: only the latest star is ever tried again. */
function matchesName(tokens: readonly Token[], name: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const current = tokens[token];
    if (current?.kind === "star") {
      star = token++;
      starAt = at;
    } else if (current !== undefined && matchesCharacter(current, name[at] ?? "")) {
      token++;
      at++;
    } else if (star !== -1) {
      token = star + 1;
      at = ++starAt;
    } else {
      return false;
    }
  }
  return tokens.slice(token).every(({ kind }) => kind === "star");
}

function matchesCharacter(token: Token, character: string): boolean {
  switch (token.kind) {
    case "text":
      return token.text === character;
    case "class":
      return token.ranges.some(([low, high]) => low <= character && character <= high) !== token.isNegated;
    default:
      return true;
  }
}
