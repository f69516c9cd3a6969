/** Makes layers, or finds them. */
import { hash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, posix } from "node:path";
import { NightshiftError } from "../core/errors.ts";
import type { SandboxId } from "../core/ids.ts";
import { INNER_WORKSPACE, type Mount } from "../sandbox/contract.ts";
import {
  INNER_LAYER,
  type Layer,
  type LayerOutput,
  type LayerPlan,
  type LayerStep,
  type LayerTools,
} from "./contract.ts";
import { isRecord } from "./project-files.ts";
import { runSteps, type SetUp, SYSTEM_PATH } from "./steps.ts";
import { type LayerRecord, LayerStore, notedSandboxes, removeTree, sizeOf } from "./store.ts";

const LAYER_BYTES_MAX = 16 * 1024 ** 3;
/** What clients leave behind for themselves. */
const CACHES: readonly string[] = ["cache", "store", "wheels"];
/** Where tools like to write; in a layer these lead to the sandbox's own temporary folder. */
const SCRATCH: readonly string[] = [".cache", ".vite", ".vite-temp"];
const INSTALL_SCRIPTS: readonly string[] = ["preinstall", "install", "postinstall"];

/**
 * The layer of a plan: the one that is there, or a new one. Two who ask at the same time make it once. A crash at any
 * moment leaves no half layer.
 * @throws NightshiftError `E_LAYER_FAILED`, `E_SOURCE_REFUSED`, and what the backend throws
 */
export async function ensureLayer(plan: LayerPlan, tools: LayerTools): Promise<Layer> {
  const store = new LayerStore(tools.folder);
  const found = store.find(plan.key, tools.clock);
  if (found !== undefined) return layerOf(store, plan, found, true);
  const lock = await store.lock(plan.key, tools.clock, tools.signal);
  try {
    const made = store.find(plan.key, tools.clock);
    if (made !== undefined) return layerOf(store, plan, made, true);
    await sweep(store, plan, tools);
    const record = await make(store, plan, tools);
    return layerOf(store, plan, record, false);
  } finally {
    lock.close();
  }
}

/** Whoever made this layer before and died may have left sandboxes that still work in its place. */
async function sweep(store: LayerStore, plan: LayerPlan, { backend }: LayerTools): Promise<void> {
  for (const place of store.leftovers(plan.key)) {
    for (const id of notedSandboxes(place)) await backend.destroy(id as SandboxId, undefined);
    removeTree(place);
  }
}

async function make(store: LayerStore, plan: LayerPlan, tools: LayerTools): Promise<LayerRecord> {
  const place = store.begin(plan.key, tools.chance.unique(8));
  try {
    const setUp: SetUp = { plan, tools, place };
    placeInputs(plan, join(place, "work"));
    const egress = await tools.openEgress(plan.registries, tools.signal);
    try {
      await runSteps(setUp, "fetch", plan.fetch, egress.socket);
    } finally {
      await egress.close();
    }
    await runSteps(setUp, "build", buildSteps(plan, place), undefined);
    const outputs = keepOutputs(plan, place);
    const bytes = sizeOf(place);
    if (bytes > LAYER_BYTES_MAX) fail(plan, `it has more than ${LAYER_BYTES_MAX} bytes`);
    const record = { key: plan.key, ecosystem: plan.ecosystem, outputs, bytes };
    await store.publish(place, record);
    return record;
  } catch (error) {
    removeTree(place);
    throw error;
  }
}

function fail(plan: LayerPlan, problem: string): never {
  throw new NightshiftError("E_LAYER_FAILED", `the ${plan.ecosystem} layer cannot be used: ${problem}`);
}

/** The sandbox of the fetch sees these files and no others of the project. */
function placeInputs(plan: LayerPlan, work: string): void {
  for (const { path, sha256 } of plan.inputs) {
    const text = readFileSync(join(plan.workspace, path), "utf8");
    if (hash("sha256", text, "hex") !== sha256) fail(plan, `${path} has changed since the plan was made`);
    putFile(join(work, path), text);
  }
  for (const [path, text] of Object.entries(plan.standIns)) putFile(join(work, path), text);
}

function putFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function buildSteps(plan: LayerPlan, place: string): readonly LayerStep[] {
  return plan.build.flatMap((step) => {
    if (step.forBuiltPackages !== true) return [step];
    const folders = plan.outputs.map(({ path }) => join(place, "work", path));
    const names = [...new Set(folders.flatMap(packagesWithScripts))].sort();
    return names.length === 0 ? [] : [{ ...step, argv: [...step.argv, ...names] }];
  });
}

/** Names of the packages below a `node_modules` that want to run something when they are installed. */
function packagesWithScripts(modules: string): readonly string[] {
  const names: string[] = [];
  for (const folder of packageFolders(modules)) {
    names.push(...packagesWithScripts(join(folder, "node_modules")));
    try {
      const manifest: unknown = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
      if (!isRecord(manifest) || typeof manifest.name !== "string") continue;
      const { scripts, name } = manifest;
      const hasScript = isRecord(scripts) && INSTALL_SCRIPTS.some((script) => script in scripts);
      const isPlain = /^(@[\w.-]+\/)?[\w.-]+$/.test(name);
      if (isPlain && (hasScript || existsSync(join(folder, "binding.gyp")))) names.push(name);
    } catch {
      // A folder without a manifest is no package.
    }
  }
  return names;
}

/** Real folders only: links lead to members of the project, whose scripts are not ours to run. */
function packageFolders(modules: string): readonly string[] {
  const folders = realFolders(modules);
  return folders.flatMap((folder) => (/\/@[^/]+$/.test(folder) ? realFolders(folder) : [folder]));
}

function realFolders(folder: string): readonly string[] {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => join(folder, entry.name));
}

/** Drops everything but the outputs. What made them is not to be trusted: a link in their place is refused. */
function keepOutputs(plan: LayerPlan, place: string): readonly LayerOutput[] {
  for (const name of CACHES) removeTree(join(place, "layer", name));
  rmSync(join(place, "sandboxes"), { force: true });
  const kept = join(place, "kept");
  const outputs = plan.outputs.filter((output) => {
    const source = join(realpathSync(place), output.from === "workspace" ? "work" : "layer", output.path);
    const found = lstatSync(source, { throwIfNoEntry: false });
    if (found === undefined && output.isOptional === true) return false;
    if (found?.isDirectory() !== true || realpathSync(source) !== source)
      fail(plan, `its set-up left no folder at ${output.path || INNER_LAYER}`);
    if (output.from === "workspace") {
      mkdirSync(dirname(join(kept, output.path)), { recursive: true });
      renameSync(source, join(kept, output.path));
      if (posix.basename(output.path) === "node_modules") addScratch(join(kept, output.path));
    }
    return true;
  });
  removeTree(join(place, "work"));
  if (existsSync(kept)) renameSync(kept, join(place, "work"));
  return outputs;
}

function addScratch(modules: string): void {
  for (const name of SCRATCH) {
    removeTree(join(modules, name));
    symlinkSync("/tmp", join(modules, name));
  }
}

function layerOf(store: LayerStore, plan: LayerPlan, record: LayerRecord, isReused: boolean): Layer {
  const place = store.placeOf(plan.key);
  const { toolchain } = plan;
  const mounts: Mount[] = record.outputs.map(({ from, path }) =>
    from === "workspace"
      ? {
          source: join(place, "work", path),
          target: posix.join(INNER_WORKSPACE, plan.folder, path),
          access: "read-only",
        }
      : { source: join(place, "layer", path), target: posix.join(INNER_LAYER, path), access: "read-only" },
  );
  return {
    key: plan.key,
    mounts: [...toolchain.mounts, ...mounts],
    environment: {
      ...toolchain.environment,
      ...plan.environment,
      PATH: [...plan.path, ...toolchain.path, SYSTEM_PATH].join(":"),
    },
    isReused,
  };
}
