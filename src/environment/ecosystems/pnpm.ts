/** pnpm. Its fetch needs the lockfile only; the project is put together offline. */
import { posix } from "node:path";
import { isRecord, type ProjectFiles } from "../project-files.ts";
import { type Recipe, type RecipeRequest, step } from "../recipe.ts";
import { RegistryHosts, refuse } from "../refusal.ts";
import {
  installedManifests,
  nodeOutputs,
  OFFLINE_NODE,
  registryEnvironment,
  takeNpmSettings,
} from "./node-common.ts";
import { blockOf, listOf, unquoted } from "./yaml-lines.ts";

const LOCKFILE = "pnpm-lock.yaml";
const SETTINGS = "pnpm-workspace.yaml";
const STORE = "/layer/store";

/** How pnpm sets a project up. */
export function pnpmRecipe(request: RecipeRequest): Recipe {
  const { files } = request;
  const lines = files.takeRequired(LOCKFILE).split("\n");
  checkLockfile(request, lines);
  const members = blockOf(lines, "importers")
    .flatMap((line) => /^ {2}(\S.*?):\s*(\{\})?$/.exec(line)?.[1] ?? [])
    .map((name) => files.resolve("", unquoted(name), LOCKFILE))
    .filter((folder) => folder !== "");
  const manifests = installedManifests(files, members);
  takeNpmSettings(request, "pnpm");
  const settings = files.take(SETTINGS);
  files.take(".pnpmfile.cjs");
  for (const line of [
    ...blockOf(lines, "patchedDependencies"),
    ...blockOf(settings?.split("\n") ?? [], "patchedDependencies"),
  ]) {
    const path = /:\s*['"]?(\S+\.patch)['"]?\s*$/.exec(line)?.[1];
    if (path !== undefined) files.take(files.resolve("", path, LOCKFILE));
  }
  const common = { ...registryEnvironment(request), npm_config_manage_package_manager_versions: "false" };
  const built = builtPackages(files, settings);
  const offline = { ...common, npm_config_offline: "true" };
  return {
    fetch: [step(["pnpm", "fetch", "--ignore-scripts", "--store-dir", STORE], common)],
    build: [
      step(
        ["pnpm", "install", "--offline", "--frozen-lockfile", "--ignore-scripts", "--store-dir", STORE],
        offline,
      ),
      ...(built.length > 0
        ? [step(["pnpm", "rebuild", "--recursive", "--store-dir", STORE, ...built], offline)]
        : []),
    ],
    outputs: nodeOutputs(members),
    environment: { ...OFFLINE_NODE, npm_config_manage_package_manager_versions: "false" },
    path: [],
    standIns: manifests,
  };
}

function checkLockfile({ registries }: RecipeRequest, lines: readonly string[]): void {
  const hosts = new RegistryHosts(registries, "pnpm");
  let name = "a package";
  for (const line of lines) {
    name = /^ {2}(\S.*?):\s*$/.exec(line)?.[1] ?? name;
    const tarball = /\btarball:\s*([^\s,}]+)/.exec(line)?.[1];
    if (tarball !== undefined) hosts.check(unquoted(tarball), unquoted(name), LOCKFILE);
    if (/\btype:\s*git\b|\brepo:\s*\S+:/.test(line)) refuse(unquoted(name), LOCKFILE, "it comes from git");
    if (/\btype:\s*directory\b/.test(line)) refuse(unquoted(name), LOCKFILE, "it comes from a folder");
    if (/\bresolution:\s*\{/.test(line) && !/\bintegrity:/.test(line))
      refuse(unquoted(name), LOCKFILE, "it has no integrity, so nothing could be checked");
  }
}

/** Packages whose install scripts the project has approved of. */
function builtPackages(files: ProjectFiles, settings: string | undefined): readonly string[] {
  const { pnpm } = files.json("package.json", files.look("package.json"));
  const inManifest = isRecord(pnpm) ? pnpm.onlyBuiltDependencies : undefined;
  const lines = settings?.split("\n") ?? [];
  const allowed = blockOf(lines, "allowBuilds").flatMap(
    (line) => /^\s+(\S+?):\s*true\s*$/.exec(line)?.[1] ?? [],
  );
  const names = [
    ...(Array.isArray(inManifest) ? inManifest.filter((name) => typeof name === "string") : []),
    ...listOf(lines, "onlyBuiltDependencies"),
    ...allowed.map(unquoted),
  ];
  return [...new Set(names)].filter((name) => /^(@[\w.-]+\/)?[\w.-]+$/.test(name) && name !== posix.sep);
}
