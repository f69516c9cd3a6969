/**
 * What projects with packages are installed with: layers of the real environment, from a registry on loopback. A
 * candidate gets what it asks for, as under `deps: allow`, the loosest policy there is.
 */
import { join } from "node:path";
import { isNightshiftError } from "../../src/core/errors.ts";
import type { LayerTools, Registry } from "../../src/environment/contract.ts";
import { ensureLayer, layerEgress, planLayer } from "../../src/environment/index.ts";
import type { Surroundings } from "../../src/referee/parts.ts";
import { systemChance, systemClock } from "../../src/runtime/system.ts";
import type { SandboxBackend } from "../../src/sandbox/contract.ts";
import { REGISTRY_HOST, TestRegistry } from "../environment/registry.ts";
import { calm } from "../support/repositories.ts";
import type { Package } from "./case.ts";

/** Of all projects of an arena. */
export class Layers implements AsyncDisposable {
  readonly #packages: TestRegistry;
  readonly #registry: Registry;
  readonly #tools: LayerTools;
  /** One at a time: all of them have one way out, which closes after each. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(packages: TestRegistry, tools: LayerTools) {
    this.#packages = packages;
    this.#registry = { ecosystem: "npm", url: `${packages.origin}/`, fileHosts: [] };
    this.#tools = tools;
  }

  /** @param folder - absolute; layers are kept below */
  static async open(folder: string, backend: SandboxBackend): Promise<Layers> {
    const egress = { folder: join(folder, "egress"), injections: [] };
    const openEgress = layerEgress({ ...egress, addresses: { [REGISTRY_HOST]: ["127.0.0.1"] } });
    const tools = { backend, clock: systemClock, chance: systemChance, signal: calm };
    return new Layers(await TestRegistry.start(), { ...tools, folder: join(folder, "layers"), openEgress });
  }

  /** Publishes what is not there yet. */
  publish(packages: readonly Package[]): void {
    for (const { name, version, files } of packages) this.#packages.addNpm({ name, version }, files);
  }

  /** @returns null where a set-up refuses what the files ask for */
  of(workspace: string, argv: readonly string[]): Promise<Surroundings | null> {
    const made = this.#last.then(() => this.#make(workspace, argv));
    this.#last = made.catch(() => {});
    return made;
  }

  async #make(workspace: string, argv: readonly string[]): Promise<Surroundings | null> {
    try {
      const request = { workspace, argv, environment: process.env, registries: [this.#registry] };
      const plan = await planLayer({ ...request, signal: calm });
      if (plan === undefined) throw new Error("a project with packages asks for none");
      const { mounts, environment } = await ensureLayer(plan, this.#tools);
      return { mounts, environment };
    } catch (error) {
      if (isNightshiftError(error, "E_SOURCE_REFUSED")) return null;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#packages.close();
  }
}
