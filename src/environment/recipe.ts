/** What one package manager contributes to a plan. */
import { BASE_URL_PREFIX, SHIM_PORT } from "../gateway/egress/contract.ts";
import type { LayerOutput, LayerStep, Registry } from "./contract.ts";
import type { ProjectFiles } from "./project-files.ts";

/** What a recipe is made from. */
export interface RecipeRequest {
  readonly files: ProjectFiles;
  /** Of this kind of package manager; at least one. */
  readonly registries: readonly Registry[];
}

/** The part of a plan that depends on the package manager; its inputs are what it took from the files. */
export interface Recipe {
  readonly fetch: readonly LayerStep[];
  readonly build: readonly LayerStep[];
  readonly outputs: readonly LayerOutput[];
  readonly environment: Readonly<Record<string, string>>;
  readonly path: readonly string[];
  readonly standIns: Readonly<Record<string, string>>;
}

/** The first registry's address, as a client inside has to use it; packages come from there. */
export function registryUrl({ registries }: RecipeRequest): string {
  const [first] = registries;
  return first === undefined ? "" : throughProxy(first, first.url);
}

/** An address of a registry, or the place where the egress proxy serves it with credentials. */
export function throughProxy({ isInjected }: Registry, address: string): string {
  return isInjected === true
    ? address.replace(/^https:\/\//, `http://127.0.0.1:${SHIM_PORT}${BASE_URL_PREFIX}`)
    : address;
}

/** A step in the root of the workspace. */
export function step(
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  folder = "",
): LayerStep {
  return { argv, folder, environment };
}
