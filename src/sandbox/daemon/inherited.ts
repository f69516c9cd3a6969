/** Descriptors that nobody has meant to give on. */
import { closeSync, readdirSync, readFileSync } from "node:fs";

/** As the kernel prints it: octal. */
const CLOSE_ON_EXEC = 0o2000000;
const STANDARD_FILES = 3;

/**
 * Closes every descriptor that whoever started this process has left open by mistake, because what is started from
 * here would inherit it: a folder among them would be a way out of a sandbox. Node's own are marked as not to be
 * given on, and so are those that it was started with, up to some number.
 */
export function closeInheritedFiles(): void {
  for (const name of readdirSync("/proc/self/fd")) {
    const file = Number(name);
    if (file >= STANDARD_FILES && isGivenOn(file)) closeSync(file);
  }
}

function isGivenOn(file: number): boolean {
  try {
    const flags = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${file}`, "utf8"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    // It was the one that the list was read with.
    return false;
  }
}
