/** New files that are found in the place of a module that tests, or their runner, mean. */
import { posix } from "node:path";
import type { Finding } from "../../core/contract/contract.ts";
import { type Change, type Difference, folderOf, foldersOf, nameOf } from "./difference.ts";
import { finding } from "./finding.ts";
import { plainName, pythonDependencies } from "./python-dependencies.ts";
import { isStandardModule } from "./python-modules.ts";
import { hasTestName } from "./test-files.ts";

/** Modules that runners and tests of JavaScript bring along. */
const RUNNER_MODULES: ReadonlySet<string> = new Set([
  ...["assert", "vitest", "vite", "jest", "mocha", "chai", "expect", "sinon", "ava", "tap", "tape", "uvu"],
  ...["jsdom", "happy-dom", "ts-node", "tsx", "supertest"],
]);
/** Loaded by every start of Python, or by pytest without being asked for. */
const LOADED_ALWAYS = /^(sitecustomize|usercustomize)(\.py|$)|\.pth$|\.(egg-info|dist-info)$/;
const INSTALLED = "modules in it are found before those that were installed: keep them out of the repository";
/** Names of the blob without content, by git's two kinds of hashes. */
const EMPTY_BLOBS: ReadonlySet<string> = new Set([
  "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
  "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
]);

/** Refuses what shadows; asks for a person where an honest reason is as likely. @param folders - of the checks */
export async function findShadows(difference: Difference, folders: readonly string[]): Promise<Finding[]> {
  const places = placesOf(difference, folders);
  const foreign = await pythonDependencies(difference);
  const isForeign = (name: string): boolean => isStandardModule(name) || foreign.has(plainName(name));
  return difference.added.flatMap(
    (change) =>
      installedIn(difference, change) ??
      scriptShadow(difference, change, places.folders) ??
      pythonShadow(difference, change, places, isForeign) ??
      [],
  );
}

interface Places {
  /** Of the checks, with those above. */
  readonly folders: ReadonlySet<string>;
  /** That hold tests of the base. */
  readonly tests: ReadonlySet<string>;
}

function placesOf({ base }: Difference, folders: readonly string[]): Places {
  const tests = [...base.keys()].filter(hasTestName).map(folderOf);
  return { folders: new Set(["", ...folders, ...folders.flatMap(foldersOf)]), tests: new Set(tests) };
}

/** Folders of installed modules, where files of the project look for them. */
function installedIn({ baseFolders }: Difference, { path }: Change): Finding[] | undefined {
  if (path === "vendor/modules.txt" && !baseFolders.has("vendor"))
    return [finding("shadowing", "vendor", "refuse", INSTALLED)];
  const names = path.split("/");
  const at = names.findIndex((name) => name === "node_modules" || name === "site-packages");
  const folder = names.slice(0, at + 1).join("/");
  if (at === -1 || !baseFolders.has(folderOf(folder))) return undefined;
  return [finding("shadowing", folder, "refuse", INSTALLED)];
}

function scriptShadow(
  { baseFolders }: Difference,
  { path }: Change,
  folders: ReadonlySet<string>,
): Finding[] | undefined {
  const isEntry = /^(index\.[cm]?[jt]sx?|package\.json)$/.test(nameOf(path));
  const module = isEntry ? folderOf(path) : path.replace(/\.[cm]?[jt]sx?$/, "");
  if (module === path || baseFolders.has(module)) return undefined;
  if (!folders.has(folderOf(module)) || !RUNNER_MODULES.has(nameOf(module))) return undefined;
  return [
    finding("shadowing", path, "refuse", `it can be found in the place of the module ${nameOf(module)}`),
  ];
}

function pythonShadow(
  { base, baseFolders }: Difference,
  { path, candidate }: Change,
  { folders, tests }: Places,
  isForeign: (name: string) => boolean,
): Finding[] | undefined {
  const loaded = [path, ...foldersOf(path)].find((part) => LOADED_ALWAYS.test(nameOf(part)));
  if (loaded !== undefined && !baseFolders.has(loaded))
    return [finding("shadowing", loaded, "refuse", "it is loaded without being asked for")];
  if (!/\.(pyi?|so|pyd|pyc)$/.test(path)) return undefined;
  const name = nameOf(path);
  if (name === "conftest.py") return conftest(path, tests);
  if (name === "__init__.py" && tests.has(folderOf(path))) return packageMark(path, candidate?.object);
  const module = name === "__init__.py" ? folderOf(path) : path.replace(/(\.[^/.]*)+$/, "");
  const place = folderOf(module);
  const isFound = folders.has(place) || tests.has(place) || place === "src";
  const known = [`${module}.py`, posix.join(module, "__init__.py")];
  const isKnown = baseFolders.has(module) || known.some((each) => base.has(each));
  if (!isFound || isKnown || !isForeign(nameOf(module))) return undefined;
  return [finding("shadowing", path, "refuse", `it is found in the place of the module ${nameOf(module)}`)];
}

/** A new one beside tests may be for new ones; one that is above all of them only changes those that were there. */
function conftest(path: string, tests: ReadonlySet<string>): Finding[] {
  const folder = folderOf(path);
  const below = [...tests].find((each) => folder === "" || each.startsWith(`${folder}/`));
  if (below === undefined || tests.has(folder))
    return [finding("protected", path, "review", "a new conftest.py, which pytest loads by itself")];
  return [finding("shadowing", path, "refuse", `a new conftest.py above the tests in ${below}`)];
}

/** Makes the tests beside it modules of a package, which are found elsewhere. */
function packageMark(path: string, object: string | undefined): Finding[] {
  const isEmpty = EMPTY_BLOBS.has(object ?? "");
  const detail = "the tests beside it become modules of a package";
  return [finding(isEmpty ? "protected" : "shadowing", path, isEmpty ? "review" : "refuse", detail)];
}
