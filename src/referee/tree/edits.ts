/** What an edit of a protected file comes to, when additions are welcome. */
import { posix } from "node:path";
import { compareTests, describeLosses, isNoLoss } from "../ratchets/compare-tests.ts";
import { testShapeOf } from "../ratchets/test-shape.ts";
import { type Change, type Difference, folderOf, LINK, nameOf } from "./difference.ts";
import { isInTestFolder } from "./test-files.ts";

/** Is loaded without a test that asks for it, or decides how tests are run. */
const SPECIAL =
  /^(conftest\.py|__init__\.py|setup\W.*|.*[.-]setup\.\w+|setupTests\.\w+|global-?setup\.\w+|.*\.config\.\w+|mocha\.opts|[jt]sconfig.*\.json|\..+|(pytest|pyproject|Cargo)\.toml|(pytest|tox)\.ini|setup\.cfg|BUILD(\.bazel)?|[Mm]akefile|build\.rs)$/i;
const SNAPSHOT = /(^|\/)__snapshots__\/|\.snap$|\.ambr$|\.snapshot$/;

/** What a person has to see of a new file that is protected; null for nothing. */
export function problemOfNew(
  { path, candidate }: Change,
  difference: Difference,
  isTestFile: boolean,
): string | null {
  if (candidate?.mode === LINK) return "a new symbolic link";
  if (SNAPSHOT.test(path))
    return isOfNewTest(path, difference) ? null : "a new snapshot of a test that was there";
  if (isSpecial(path)) return "new, and it can change what the tests that were there do";
  return isTestFile || isInTestFolder(path) ? null : "new";
}

function isSpecial(path: string): boolean {
  return SPECIAL.test(nameOf(path)) || path.split("/").includes("__mocks__");
}

/** `__snapshots__/a.test.ts.snap` belongs to `a.test.ts` in the folder above. */
function isOfNewTest(path: string, { base, candidate }: Difference): boolean {
  const name = nameOf(path).replace(/\.(snap|ambr|snapshot)$/, "");
  const folder = folderOf(path);
  const owners = [folderOf(folder), folder].flatMap((place) =>
    ["", ".py"].map((end) => posix.join(place, name + end)),
  );
  return !owners.some((owner) => base.has(owner)) && owners.some((owner) => candidate.has(owner));
}

/** What a person has to see of a protected file that is not as it was; null for nothing. */
export async function problemOfEdit(
  change: Change,
  difference: Difference,
  isTestFile: boolean,
): Promise<string | null> {
  const { path, base, candidate } = change;
  if (candidate === undefined) return "removed";
  if (base?.mode === LINK || candidate.mode === LINK) return "what it links to is changed";
  // Whether it may be executed is the base's in pass A.
  if (base?.object === candidate.object) return null;
  const [before, after] = [await difference.text("base", path), await difference.text("candidate", path)];
  if (before === undefined || after === undefined) return "changed";
  if (path.endsWith(".snap")) return problemOfSnapshots(before, after);
  const [old, now] = [testShapeOf(path, before), testShapeOf(path, after)];
  if (old === undefined) return "changed";
  if (now === undefined) return "changed, and not to be read by its grammar";
  if (old.text === now.text) return null;
  if (!isTestFile || isSpecial(path)) return "changed";
  const losses = compareTests(old, now);
  return isNoLoss(losses) ? null : describeLosses(losses);
}

/** Those that were there have to be there, word by word. */
function problemOfSnapshots(before: string, after: string): string | null {
  const [old, now] = [testShapeOf("snapshot.js", before), testShapeOf("snapshot.js", after)];
  if (old === undefined || now === undefined) return "snapshots are changed";
  const texts = new Set(now.items.map(({ text }) => text));
  const known = new Set(old.items.map(({ text }) => text));
  const lost = [...known].filter((text) => !texts.has(text)).length;
  const odd = [...texts].filter((text) => !known.has(text) && !text.startsWith("exports ["));
  if (lost > 0) return `${lost} snapshots are changed or gone`;
  return odd.length > 0 ? "it has more than snapshots" : null;
}
