/** Which registries the person's clients are set up with: asked outside of every project, so that no project answers. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Ecosystem, Registry } from "./contract.ts";
import { hostOf } from "./refusal.ts";

/** For whom to ask. */
export interface RegistryRequest {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** An empty folder: settings of a project must not count. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

const ANSWER_MS_MAX = 20_000;

/** What the client of an ecosystem would use; empty when it is not installed or does not say. */
export async function discoverRegistries(
  ecosystem: Ecosystem,
  request: RegistryRequest,
): Promise<readonly Registry[]> {
  switch (ecosystem) {
    case "npm":
    case "pnpm":
    case "yarn":
    case "yarn-berry":
      return npmRegistries(request);
    case "pip":
    case "uv":
      return pipRegistries(request);
    case "go":
      return goRegistries(request);
    case "cargo":
      return cargoRegistries(request);
  }
}

/** Lockfiles name the client's own default even where another registry is configured; the client replaces it. */
async function npmRegistries(request: RegistryRequest): Promise<readonly Registry[]> {
  const url = await ask("npm", ["config", "get", "registry"], request);
  const standard = await ask(
    "npm",
    ["config", "get", "registry", "--userconfig=/dev/null", "--globalconfig=/dev/null"],
    {
      ...request,
      environment: { PATH: request.environment.PATH, HOME: request.folder },
    },
  );
  const hosts = [hostOf(standard)].filter((host) => host !== undefined && host !== hostOf(url));
  return registry("npm", url, hosts as string[]);
}

async function pipRegistries(request: RegistryRequest): Promise<readonly Registry[]> {
  const own = request.environment.PIP_INDEX_URL;
  return registry(
    "pip",
    own ?? (await ask("python3", ["-m", "pip", "config", "get", "global.index-url"], request)),
    [],
  );
}

async function goRegistries(request: RegistryRequest): Promise<readonly Registry[]> {
  const list = await ask("go", ["env", "GOPROXY"], request);
  return registry("go", list.split(/[,|]/)[0] ?? "", []);
}

/** The registry that the person's configuration puts in place of the standard one. */
async function cargoRegistries({ environment }: RegistryRequest): Promise<readonly Registry[]> {
  const home = environment.CARGO_HOME ?? join(environment.HOME ?? "/", ".cargo");
  const path = ["config.toml", "config"].map((name) => join(home, name)).find((each) => existsSync(each));
  const text = path === undefined ? "" : readFileSync(path, "utf8");
  const replacement = /^\[source\.crates-io\][^[]*?replace-with\s*=\s*"([^"]+)"/m.exec(text)?.[1];
  if (replacement === undefined) return [];
  const name = replacement.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const url = new RegExp(
    `^\\[(?:source|registries)\\.${name}\\][^[]*?(?:registry|index)\\s*=\\s*"([^"]+)"`,
    "m",
  ).exec(text)?.[1];
  return registry("cargo", url ?? "", []);
}

function registry(ecosystem: Ecosystem, url: string, fileHosts: readonly string[]): readonly Registry[] {
  return hostOf(url) === undefined ? [] : [{ ecosystem, url, fileHosts }];
}

async function ask(program: string, argv: readonly string[], request: RegistryRequest): Promise<string> {
  const { environment, folder, signal } = request;
  const passed = Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined &&
    /^(PATH|HOME|LANG|PYENV_ROOT|XDG_CONFIG_HOME|GOPROXY|GOENV)$|^npm_config_/i.test(name)
      ? [[name, value] as const]
      : [],
  );
  return new Promise((resolve) => {
    const options = { cwd: folder, env: Object.fromEntries(passed), timeout: ANSWER_MS_MAX, signal };
    execFile(program, [...argv], options, (error, stdout) => resolve(error === null ? stdout.trim() : ""));
  });
}
