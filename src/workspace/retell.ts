/** Commits with the files of checkpoints and messages for people. */
import { CHECKPOINT_REFS, Commits } from "./commits.ts";
import type { CommitHash, HistoryStep } from "./contract.ts";
import type { Git } from "./git.ts";

/** Keeps what was told, so that it is known again as ours. Beside the checkpoints. */
const RETOLD_REFS = CHECKPOINT_REFS.replace(/checkpoints$/, "retold");
const WHO = "Nightshift <nightshift@localhost>";

/** See the contract of workspaces. Nothing but the steps goes into the commits, so the same steps make the same. */
export async function retellHistory(
  git: Git,
  repository: string,
  base: CommitHash,
  steps: readonly HistoryStep[],
  signal: AbortSignal,
): Promise<CommitHash> {
  const place = { gitFolder: repository };
  const commits = new Commits(git, repository);
  await commits.check(
    steps.map(({ source }) => source),
    signal,
  );
  let head = base;
  for (const { source, message, atMs } of steps) {
    const { tree } = await commits.read(source, signal);
    const when = `${WHO} ${Math.floor(atMs / 1000)} +0000`;
    const input = `tree ${tree}\nparent ${head}\nauthor ${when}\ncommitter ${when}\n\n${message}`;
    head = await git.text(place, ["hash-object", "-t", "commit", "-w", "--stdin"], signal, { input });
  }
  if (head !== base) await git.run(place, ["update-ref", `${RETOLD_REFS}/${head}`, head], signal);
  return head;
}
