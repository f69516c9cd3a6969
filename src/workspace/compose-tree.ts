/** Making a tree out of entries: in an index of its own, without files. */
import { join } from "node:path";
import { NightshiftError } from "../core/errors.ts";
import type { ComposedEntry } from "./contract.ts";
import { type Git, splitNul } from "./git.ts";
import { bytesOfText } from "./paths.ts";
import type { Place } from "./place.ts";

/** See the contract of workspaces. */
export async function composeTree(
  git: Git,
  repository: string,
  place: Place,
  entries: readonly ComposedEntry[],
  signal: AbortSignal,
): Promise<string> {
  const build = place.build();
  try {
    const where = { gitFolder: repository, index: join(build, "index") };
    const lines: string[] = [];
    for (const entry of entries) {
      const object =
        "object" in entry
          ? entry.object
          : await git.text(where, ["hash-object", "-w", "--stdin"], signal, { input: entry.content });
      lines.push(`${entry.mode} ${object}\t${bytesOfText(entry.path)}\0`);
    }
    const input = Buffer.from(lines.join(""), "latin1");
    await git.run(where, ["update-index", "-z", "--index-info"], signal, { input });
    // Git passes over what it does not take, and ends well.
    const { output } = await git.run(where, ["ls-files", "-z"], signal);
    if (splitNul(output).length !== entries.length) throw impossible();
    return await git.text(where, ["write-tree"], signal);
  } finally {
    await place.removeBuild(build);
  }
}

function impossible(): NightshiftError {
  const message = "a tree is to have a path that no tree can have, or a file where it has a folder";
  return new NightshiftError("E_WORKSPACE_GIT", message, { hint: "This is a bug worth reporting." });
}
