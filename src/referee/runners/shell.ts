/** Texts for a POSIX shell. */
import { posix } from "node:path";

/** A word that a shell takes as it is. */
export function quote(word: string): string {
  return /^[\w@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Begins a command in a folder of the workspace as package scripts do: with its packages' programs first on the path. */
export function inFolder(folder: string): string {
  const folders = folder === "" ? [""] : [folder, ""];
  const path = folders.map((each) => `"$PWD"${quote(posix.join("/", each, "node_modules/.bin"))}`).join(":");
  return `PATH=${path}:"$PATH" && export PATH && cd ${quote(folder === "" ? "." : `./${folder}`)}`;
}
