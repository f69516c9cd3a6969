/** Which contents of files were tried and given up, by their hashes: they are not to come back unnoticed. */
import type { RejectedContent } from "../attempt/state.ts";
import { bounded, type HandoffSources } from "./sources.ts";

const REJECTED_MAX = 200;

/**
 * Where the files are taken back, everything that this attempt wrote; else, of the files that the model names as tried
 * in vain, everything but what they hold now.
 */
export function rejectedContents(sources: HandoffSources): readonly RejectedContent[] {
  const { state } = sources;
  const isTakenBack = state.attempts.change?.to != null;
  const found = [...contentsByPath(sources)].flatMap(([path, { first, afters }]) => {
    const reason = isTakenBack
      ? "what was built on it did not meet the contract, so the files were taken back"
      : reasonFor(sources, path);
    if (reason === null) return [];
    const now = isTakenBack ? null : afters.at(-1);
    const given = [...new Set(afters)].filter((after) => after !== now && after !== first);
    return given.map((hash) => ({ path, hash, reason: bounded(reason, 2000) }));
  });
  return found.slice(-REJECTED_MAX);
}

interface Contents {
  /** What the file held before the attempt. */
  readonly first: string | null;
  readonly afters: readonly string[];
}

/** Of writes that were carried out. */
function contentsByPath({ writes, results }: HandoffSources): ReadonlyMap<string, Contents> {
  const done = new Set(
    results.filter(({ body }) => !body.is_error && body.run > 0).map(({ body }) => body.call),
  );
  const contents = new Map<string, Contents>();
  for (const { body } of writes) {
    if (!done.has(body.call) || body.after === null) continue;
    const known = contents.get(body.path) ?? { first: body.before, afters: [] };
    contents.set(body.path, { ...known, afters: [...known.afters, body.after] });
  }
  return contents;
}

function reasonFor({ notes, state }: HandoffSources, path: string): string | null {
  const since = state.attempts.handoff?.seq ?? 0;
  const tried = notes
    .filter(({ seq }) => seq > since)
    .flatMap(({ body }) => body.tried_and_failed)
    .find(({ files }) => files.some((file) => isSamePath(file, path)));
  return tried === undefined ? null : `${tried.approach}: ${tried.reason}`;
}

/** Models name files by their absolute path, or relative to the workspace. */
function isSamePath(one: string, other: string): boolean {
  const plain = (path: string): string => path.replace(/^\.?\//, "");
  return (
    plain(one) === plain(other) ||
    plain(other).endsWith(`/${plain(one)}`) ||
    plain(one).endsWith(`/${plain(other)}`)
  );
}
