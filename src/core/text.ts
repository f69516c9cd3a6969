/**
 * Long texts live beside the log as blobs; an event holds a reference in their place. Wherever a schema says
 * {@link Text}, both forms are legal: the fold works on either, contexts are rendered from hydrated ones.
 */

/** Stands for a string whose UTF-8 bytes are stored once, under their SHA-256. */
export interface BlobRef {
  readonly $blob: string;
  /** Length of the UTF-8 form. */
  readonly bytes: number;
}

/** A string, or the reference to one that is longer than {@link BLOB_BYTES_MIN}. */
export type Text = string | BlobRef;

/** Strings of more UTF-8 bytes than this become blobs. */
export const BLOB_BYTES_MIN = 8192;

/** Any JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** True for the reference form. */
export function isBlobRef(value: unknown): value is BlobRef {
  return typeof value === "object" && value !== null && typeof (value as BlobRef).$blob === "string";
}

/** The string. Contexts and handoffs are made of hydrated events; a reference would be a reader's mistake and is shown. */
export function plainText(text: Text): string {
  return typeof text === "string" ? text : `[missing text ${text.$blob}]`;
}

/** The texts of some blocks of content, a line break between them. */
export function joinedText(content: readonly { readonly text: Text }[]): string {
  return content.map(({ text }) => plainText(text)).join("\n");
}

/** On one line, without anything that a terminal acts on: plans and people write what others print. */
export function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/\s+/g, " ")
    .trim();
}
