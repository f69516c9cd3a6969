/**
 * When a rate limit is over, out of what a provider says of it in words. Only what cannot be meant otherwise counts: a
 * guess would have a session wait for nothing.
 */

const UNIT_MS: { readonly [unit: string]: number } = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A time of day without a zone may be meant for another place: it is asked again after this long. */
const UNSURE_MS_MAX = 3_600_000;

const SPAN =
  /\b(?:try again|retry|wait|resets?|available|again)\b[^.;\n]{0,30}?\b(?:in|after|for)\s+((?:\d+(?:\.\d+)?\s*(?:milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)(?![a-z])[\s,]*(?:and\s+)?)+)/i;
const SPAN_PART = /(\d+(?:\.\d+)?)\s*([a-z]+)/gi;
/** As some programs print it: `usage limit reached|1764489600`. */
const EPOCH = /limit[^|\n]{0,40}\|(\d{10})\b/i;
const INSTANT =
  /\b(?:resets?|try again|retry|available|until|after|at)\b[^.;\n]{0,20}?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d| UTC))/i;
const CLOCK_TIME =
  /\b(?:resets?|try again|available)\b[^.;\n]{0,20}?\b(?:at\s+)?(\d{1,2})(?::(\d\d))?\s*(am|pm)\b(?:\s*\(?\s*([A-Z]{3}\b|[A-Z][A-Za-z_]+\/[A-Za-z_/]+))?/i;

/** Milliseconds from `nowMs`; undefined when the words do not say. */
export function waitFromMessage(message: string, nowMs: number): number | undefined {
  const wait = spanOf(message) ?? untilInstant(message, nowMs) ?? untilClockTime(message, nowMs);
  return wait !== undefined && wait >= 0 ? wait : undefined;
}

function spanOf(message: string): number | undefined {
  const text = SPAN.exec(message)?.[1];
  if (text === undefined) return undefined;
  let ms = 0;
  for (const [, count, unit = ""] of text.matchAll(SPAN_PART)) {
    const name = unit.toLowerCase();
    const short = name.startsWith("milli") || name === "ms" ? "ms" : name.slice(0, 1);
    ms += Number(count) * (UNIT_MS[short] ?? 0);
  }
  return ms;
}

function untilInstant(message: string, nowMs: number): number | undefined {
  const seconds = EPOCH.exec(message)?.[1];
  if (seconds !== undefined) return Number(seconds) * 1000 - nowMs;
  const at = Date.parse((INSTANT.exec(message)?.[1] ?? "").replace(" UTC", "Z").replace(" ", "T"));
  return Number.isNaN(at) ? undefined : at - nowMs;
}

function untilClockTime(message: string, nowMs: number): number | undefined {
  const found = CLOCK_TIME.exec(message);
  if (found === null) return undefined;
  const [, hourText, minuteText = "0", half = "", zone] = found;
  const [hour, minute] = [Number(hourText), Number(minuteText)];
  if (hour < 1 || hour > 12 || minute > 59) return undefined;
  const wanted = ((hour % 12) + (half.toLowerCase() === "pm" ? 12 : 0)) * 60 + minute;
  const now = minutesOfDay(nowMs, zone);
  if (now === undefined) return undefined;
  const ms = (Math.round((wanted - now) * MINUTE_MS) + DAY_MS) % DAY_MS;
  return zone === undefined ? Math.min(ms, UNSURE_MS_MAX) : ms;
}

/** Minutes since midnight in a zone, or here; undefined for a zone that is not known. */
function minutesOfDay(nowMs: number, zone: string | undefined): number | undefined {
  if (zone === undefined) {
    const date = new Date(nowMs);
    return date.getHours() * 60 + date.getMinutes() + date.getSeconds() / 60;
  }
  try {
    const parts = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    }).formatToParts(nowMs);
    const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
    return of("hour") * 60 + of("minute") + of("second") / 60;
  } catch {
    return undefined;
  }
}
