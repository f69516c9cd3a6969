/** npm. */
import { posix } from "node:path";
import { isRecord } from "../project-files.ts";
import { type Recipe, type RecipeRequest, step, throughProxy } from "../recipe.ts";
import { checkPackageAddress, RegistryHosts, refuse } from "../refusal.ts";
import {
  installedManifests,
  nodeOutputs,
  OFFLINE_NODE,
  rebuildStep,
  registryEnvironment,
  takeNpmSettings,
} from "./node-common.ts";

/** What npm calls its lockfile; the first one counts. */
export const NPM_LOCKFILES: readonly string[] = ["npm-shrinkwrap.json", "package-lock.json"];

/** How npm sets a project up. */
export function npmRecipe(request: RecipeRequest): Recipe {
  const { files } = request;
  const lockfile = NPM_LOCKFILES.find((path) => files.has(path)) ?? "package-lock.json";
  const members = checkLockfile(request, lockfile);
  const manifests = installedManifests(files, members);
  takeNpmSettings(request, "npm");
  const environment = { ...registryEnvironment(request), npm_config_cache: "/layer/cache" };
  return {
    fetch: [step(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], environment)],
    build: [rebuildStep()],
    outputs: nodeOutputs(members),
    environment: OFFLINE_NODE,
    path: [],
    standIns: { ...manifests, ...injectedLockfile(request, lockfile) },
  };
}

/** npm asks for the addresses in the lockfile, so those of a registry with credentials have to lead to the proxy. */
function injectedLockfile(
  { files, registries }: RecipeRequest,
  path: string,
): Readonly<Record<string, string>> {
  const injected = registries.filter(({ isInjected }) => isInjected === true);
  const text = files.look(path) ?? "";
  const rewritten = injected.reduce((before, registry) => {
    const { origin } = new URL(registry.url);
    const pattern = new RegExp(`("resolved":\\s*")${escaped(origin)}(?=/)`, "g");
    return before.replace(pattern, (_all, key: string) => key + throughProxy(registry, origin));
  }, text);
  return rewritten === text ? {} : { [path]: rewritten };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** @returns the folders of members */
function checkLockfile(request: RecipeRequest, path: string): readonly string[] {
  const { files, registries } = request;
  const lock = files.json(path, files.takeRequired(path));
  const hosts = new RegistryHosts(registries, "npm");
  const { packages } = lock;
  if (!isRecord(packages)) {
    refuse(path, "the workspace", "it is of version 1; `npm install --lockfile-version 3` renews it");
  }
  const members: string[] = [];
  for (const [place, entry] of Object.entries(packages)) {
    if (!isRecord(entry)) refuse(place, path, "it is no object");
    const { name: alias, resolved, link, integrity, inBundle } = entry;
    if (place === "") continue;
    const installed = place.replace(/^.*node_modules\//, "");
    const name = `package ${installed}`;
    if (!place.includes("node_modules/")) {
      members.push(files.resolve("", place, path));
    } else if (link === true) {
      files.resolve("", typeof resolved === "string" ? resolved : "", path);
    } else if (inBundle !== true) {
      if (typeof resolved === "string") {
        hosts.check(resolved, name, path);
        checkPackageAddress(resolved, typeof alias === "string" ? alias : installed, path);
      }
      if (typeof integrity !== "string")
        refuse(name, path, "it has no integrity, so nothing could be checked");
    }
  }
  return members.filter((folder) => files.has(posix.join(folder, "package.json")));
}
