/** Cargo: sources are vendored, so that builds need neither a registry nor a cache that they write to. */
import { posix } from "node:path";
import type { ProjectFiles } from "../project-files.ts";
import { type Recipe, type RecipeRequest, registryUrl, step } from "../recipe.ts";
import { hostOf, RegistryHosts, refuse } from "../refusal.ts";

const LOCKFILE = "Cargo.lock";
const MANIFEST = "Cargo.toml";
const SETTINGS: readonly string[] = [".cargo/config.toml", ".cargo/config"];
/** How the lockfile names the registry that needs no name; it stands for whichever is configured in its place. */
const DEFAULT_REGISTRY = /^registry\+https:\/\/.*\/crates\.io-index$/;

/** How Cargo sets a project up. */
export function cargoRecipe(request: RecipeRequest): Recipe {
  const { files } = request;
  checkLockfile(request);
  const standIns: Record<string, string> = {};
  for (const folder of memberFolders(files)) {
    takeManifest(files, folder);
    for (const source of sourcesOf(files, folder)) standIns[source] = "";
  }
  for (const path of SETTINGS) checkSettings(request, path);
  files.take("rust-toolchain.toml");
  files.take("rust-toolchain");
  const url = registryUrl(request);
  const config = [
    "[source.crates-io]",
    'replace-with = "nightshift"',
    "[source.nightshift]",
    `registry = ${JSON.stringify(url)}`,
    "",
  ].join("\n");
  const environment = { CARGO_HOME: "/layer/cargo", CARGO_NET_GIT_FETCH_WITH_CLI: "false" };
  const vendor =
    'mkdir -p /layer/cargo && printf %s "$0" > /layer/cargo/config.toml && ' +
    "cargo vendor --locked --respect-source-config --versioned-dirs /layer/vendor > /layer/vendored.toml && " +
    "rm -rf /layer/cargo && mkdir /layer/cargo && " +
    // Crates without dependencies need no source, and then nothing is said of one.
    "mkdir -p /layer/vendor && mv /layer/vendored.toml /layer/cargo/config.toml";
  return {
    fetch: [step(["sh", "-c", vendor, config], environment)],
    build: [],
    outputs: [{ from: "layer", path: "" }],
    environment: { CARGO_HOME: "/layer/cargo", CARGO_NET_OFFLINE: "true" },
    path: [],
    standIns,
  };
}

function checkLockfile({ files, registries }: RecipeRequest): void {
  const hosts = new RegistryHosts(registries, "cargo");
  let name = "a crate";
  for (const line of files.takeRequired(LOCKFILE).split("\n")) {
    name = /^name = "([^"]*)"/.exec(line)?.[1] ?? name;
    const source = /^source = "([^"]*)"/.exec(line)?.[1];
    if (source === undefined || DEFAULT_REGISTRY.test(source)) continue;
    if (!/^(registry|sparse)\+/.test(source))
      refuse(`${name} (${source})`, LOCKFILE, "it is not a crate of a registry");
    hosts.check(source, name, LOCKFILE);
  }
}

/** The root, and every folder below it with a manifest: members, and what they refer to by path. */
function memberFolders(files: ProjectFiles): readonly string[] {
  const below = files.folders().filter((folder) => files.has(posix.join(folder, MANIFEST)));
  return ["", ...below];
}

function takeManifest(files: ProjectFiles, folder: string): void {
  const path = posix.join(folder, MANIFEST);
  for (const line of files.takeRequired(path).split("\n")) {
    const git = /\bgit\s*=\s*"([^"]*)"/.exec(line)?.[1];
    if (git !== undefined) refuse(git, path, "it is not a crate of a registry");
    const place = /^(?!\s*#).*\bpath\s*=\s*"([^"]*)"/.exec(line)?.[1];
    if (place !== undefined) files.resolve(folder, place, path);
  }
}

/** Cargo wants to see the files of its targets; what is in them does not matter here. */
function sourcesOf(files: ProjectFiles, folder: string): readonly string[] {
  const sources = ["build.rs"].filter((name) => files.has(posix.join(folder, name)));
  const waiting = ["src", "tests", "benches", "examples"];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    for (const { name, isFolder } of files.list(posix.join(folder, place))) {
      if (isFolder) waiting.push(posix.join(place, name));
      else if (name.endsWith(".rs")) sources.push(posix.join(place, name));
    }
  }
  const explicit = files.look(posix.join(folder, MANIFEST)) ?? "";
  for (const [, place = ""] of explicit.matchAll(/\bpath\s*=\s*"([^"]*\.rs)"/g)) sources.push(place);
  return sources.map((source) => files.resolve(folder, source, posix.join(folder, MANIFEST)));
}

/** No other source may take a registry's place, and no program may run. */
function checkSettings({ files, registries }: RecipeRequest, path: string): void {
  const hosts = new RegistryHosts(registries, "cargo");
  for (const line of files.look(path)?.split("\n") ?? []) {
    if (/^\s*#/.test(line)) continue;
    const address = /"((?:sparse\+)?https?:\/\/[^"]+)"/.exec(line)?.[1];
    if (address !== undefined && hostOf(address) !== undefined) hosts.check(address, line.trim(), path);
  }
}
