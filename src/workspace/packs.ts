/** Commits as one text that can be carried to another machine, and back into a repository of ours. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isNightshiftError, messageOf, NightshiftError } from "../core/errors.ts";
import { Commits } from "./commits.ts";
import type { CommitHash, PackRequest, TreeReader, UnpackedCommits } from "./contract.ts";
import { DEFAULT_WORKSPACE_LIMITS } from "./contract.ts";
import { Git } from "./git.ts";
import { makeRepository } from "./scratch.ts";
import { ObjectTreeReader } from "./tree-reader.ts";

/** See the contract of workspaces. */
export async function packCommits(
  git: Git,
  repository: string,
  { base, commit, trees }: PackRequest,
  signal: AbortSignal,
): Promise<Buffer> {
  const place = { gitFolder: repository };
  await new Commits(git, repository).check([base, commit], signal);
  const made = (await git.text(place, ["rev-list", `${base}..${commit}`], signal)).split("\n");
  const wanted = [base, ...made.filter((line) => line !== ""), ...trees];
  const words = ["rev-list", "--objects", "--no-walk=unsorted", "--no-object-names", "--stdin"];
  const { output } = await git.run(place, words, signal, { input: `${wanted.join("\n")}\n` });
  const packing = ["pack-objects", "--stdout", "-q", "--delta-base-offset"];
  return (await git.run(place, packing, signal, { input: output })).output;
}

/**
 * Makes a repository with a working tree, without files, of what {@link packCommits} has packed. Everything in it is
 * checked by git, which executes nothing of it.
 * @param folder - absolute, empty
 * @throws NightshiftError `E_BUNDLE_INVALID` when something is missing, broken or not what its name says
 */
export async function unpackCommits(
  environment: Readonly<Record<string, string | undefined>>,
  folder: string,
  pack: Buffer,
  base: CommitHash,
  signal: AbortSignal,
): Promise<UnpackedCommits> {
  const git = new Git(environment, DEFAULT_WORKSPACE_LIMITS.gitMs);
  const gitFolder = join(folder, ".git");
  const objectFormat = base.length === 64 ? "sha256" : "sha1";
  try {
    makeRepository(gitFolder, { objectFormat, branch: "main" });
    // What came before the base stayed where it was.
    writeFileSync(join(gitFolder, "shallow"), `${base}\n`);
    const words = ["index-pack", "--stdin", "--strict", "--fsck-objects"];
    await git.run({ gitFolder }, words, signal, { input: pack });
  } catch (error) {
    if (!isNightshiftError(error, "E_WORKSPACE_GIT")) throw error;
    throw new NightshiftError("E_BUNDLE_INVALID", `the commits cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const reader = (tree: string): TreeReader =>
    new ObjectTreeReader(git, gitFolder, tree, DEFAULT_WORKSPACE_LIMITS.entries, signal);
  const treeOf = async (commit: CommitHash): Promise<string> => {
    await new Commits(git, gitFolder).check([commit], signal);
    return (await new Commits(git, gitFolder).read(commit, signal)).tree;
  };
  return { folder, reader, treeOf };
}
