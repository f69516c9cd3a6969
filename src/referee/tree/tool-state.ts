/**
 * What tools leave behind for their next run: compiled code, caches of results, installed environments. From a worker
 * it could say anything of sources that it does not belong to, so pass A is without it.
 */
import type { Finding } from "../../core/contract/contract.ts";
import { type Change, type Difference, foldersOf, nameOf } from "./difference.ts";
import { finding } from "./finding.ts";

const STATE_FOLDER =
  /^(__pycache__|\.(pytest|mypy|ruff|parcel)_?-?cache|\.hypothesis|\.nyc_output|\.turbo|\.nx|\.vite|\.tox|\.nox|\.gradle|\.stryker-tmp)$/;
const STATE_FILE = /\.(pyc|pyo|tsbuildinfo)$|^\.(eslintcache|stylelintcache)$/;
/** Of a compiled module: it is used without a look at its source. */
const UNCHECKED_FLAG = 1;

/** The topmost folder, or the file, of a tool's state that a path belongs to; undefined for none. */
export function stateOf(path: string, { base }: Difference): string | undefined {
  const folder = foldersOf(path).findLast((each) => STATE_FOLDER.test(nameOf(each)) || isTarget(each, base));
  return folder ?? (STATE_FILE.test(path) || STATE_FILE.test(nameOf(path)) ? path : undefined);
}

function isTarget(folder: string, base: Difference["base"]): boolean {
  return nameOf(folder) === "target" && base.has(`${folder.slice(0, -"target".length)}Cargo.toml`);
}

/** Tells of it; what would be used in the place of its source without a look at it is refused. */
export async function findingOfState(
  change: Change,
  state: string,
  difference: Difference,
): Promise<Finding> {
  const { path, candidate } = change;
  if (candidate !== undefined && /\.pyc$/.test(path)) {
    const content = await difference.bytes("candidate", path);
    const flags = content?.subarray(4, 8);
    if (flags === undefined || flags.length < 4 || (flags.readUInt32LE() & UNCHECKED_FLAG) !== 0)
      return finding("shadowing", path, "refuse", "compiled code that is used without a look at its source");
  }
  return finding("state", state, "note", "what a tool has left behind; keep it out by .gitignore");
}
