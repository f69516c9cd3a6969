/** uv: what its lockfile says, as wheels only. */
import { posix } from "node:path";
import { type Recipe, type RecipeRequest, registryUrl, step } from "../recipe.ts";
import { RegistryHosts, refuse } from "../refusal.ts";
import { PYTHON_ENVIRONMENT, PYTHON_OUTPUTS } from "./pip.ts";

const LOCKFILE = "uv.lock";
const SOURCE = /^\s*source = \{ (\w+) = "([^"]*)"/;

/** How uv sets a project up. */
export function uvRecipe(request: RecipeRequest): Recipe {
  const { files } = request;
  const folders = checkLockfile(request);
  files.takeRequired("pyproject.toml");
  for (const folder of folders) files.take(posix.join(folder, "pyproject.toml"));
  const url = registryUrl(request);
  const environment = {
    UV_PROJECT_ENVIRONMENT: "/layer/venv",
    UV_CACHE_DIR: "/layer/cache",
    UV_LINK_MODE: "copy",
    UV_PYTHON_DOWNLOADS: "never",
    UV_NO_CONFIG: "1",
    UV_DEFAULT_INDEX: url,
    ...(url.startsWith("http:") ? { UV_INSECURE_HOST: new URL(url).host } : {}),
  };
  const flags = ["--frozen", "--no-build", "--no-install-workspace", "--all-extras", "--all-groups"];
  return {
    fetch: [step(["uv", "sync", ...flags], environment)],
    build: [],
    outputs: PYTHON_OUTPUTS,
    environment: PYTHON_ENVIRONMENT,
    path: ["/layer/venv/bin"],
    standIns: {},
  };
}

/** @returns folders of members */
function checkLockfile({ files, registries }: RecipeRequest): readonly string[] {
  const hosts = new RegistryHosts(registries, "uv");
  const folders: string[] = [];
  let name = "a package";
  for (const line of files.takeRequired(LOCKFILE).split("\n")) {
    name = /^name = "([^"]*)"/.exec(line)?.[1] ?? name;
    const [, kind, place = ""] = SOURCE.exec(line) ?? [];
    if (kind === "registry") hosts.check(place, name, LOCKFILE);
    else if (kind === "virtual" || kind === "editable") folders.push(files.resolve("", place, LOCKFILE));
    else if (kind !== undefined)
      refuse(`${name} (${kind} ${place})`, LOCKFILE, "it is not a package of a registry");
    for (const [, address = ""] of line.matchAll(/\burl = "([^"]*)"/g)) {
      hosts.check(address, name, LOCKFILE);
      if (!line.includes("hash = ")) refuse(name, LOCKFILE, "it has no hash, so nothing could be checked");
    }
  }
  return folders.filter((folder) => folder !== "");
}
