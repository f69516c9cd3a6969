/** The shell that commands are given to. */
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import type { Environment } from "./environment.ts";

/** The first bash on the path, else what every system has. */
export function findShell({ PATH = "" }: Environment): string {
  const bash = PATH.split(":")
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => join(folder, "bash"))
    .find(isExecutable);
  return bash ?? "/bin/sh";
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
