/**
 * Paths as bytes. File names of hostile content are any bytes but NUL and slash, so inside this folder a path is a
 * string with one character per byte; only what is meant for people becomes UTF-8.
 */
import { TextDecoder } from "node:util";

declare const brand: unique symbol;
/** A path within a workspace, one character per byte, `/` between, none at the ends. */
export type BytePath = string & { readonly [brand]: "bytes" };

/** From what Node or git has read as latin1. */
export function bytePath(latin1: string): BytePath {
  return latin1 as BytePath;
}

/** For people. */
export function readablePath(path: BytePath): string {
  return Buffer.from(path, "latin1").toString("utf8");
}

/** As text that gives every byte back: what is no UTF-8 becomes lone surrogates, U+DC80 to U+DCFF. */
export function textPath(path: BytePath): string {
  const bytes = Buffer.from(path, "latin1");
  const text = bytes.toString("utf8");
  return text.includes("\ufffd") ? decodeExactly(bytes) : text;
}

/** What {@link textPath} was made from. */
export function bytesOfText(text: string): BytePath {
  if (text.isWellFormed()) return bytePath(Buffer.from(text, "utf8").toString("latin1"));
  const parts = Array.from(text, (character) => {
    const code = character.charCodeAt(0);
    const isByte = character.length === 1 && code >= BYTE_SURROGATES + 0x80 && code <= BYTE_SURROGATES + 0xff;
    return isByte ? Buffer.from([code - BYTE_SURROGATES]) : Buffer.from(character, "utf8");
  });
  return bytePath(Buffer.concat(parts).toString("latin1"));
}

const BYTE_SURROGATES = 0xdc00;
const CHARACTER_BYTES_MAX = 4;

function decodeExactly(bytes: Buffer): string {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const character = firstCharacter(decoder, bytes.subarray(at, at + CHARACTER_BYTES_MAX));
    text += character ?? String.fromCharCode(BYTE_SURROGATES + (bytes[at] ?? 0));
    at += character === undefined ? 1 : Buffer.byteLength(character);
  }
  return text;
}

function firstCharacter(decoder: TextDecoder, bytes: Buffer): string | undefined {
  for (let length = 1; length <= bytes.length; length++) {
    try {
      return decoder.decode(bytes.subarray(0, length));
    } catch {
      // A longer piece may be a character.
    }
  }
  return undefined;
}

/** For the file system. */
export function fileBytes(folder: string, path: BytePath): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`, "utf8"), Buffer.from(path, "latin1")]);
}

/** `name` in the folder at `parent`, which is empty for the top. */
export function joinPath(parent: BytePath, name: string): BytePath {
  return (parent === "" ? name : `${parent}/${name}`) as BytePath;
}

/** Can it be followed from a folder without leaving it, and without touching its repository? */
export function isPlainPath(path: BytePath): boolean {
  return path
    .split("/")
    .every((name) => name !== "" && name !== "." && name !== ".." && !isReservedName(name));
}

/** Characters that HFS+ ignores in names, as bytes of UTF-8. */
const HIDDEN = /\u00e2\u0080[\u008c-\u008f\u00aa-\u00ae]|\u00e2\u0081[\u00aa-\u00af]|\u00ef\u00bb\u00bf/g;

/** Names that git would take for a part of a repository, on this or another file system. */
export function isReservedName(name: string): boolean {
  if (!/g.*i.*t/is.test(name)) return false;
  const plain = name.replace(HIDDEN, "").toLowerCase();
  return /^(\.git|git~1)[. ]*([:\\].*)?$/s.test(plain);
}
