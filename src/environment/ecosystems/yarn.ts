/** Yarn, both generations. */
import { type Recipe, type RecipeRequest, step } from "../recipe.ts";
import { checkPackageAddress, RegistryHosts, refuse } from "../refusal.ts";
import {
  installedManifests,
  isHttpAddress,
  listedMembers,
  nodeOutputs,
  OFFLINE_NODE,
  rebuildStep,
  registryEnvironment,
  takeNpmSettings,
} from "./node-common.ts";
import { unquoted, withoutBlocks } from "./yaml-lines.ts";

const LOCKFILE = "yarn.lock";
const SETTINGS = ".yarnrc.yml";

/** Settings that start programs, or name files that a fetch must not see. */
const EXECUTING_KEYS: readonly string[] = ["plugins", "yarnPath", "injectEnvironmentFiles", "initScope"];

/** True when Yarn 2 or later wrote the lockfile. */
export function isBerryLockfile(text: string): boolean {
  return /^__metadata:/m.test(text);
}

/** How Yarn 1 sets a project up. */
export function yarnRecipe(request: RecipeRequest): Recipe {
  const { files, registries } = request;
  const hosts = new RegistryHosts(registries, "yarn");
  let name = "a package";
  for (const line of files.takeRequired(LOCKFILE).split("\n")) {
    if (/^\S.*:$/.test(line)) name = unquoted(line.slice(0, -1));
    const resolved = /^ {2}resolved "?([^"\s]+)"?/.exec(line)?.[1];
    if (resolved === undefined) continue;
    if (!isHttpAddress(resolved)) refuse(name, LOCKFILE, `it comes from ${resolved}, which is no registry`);
    hosts.check(resolved, name, LOCKFILE);
    checkPackageAddress(resolved, packageOf(name), LOCKFILE);
  }
  const members = listedMembers(files);
  const manifests = installedManifests(files, members);
  takeNpmSettings(request, "yarn");
  const flags = [
    "--frozen-lockfile",
    "--ignore-scripts",
    "--non-interactive",
    "--cache-folder",
    "/layer/cache",
  ];
  return {
    fetch: [step(["yarn", "install", ...flags], registryEnvironment(request))],
    build: [rebuildStep()],
    outputs: nodeOutputs(members),
    environment: OFFLINE_NODE,
    path: [],
    standIns: manifests,
  };
}

/** Of the first range that an entry is for: `a@^1, a@2`, `b@npm:a@1`. */
function packageOf(key: string): string {
  const [, name = key, alias] =
    /^"?((?:@[^/@]+\/)?[^@]+)@(?:npm:((?:@[^/@]+\/)?[a-zA-Z][^@,"]*))?/.exec(key) ?? [];
  return alias ?? name;
}

/** How Yarn 2 and later sets a project with `node_modules` up. */
export function berryRecipe(request: RecipeRequest): Recipe {
  const { files } = request;
  let name = "a package";
  for (const line of files.takeRequired(LOCKFILE).split("\n")) {
    if (/^\S.*:$/.test(line)) name = unquoted(line.slice(0, -1));
    const resolution = /^ {2}resolution: (.*)$/.exec(line)?.[1];
    if (resolution === undefined) continue;
    const protocol = /^(?:@[^@/]+\/)?[^@]+@([a-z]+):/.exec(unquoted(resolution))?.[1];
    if (protocol === undefined || !["npm", "workspace", "patch"].includes(protocol))
      refuse(name, LOCKFILE, `it comes from ${unquoted(resolution)}, which is no registry`);
  }
  const members = listedMembers(files);
  const manifests = installedManifests(files, members);
  const settings = (files.take(SETTINGS) ?? "").split("\n");
  if (!settings.some((line) => /^nodeLinker:\s*["']?node-modules["']?\s*$/.test(line)))
    refuse(SETTINGS, "the workspace", "only `nodeLinker: node-modules` can be made a layer");
  const hosts = new RegistryHosts(request.registries, "yarn-berry");
  for (const line of settings) {
    const address = /(https?:\/\/[^\s"']+)/.exec(line)?.[1];
    if (address !== undefined && !/^\s*#/.test(line)) hosts.check(address, line.trim(), SETTINGS);
  }
  const environment = {
    ...registryEnvironment(request),
    YARN_ENABLE_GLOBAL_CACHE: "false",
    YARN_CACHE_FOLDER: "/layer/cache",
    YARN_ENABLE_IMMUTABLE_INSTALLS: "true",
    YARN_ENABLE_SCRIPTS: "false",
    YARN_ENABLE_HARDENED_MODE: "false",
  };
  return {
    fetch: [step(["yarn", "install", "--immutable", "--mode=skip-build"], environment)],
    build: [rebuildStep()],
    outputs: nodeOutputs(members),
    environment: OFFLINE_NODE,
    path: [],
    standIns: { ...manifests, [SETTINGS]: withoutBlocks(settings, EXECUTING_KEYS).join("\n") },
  };
}
