import type { SourceFile } from "./source.ts";
import { isTestFile } from "./source.ts";

/** Which layers each layer may import besides itself: core, then contracts, then who uses them. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  store: ["core"],
  sandbox: ["core"],
  model: ["core"],
  workspace: ["core", "sandbox"],
  tool: ["core", "sandbox", "model"],
  gateway: ["core", "sandbox", "model"],
  environment: ["core", "sandbox", "gateway"],
  worker: ["core", "sandbox", "model", "tool"],
  judge: ["core", "sandbox", "model", "tool"],
  referee: ["core", "sandbox", "workspace", "environment"],
  planning: ["core", "sandbox", "model", "workspace", "referee"],
  runtime: [
    "core",
    "store",
    "sandbox",
    "workspace",
    "model",
    "tool",
    "gateway",
    "environment",
    "worker",
    "judge",
    "referee",
    "planning",
  ],
  api: [
    "core",
    "store",
    "sandbox",
    "workspace",
    "model",
    "tool",
    "gateway",
    "environment",
    "worker",
    "judge",
    "referee",
    "planning",
    "runtime",
  ],
  cli: [
    "core",
    "store",
    "sandbox",
    "workspace",
    "model",
    "tool",
    "gateway",
    "environment",
    "worker",
    "judge",
    "referee",
    "planning",
    "runtime",
    "api",
  ],
};

const CORE_PACKAGES: ReadonlySet<string> = new Set(["zod", "node:crypto"]);

const BACKENDS: Readonly<Record<string, readonly string[]>> = {
  store: ["memory", "sqlite", "postgres"],
  sandbox: ["process", "bubblewrap", "docker", "kubernetes", "remote"],
  model: ["anthropic", "openai", "openai-compatible", "google", "scripted", "replay"],
  worker: ["acp", "command"],
};

const REGISTRY = "src/runtime/registry.ts";

function layerOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

/** `store/sqlite` for `src/store/sqlite.ts`, `src/store/sqlite-rows.ts` and `src/store/sqlite/rows.ts`. */
function backendOf(path: string): string | undefined {
  const layer = layerOf(path);
  if (layer === undefined) return undefined;
  const name = path.slice(`src/${layer}/`.length);
  const backend = (BACKENDS[layer] ?? []).find((candidate) =>
    [".ts", "-", "/"].some((ending) => name.startsWith(candidate + ending)),
  );
  return backend === undefined ? undefined : `${layer}/${backend}`;
}

/** Imports point downwards in the layer table only. */
export function wrongWayImports(files: readonly SourceFile[]): string[] {
  const complaints: string[] = [];
  for (const file of files) {
    const layer = layerOf(file.path);
    if (layer === undefined || file.path.endsWith(".test.ts")) continue;
    const allowed = LAYERS[layer];
    if (allowed === undefined) {
      complaints.push(
        `${file.path}: the folder src/${layer} has no row in the layer table of test/tidy/layers.ts`,
      );
      continue;
    }
    for (const { target, isRelative, line } of file.imports) {
      const targetLayer = layerOf(target);
      if (!isRelative || targetLayer === layer || (targetLayer && allowed.includes(targetLayer))) continue;
      complaints.push(
        `${file.path}:${line} imports ${target}, but ${layer} may only import ${["itself", ...allowed].join(", ")}: move the code down or pass it in`,
      );
    }
  }
  return complaints;
}

/** The core stays pure: no built-in module and no package beyond the named ones. */
export function impureCoreImports(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => layerOf(file.path) === "core" && !file.path.endsWith(".test.ts"))
    .flatMap((file) =>
      file.imports
        .filter((each) => !each.isRelative && !CORE_PACKAGES.has(each.target))
        .map(
          (each) =>
            `${file.path}:${each.line} imports ${each.target}: core is pure, so take it as an argument`,
        ),
    );
}

/** Only the registry names concrete backends, and it loads them when asked. */
export function namedBackends(files: readonly SourceFile[]): string[] {
  const complaints: string[] = [];
  for (const file of files.filter(({ path }) => !isTestFile(path))) {
    for (const { target, isDynamic, line } of file.imports) {
      const backend = backendOf(target);
      const isNeighbour = backendOf(file.path) !== undefined && layerOf(file.path) === layerOf(target);
      if (backend === undefined || isNeighbour || (file.path === REGISTRY && isDynamic)) continue;
      complaints.push(
        file.path === REGISTRY
          ? `${file.path}:${line} loads the backend ${backend} at once: use import() inside its row`
          : `${file.path}:${line} names the backend ${backend}: ask ${REGISTRY} for it, or move what is shared beside the contract`,
      );
    }
  }
  return complaints;
}
