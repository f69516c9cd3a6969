/** What flags take. Strict: a number with anything behind it is a mistake, not a number. */
import { NightshiftError } from "../core/errors.ts";
import type { EgressRule } from "../gateway/egress/contract.ts";
import type { HeldOutOption } from "../planning/contract-source.ts";
import { DURATION_MAX_MS, parseDuration } from "../runtime/duration.ts";
import type { ModelConfig } from "../runtime/providers.ts";

type Price = NonNullable<ModelConfig["price"]>;

const DAY_MS = 86_400_000;
const MICRO = 1_000_000;
const HTTPS_PORT = 443;
const DOLLARS_MAX = 1_000_000;

/** A parser for whole numbers from `min` (default 1) to `max`. */
export function wholeNumber(flag: string, max: number, min = 1): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw wrong(flag, `a whole number from ${min} to ${max}`, text);
  };
}

/** A parser for lengths of time, in milliseconds. @param maxDays - the longest that a timer can wait unless given */
export function duration(flag: string, minMs: number, maxDays?: number): (text: string) => number {
  const maxMs = maxDays === undefined ? DURATION_MAX_MS : maxDays * DAY_MS;
  return (text) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms;
    const most = `at most ${maxDays ?? Math.floor(DURATION_MAX_MS / DAY_MS)}d`;
    throw wrong(flag, `a duration such as 90s, 10m or 2h, at least ${minMs}ms and ${most}`, text);
  };
}

/** A parser for amounts of dollars, in micro-dollars. */
export function dollars(flag: string): (text: string) => number {
  return (text) => {
    const value = decimal(text.replace(/^\$/, ""));
    const micro = Math.round(value * MICRO);
    if (micro >= 1 && value <= DOLLARS_MAX) return micro;
    throw wrong(flag, `an amount of dollars such as 5 or 0.25, at most ${DOLLARS_MAX}`, text);
  };
}

/** A parser for `input,output` in dollars per million tokens. Cached tokens count as input. */
export function price(flag: string): (text: string) => Price {
  return (text) => {
    const [input = Number.NaN, output = Number.NaN, ...rest] = text.split(",").map(decimal);
    if (rest.length === 0 && [input, output].every((value) => value >= 0 && value <= DOLLARS_MAX)) {
      const inputMicro = Math.round(input * MICRO);
      return {
        input: inputMicro,
        output: Math.round(output * MICRO),
        cache_read: inputMicro,
        cache_write: inputMicro,
      };
    }
    throw wrong(flag, "two amounts of dollars per million tokens, input and output, such as 3,15", text);
  };
}

/** A parser for one of a few words. */
export function oneOf<Word extends string>(flag: string, words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word !== undefined) return word;
    throw wrong(flag, `one of ${words.join(", ")}`, text);
  };
}

/** A parser for names with commas between them; `none` is the empty list. */
export function names(flag: string): (text: string) => readonly string[] {
  return (text) => {
    if (text === "none") return [];
    const list = text.split(",").map((name) => name.trim());
    if (list.every((name) => /^[\w.-]+$/.test(name))) return [...new Set(list)];
    throw wrong(flag, "names with commas between them, or none", text);
  };
}

/** A parser for some of these words, with commas between them. */
export function listOf(flag: string, words: readonly string[]): (text: string) => readonly string[] {
  const one = oneOf(flag, words);
  return (text) => [...new Set(text.split(",").map((word) => one(word.trim())))];
}

/** A parser for hosts that may be reached: `host[:port][/path]`, with commas between them. */
export function hosts(flag: string): (text: string) => readonly EgressRule[] {
  return (text) =>
    text.split(",").map((entry) => {
      const match = /^((?:\*\.)?[\w.-]+|\[[\da-f:]+\])(?::(\d{1,5}))?(\/[^\s]*)?$/i.exec(entry.trim());
      const port = Number(match?.[2] ?? HTTPS_PORT);
      if (match?.[1] === undefined || port < 1 || port > 65_535)
        throw wrong(flag, "hosts such as registry.example.com or api.example.com:8443/v1", entry);
      return {
        name: entry.trim(),
        host: match[1].toLowerCase(),
        port,
        ...(match[3] === undefined ? {} : { path: match[3] }),
      };
    });
}

/** A parser for held-out files: a folder, and where its content is put within the workspace. */
export function heldOut(text: string): HeldOutOption {
  const at = text.lastIndexOf(":");
  const [folder, target] = [text.slice(0, at), text.slice(at + 1)];
  const isInside = target !== "" && !target.startsWith("/") && !target.split("/").includes("..");
  if (at > 0 && isInside) return { folder, target };
  throw wrong(
    "--held-out",
    "a folder and a place in the workspace, such as ../hidden-tests:test/hidden",
    text,
  );
}

/** A parser for web addresses. */
export function webAddress(flag: string): (text: string) => string {
  return (text) => {
    if (/^https?:$/.test(URL.parse(text)?.protocol ?? "")) return text.replace(/\/+$/, "");
    throw wrong(flag, "an address that begins with http:// or https://", text);
  };
}

function decimal(text: string): number {
  return /^\d{1,7}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN;
}

function wrong(flag: string, wanted: string, text: string): NightshiftError {
  return new NightshiftError("E_USAGE", `${flag} takes ${wanted}, not "${text}"`, { data: { flag } });
}
