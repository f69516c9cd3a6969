/** Which project files the user has read and trusts: by path and by exactly the text that they had. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../sandbox/daemon/durable.ts";
import { readConfigText } from "./config-file.ts";

/** One text of one file. */
export interface TrustedFile {
  /** Absolute. */
  readonly path: string;
  /** Of its bytes, in hex. */
  readonly sha256: string;
}

/** Has the user trusted exactly this text? */
export function isTrusted(folder: string, { path, sha256 }: TrustedFile): boolean {
  return readTrust(folder).some((known) => known.path === path && known.sha256 === sha256);
}

/** Adds a text to what is trusted, in the place of an earlier one of that file; durable when it returns. */
export function addTrust(folder: string, file: TrustedFile): void {
  writeTrust(folder, [...without(readTrust(folder), file.path), { path: file.path, sha256: file.sha256 }]);
}

/** Takes a file out. @returns whether it was trusted */
export function removeTrust(folder: string, path: string): boolean {
  const before = readTrust(folder);
  const after = without(before, path);
  if (after.length < before.length) writeTrust(folder, after);
  return after.length < before.length;
}

function without(files: readonly TrustedFile[], path: string): TrustedFile[] {
  return files.filter((known) => known.path !== path);
}

/** A record that cannot be understood trusts nothing. */
function readTrust(folder: string): readonly TrustedFile[] {
  try {
    const record: unknown = JSON.parse(readConfigText(recordPath(folder)) ?? "{}");
    const files = (record as { readonly files?: unknown }).files;
    return Array.isArray(files) ? files.filter(isTrustedFile) : [];
  } catch {
    return [];
  }
}

function isTrustedFile(value: unknown): value is TrustedFile {
  const { path, sha256 } = (value ?? {}) as { readonly path?: unknown; readonly sha256?: unknown };
  return typeof path === "string" && typeof sha256 === "string";
}

function writeTrust(folder: string, files: readonly TrustedFile[]): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  replaceFile(recordPath(folder), `${JSON.stringify({ version: 1, files }, null, 2)}\n`);
}

function recordPath(folder: string): string {
  return join(folder, "trust.json");
}
