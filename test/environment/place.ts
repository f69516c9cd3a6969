/** A project, a registry, a folder of layers and a sandbox to use them in. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import type { ExecId, SandboxId } from "../../src/core/ids.ts";
import {
  type Ecosystem,
  ensureLayer,
  type Layer,
  type LayerPlan,
  type LayerTools,
  layerEgress,
  planLayer,
  type Registry,
} from "../../src/environment/index.ts";
import { systemChance, systemClock } from "../../src/runtime/system.ts";
import { createBubblewrapBackend } from "../../src/sandbox/bubblewrap.ts";
import type { SandboxBackend } from "../../src/sandbox/contract.ts";
import type { Tree } from "./archives.ts";
import { REGISTRY_HOST, TestRegistry } from "./registry.ts";

/** How a command in a sandbox ended. */
export interface Outcome {
  readonly exitCode: number | null;
  readonly output: string;
}

/** Where a registry's kinds are served. */
const PATHS: Readonly<Record<Ecosystem, string>> = {
  npm: "/",
  pnpm: "/",
  yarn: "/",
  "yarn-berry": "/",
  pip: "/simple/",
  uv: "/simple/",
  cargo: "/index/",
  go: "/go",
};

/** Set up by {@link openPlace}. */
export class Place {
  readonly root: string;
  readonly project: string;
  readonly packages: TestRegistry;
  readonly backend: SandboxBackend;
  readonly tools: LayerTools;
  /** Extra folders at the front of PATH. */
  readonly path: string[] = [];
  /** Further variables of the person. */
  readonly variables: Record<string, string> = {};
  #sandboxes = 0;

  constructor(registry: TestRegistry) {
    this.root = mkdtempSync(join(tmpdir(), "nightshift-layers-"));
    this.project = join(this.root, "project");
    mkdirSync(this.project);
    this.packages = registry;
    this.backend = createBubblewrapBackend({ folder: join(this.root, "sandboxes"), tools: TOOLS });
    this.tools = this.toolsWith({});
  }

  /** Tools whose way out is made otherwise. */
  toolsWith(egress: Partial<Parameters<typeof layerEgress>[0]>): LayerTools {
    const { signal } = new AbortController();
    return {
      backend: this.backend,
      clock: systemClock,
      chance: systemChance,
      folder: join(this.root, "layers"),
      openEgress: layerEgress({
        folder: join(this.root, "egress"),
        injections: [],
        addresses: { [REGISTRY_HOST]: ["127.0.0.1"] },
        ...egress,
      }),
      signal,
    };
  }

  write(tree: Tree): void {
    for (const [path, text] of Object.entries(tree)) {
      mkdirSync(dirname(join(this.project, path)), { recursive: true });
      writeFileSync(join(this.project, path), text);
    }
  }

  registryFor(ecosystem: Ecosystem): Registry {
    const prefix = ecosystem === "cargo" ? "sparse+" : "";
    return { ecosystem, url: `${prefix}${this.packages.origin}${PATHS[ecosystem]}`, fileHosts: [] };
  }

  /** @param folder - where the check runs */
  async plan(argv: readonly string[], registries?: readonly Registry[], folder = ""): Promise<LayerPlan> {
    const plan = await planLayer({
      workspace: this.project,
      argv,
      folder,
      environment: {
        ...process.env,
        ...this.variables,
        PATH: [...this.path, process.env.PATH].join(delimiter),
      },
      registries: registries ?? (Object.keys(PATHS) as Ecosystem[]).map((each) => this.registryFor(each)),
      signal: this.tools.signal,
    });
    if (plan === undefined) throw new Error("there is nothing to set up");
    return plan;
  }

  async ensure(argv: readonly string[]): Promise<Layer> {
    return ensureLayer(await this.plan(argv), this.tools);
  }

  /** Runs a command in the project with the layer, and without a way out. */
  async run(layer: Layer, command: string): Promise<Outcome> {
    const id = `sbox_check_${this.#sandboxes++}` as SandboxId;
    const { signal } = this.tools;
    const spec = {
      id,
      workspace: this.project,
      mounts: layer.mounts,
      environment: layer.environment,
      noContactMs: 60_000,
      options: {},
    };
    const { handle, incarnation } = await this.backend.provision(spec, signal);
    try {
      const sandbox = await this.backend.attach(handle, 1, signal);
      const reply = await sandbox.execute(
        {
          execId: `${id}/run/1` as ExecId,
          incarnation,
          operation: "shell",
          input: { command },
          limits: { wallMs: 120_000, outputBytes: 100_000 },
        },
        { signal },
      );
      sandbox.detach();
      if (reply.status !== "finished") throw new Error(`the run is ${reply.status}`);
      return { exitCode: reply.result.exitCode, output: reply.result.output };
    } finally {
      await this.backend.destroy(id, handle);
    }
  }

  close(): void {
    this.packages.close();
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Puts a client from `node_modules` on the PATH under its usual name. */
  addClient(name: string, script: string): void {
    const bin = join(this.root, "clients", "bin");
    mkdirSync(bin, { recursive: true });
    const target = resolve("node_modules", script);
    chmodSync(target, 0o755);
    symlinkSync(target, join(bin, name));
    this.path.unshift(bin);
  }
}

/** Programs that all pods of these tests share. */
export const TOOLS: string = join(tmpdir(), "nightshift-test-tools");

/** A place with an empty project and an empty registry. */
export async function openPlace({ isSecure = false } = {}): Promise<Place> {
  return new Place(await TestRegistry.start(isSecure));
}

/** Why these tests cannot run on this machine; undefined when they can. */
export function missing(...programs: readonly string[]): string | undefined {
  const absent = ["bwrap", ...programs].find((program) => !isInstalled(program));
  return absent === undefined ? undefined : `${absent} is not installed`;
}

function isInstalled(program: string): boolean {
  if (program.includes("/")) return existsSync(program);
  try {
    execFileSync("sh", ["-c", `command -v ${program}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
