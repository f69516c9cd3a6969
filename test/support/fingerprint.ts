/** Whether somebody has touched a folder. */
import { hash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Names and contents of everything below a folder, as one word; a repository and its index among it. */
export function fingerprint(folder: string): string {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) => {
    const path = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) return `${path} -> ${readlinkSync(path)}`;
    return entry.isFile() ? `${path} ${hash("sha256", readFileSync(path), "hex")}` : path;
  });
  return hash("sha256", entries.sort().join("\n"), "hex");
}
