/**
 * Paths as bytes. File names of hostile content are any bytes but NUL and slash, so inside this folder a path is a
 * string with one character per byte; only what is meant for people becomes UTF-8.
 */

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

/** For the file system. */
export function fileBytes(folder: string, path: BytePath): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`, "utf8"), Buffer.from(path, "latin1")]);
}

/** `name` in the folder at `parent`, which is empty for the top. */
export function joinPath(parent: BytePath, name: string): BytePath {
  return (parent === "" ? name : `${parent}/${name}`) as BytePath;
}

/** Characters that HFS+ ignores in names, as bytes of UTF-8. */
const HIDDEN = /\u00e2\u0080[\u008c-\u008f\u00aa-\u00ae]|\u00e2\u0081[\u00aa-\u00af]|\u00ef\u00bb\u00bf/g;

/** Names that git would take for a part of a repository, on this or another file system. */
export function isReservedName(name: string): boolean {
  if (!/g.*i.*t/is.test(name)) return false;
  const plain = name.replace(HIDDEN, "").toLowerCase();
  return /^(\.git|git~1)[. ]*([:\\].*)?$/s.test(plain);
}
