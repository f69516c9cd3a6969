/** The ways in which a known secret value may be written in a text. */
import { MARKER_START } from "./rules.ts";

/** Shorter values are not looked for: they would blacken ordinary words. */
export const SECRET_LENGTH_MIN = 8;

const LINE_LENGTH_MIN = 16;

/**
 * The value itself, its base64 forms (also in the middle of other encoded bytes, both alphabets), its URL-encoded
 * and JSON-escaped forms, and the long lines of a value that has several. Empty for a value that is too short.
 */
export function secretForms(value: string): ReadonlySet<string> {
  const secret = value.trim().toWellFormed();
  const lines = secret.split(/\r?\n/).map((line) => line.trim());
  const spellings = [secret, ...(lines.length > 1 ? lines.filter(isTellingLine) : [])].flatMap((text) => [
    text,
    ...escapedForms(text),
    ...urlForms(text),
    ...base64Forms(text),
  ]);
  return new Set(spellings.map(withoutMarker).filter((form) => form.length >= SECRET_LENGTH_MIN));
}

/** A form must not overlap with a marker, or else redacting twice would find it in its own result. */
function withoutMarker(form: string): string {
  const pieces = form.split(MARKER_START);
  const longest = pieces.reduce((left, right) => (right.length > left.length ? right : left));
  for (let length = MARKER_START.length; length > 0; length--) {
    if (longest.endsWith(MARKER_START.slice(0, length))) return longest.slice(0, -length);
  }
  return longest;
}

/** The frame of a PEM file is no secret. */
function isTellingLine(line: string): boolean {
  return line.length >= LINE_LENGTH_MIN && !line.startsWith("-----");
}

/** As inside a JSON text, and as inside a JSON text that is itself a string in another one. */
function escapedForms(text: string): string[] {
  const once = JSON.stringify(text).slice(1, -1);
  return [once, JSON.stringify(once).slice(1, -1)];
}

function urlForms(text: string): string[] {
  const component = encodeURIComponent(text);
  const strict = component.replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
  const forms = [component, strict, strict.replaceAll("%2F", "/"), strict.replaceAll("%20", "+")];
  return forms.flatMap((form) => [form, form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]);
}

/**
 * Base64 puts three bytes into four characters, so the same bytes read differently at each of three offsets. The
 * characters that also hold bits of the neighbours are left out.
 */
function base64Forms(text: string): string[] {
  const bytes = Buffer.from(text);
  return [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    const whole = Math.floor(((offset + bytes.length) * 8) / 6);
    const form = encoded.slice(offset === 0 ? 0 : offset + 1, whole);
    return [form, form.replaceAll("+", "-").replaceAll("/", "_")];
  });
}
