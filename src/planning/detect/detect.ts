/** Finds out how a repository is tested: which commands a person would type. Reads files and runs nothing. */
import { isNightshiftError } from "../../core/errors.ts";
import type { TreeReader } from "../../referee/contract.ts";
import type { ProjectFacts, ProjectFolder, TestCommand } from "./contract.ts";
import { nodeChores, nodeTests, readManifest } from "./node.ts";
import { cargoTests, goTests, makeTests, pythonTests } from "./other.ts";
import { isTestFile } from "./test-files.ts";

/** Files that make a folder a project of its own. */
const MANIFESTS: ReadonlySet<string> = new Set(
  "package.json pyproject.toml setup.py requirements.txt pytest.ini go.mod Cargo.toml Makefile".split(" "),
);
const DEPTH_MAX = 2;
const FOLDERS_MAX = 50;
const COMMANDS_MAX = 5;
const TEXT_BYTES_MAX = 1024 * 1024;

/** What the files of a tree tell. Nothing that is in them makes it fail. */
export async function detectProject(tree: TreeReader): Promise<ProjectFacts> {
  const entries = await tree.list();
  const paths = entries.map(({ path }) => path);
  const top = folderOf(tree, paths, "");
  const manifest = await readManifest(top);
  let tests = await testsOf(top, top);
  if (tests.length === 0) {
    for (const folder of projectFolders(paths))
      tests.push(...(await testsOf(folderOf(tree, paths, folder), top)));
    tests = tests.slice(0, COMMANDS_MAX);
  }
  return {
    paths,
    tests,
    testFiles: paths.filter(isTestFile),
    chores: manifest === undefined ? {} : nodeChores(top, manifest),
    scripts: manifest?.scripts ?? {},
  };
}

async function testsOf(folder: ProjectFolder, top: ProjectFolder): Promise<TestCommand[]> {
  const manifest = await readManifest(folder);
  const found = [
    ...(manifest === undefined ? [] : await nodeTests(folder, manifest, top)),
    ...(await pythonTests(folder)),
    ...(await goTests(folder)),
    ...(await cargoTests(folder)),
  ];
  return found.length > 0 ? found : await makeTests(folder);
}

/** Folders with a manifest of their own, those near the top first. */
function projectFolders(paths: readonly string[]): readonly string[] {
  const folders = new Set<string>();
  for (const path of paths) {
    const parts = path.split("/");
    const name = parts.pop() ?? "";
    if (parts.length >= 1 && parts.length <= DEPTH_MAX && MANIFESTS.has(name)) folders.add(parts.join("/"));
  }
  const depth = (folder: string): number => folder.split("/").length;
  return [...folders].sort((one, other) => depth(one) - depth(other)).slice(0, FOLDERS_MAX);
}

function folderOf(tree: TreeReader, paths: readonly string[], folder: string): ProjectFolder {
  const prefix = folder === "" ? "" : `${folder}/`;
  const below = paths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
  const all = new Set(below);
  return {
    folder,
    paths: below,
    has: (name) => all.has(name),
    text: async (path) => {
      if (!all.has(path)) return undefined;
      const bytes = await tree.read(prefix + path).catch((error: unknown) => {
        if (isNightshiftError(error, "E_CONTRACT_FILE")) return undefined;
        throw error;
      });
      return bytes === undefined || bytes.length > TEXT_BYTES_MAX ? undefined : bytes.toString("utf8");
    },
  };
}
