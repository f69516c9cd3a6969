/** What npm, pnpm and Yarn have in common. */
import { posix } from "node:path";
import type { Ecosystem, LayerOutput, LayerStep } from "../contract.ts";
import { isRecord, type ProjectFiles } from "../project-files.ts";
import { type RecipeRequest, registryUrl, step } from "../recipe.ts";
import { hostOf, RegistryHosts, refuse } from "../refusal.ts";

const DEPENDENCY_FIELDS: readonly string[] = [
  "dependencies",
  "devDependencies",
  "optionalDependencies",
  "peerDependencies",
];

/** What a client that installs looks at. A script or a tool's setting that changes makes no new layer. */
const INSTALLED_FIELDS: readonly string[] = [
  ...DEPENDENCY_FIELDS,
  "name",
  "version",
  "private",
  "workspaces",
  "packageManager",
  "devEngines",
  "engines",
  "os",
  "cpu",
  "libc",
  "bin",
  "directories",
  "peerDependenciesMeta",
  "dependenciesMeta",
  "bundleDependencies",
  "bundledDependencies",
  "overrides",
  "resolutions",
  "pnpm",
  "publishConfig",
  "installConfig",
];

/** Neither news nor surveys: nothing that a client might want to reach besides packages. */
export const QUIET_NODE: Readonly<Record<string, string>> = {
  npm_config_audit: "false",
  npm_config_fund: "false",
  npm_config_update_notifier: "false",
  // Between a client and the proxy nothing is lost; what fails is mostly an answer that stays the same.
  npm_config_fetch_retries: "2",
  npm_config_fetch_retry_mintimeout: "1000",
  npm_config_fetch_retry_maxtimeout: "5000",
  COREPACK_ENABLE_DOWNLOAD_PROMPT: "0",
  COREPACK_ENABLE_NETWORK: "0",
  YARN_IGNORE_PATH: "1",
  YARN_ENABLE_TELEMETRY: "0",
};

/** For the commands that use a layer: no client may think that it should fetch something. */
export const OFFLINE_NODE: Readonly<Record<string, string>> = {
  npm_config_offline: "true",
  npm_config_update_notifier: "false",
  npm_config_verify_deps_before_run: "false",
  COREPACK_ENABLE_NETWORK: "0",
  YARN_ENABLE_NETWORK: "0",
};

/** The registry by the names that the clients know it by. */
export function registryEnvironment(request: RecipeRequest): Readonly<Record<string, string>> {
  const url = registryUrl(request);
  return {
    ...QUIET_NODE,
    npm_config_registry: url,
    YARN_REGISTRY: url,
    YARN_NPM_REGISTRY_SERVER: url.replace(/\/$/, ""),
    ...(url.startsWith("http:") ? { YARN_UNSAFE_HTTP_WHITELIST: new URL(url).hostname } : {}),
  };
}

/**
 * Reads manifests of the root and of members, and refuses what they ask for from elsewhere.
 * @returns what a set-up is to see of them, by path
 */
export function installedManifests(
  files: ProjectFiles,
  members: readonly string[],
): Readonly<Record<string, string>> {
  const standIns: Record<string, string> = {};
  for (const folder of ["", ...members]) {
    const path = posix.join(folder, "package.json");
    const manifest = files.json(path, files.lookRequired(path));
    const fields = INSTALLED_FIELDS.flatMap((field) => (field in manifest ? [[field, manifest[field]]] : []));
    standIns[path] = `${JSON.stringify(Object.fromEntries(fields), null, 2)}\n`;
    for (const field of DEPENDENCY_FIELDS) {
      const wanted = manifest[field];
      if (!isRecord(wanted)) continue;
      for (const [name, range] of Object.entries(wanted)) checkRange(files, folder, path, name, range);
    }
  }
  return standIns;
}

/** Ranges, tags and workspace links are fine; addresses, git and folders elsewhere are not. */
function checkRange(files: ProjectFiles, folder: string, path: string, name: string, range: unknown): void {
  if (typeof range !== "string") return;
  const local = /^(?:file|link|portal):(.*)$/.exec(range);
  if (local !== null) {
    const target = files.resolve(folder, local[1] ?? "", path);
    if (!files.has(posix.join(target, "package.json")))
      refuse(`${name}@${range}`, path, "only folders of the project may be linked");
    return;
  }
  const isForeign = /^(git|github|gitlab|bitbucket|gist|https?|ssh)[+:]|^git@|^[\w.-]+\/[\w.-]+(#|$)/.test(
    range,
  );
  if (isForeign) refuse(`${name}@${range}`, path, "it is not a package of a registry");
}

/** Member folders that the root's package.json lists. */
export function listedMembers(files: ProjectFiles): readonly string[] {
  const { workspaces } = files.json("package.json", files.look("package.json"));
  const patterns = isRecord(workspaces) ? workspaces.packages : workspaces;
  if (!Array.isArray(patterns)) return [];
  return files.findMembers(
    patterns.filter((pattern) => typeof pattern === "string"),
    "package.json",
  );
}

/** Takes `.npmrc` and the like; every address in it must be a registry's, and it may start no program. */
export function takeNpmSettings(request: RecipeRequest, ecosystem: Ecosystem): void {
  const { files, registries } = request;
  const hosts = new RegistryHosts(registries, ecosystem);
  for (const path of [".npmrc", ".yarnrc"]) {
    const text = files.take(path);
    for (const line of text?.split("\n") ?? []) {
      const address = /(https?:\/\/[^\s"']+)/.exec(line)?.[1];
      if (/^\s*[#;]/.test(line) || address === undefined) continue;
      hosts.check(address, `the setting ${JSON.stringify(line.split(/[=\s]/)[0])}`, path);
    }
  }
}

/** `node_modules` of the root and of every member. */
export function nodeOutputs(members: readonly string[]): readonly LayerOutput[] {
  return ["", ...members].map((folder) => ({
    from: "workspace" as const,
    path: posix.join(folder, "node_modules"),
    isOptional: true,
  }));
}

/** Runs the install scripts of dependencies, and of nothing else. */
export function rebuildStep(): LayerStep {
  return {
    ...step(["npm", "rebuild", "--foreground-scripts", "--no-audit", "--no-fund"], {
      ...QUIET_NODE,
      npm_config_offline: "true",
      npm_config_cache: "/tmp/npm",
    }),
    forBuiltPackages: true,
  };
}

/** True for a package's file at a registry; false when the address is no http address at all. */
export function isHttpAddress(address: string): boolean {
  return hostOf(address) !== undefined;
}
