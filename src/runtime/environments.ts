/**
 * What commands find besides the workspace: the toolchain of the command that proves the work, and the layer with its
 * dependencies.
 */
import { lookup } from "node:dns/promises";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Chance, Clock } from "../core/clock.ts";
import type { LayerPlan, PlanRequest, Registry } from "../environment/contract.ts";
import {
  discoverRegistries,
  ecosystemFor,
  ensureLayer,
  findProgramOf,
  layerEgress,
  planLayer,
} from "../environment/index.ts";
import type { SandboxBackend, SandboxSpec } from "../sandbox/contract.ts";
import type { Environment } from "./config.ts";

/** Fields of a sandbox's specification. */
export type Surroundings = Required<Pick<SandboxSpec, "mounts" | "environment">>;

/** What environments are made with. */
export interface EnvironmentParts {
  readonly backend: SandboxBackend;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Absolute; layers are kept here, for all sessions. */
  readonly folder: string;
  /** Absolute; of the session's proxy through which layers are fetched. */
  readonly egressFolder: string;
  /** Of the person: PATH, HOME, settings of package managers. */
  readonly environment: Environment;
  /** The command whose toolchain and dependencies are to be there. */
  readonly argv: readonly string[];
  /** Where it runs, relative to the workspace; empty for its root. */
  readonly argvFolder: string;
}

/**
 * The layer that files ask for; undefined when they ask for no dependencies. Makes nothing.
 * @param workspace - files that are only read
 * @throws NightshiftError `E_TOOLCHAIN_MISSING`, `E_SOURCE_REFUSED`, `E_CONFIG`
 */
export async function layerPlanOf(
  parts: EnvironmentParts,
  workspace: string,
  signal: AbortSignal,
): Promise<LayerPlan | undefined> {
  return planLayer(await requestOf(parts, workspace, signal));
}

/**
 * Finds or makes what the command needs. @param workspace - the files to make it from; they are only read
 * @throws NightshiftError `E_TOOLCHAIN_MISSING`, `E_LAYER_FAILED`, `E_SOURCE_REFUSED`, `E_CONFIG`
 */
export async function surroundingsOf(
  parts: EnvironmentParts,
  workspace: string,
  signal: AbortSignal,
): Promise<Surroundings> {
  const { backend, clock, chance, folder, egressFolder } = parts;
  const request = await requestOf(parts, workspace, signal);
  const plan = await planLayer(request);
  if (plan === undefined) return await programOnly(request);
  const addresses = await addressesOf(request.registries);
  const openEgress = layerEgress({ folder: egressFolder, injections: [], addresses });
  const tools = { backend, clock, chance, folder, openEgress, signal };
  const { mounts, environment: set } = await ensureLayer(plan, tools);
  return { mounts, environment: set };
}

async function requestOf(
  parts: EnvironmentParts,
  workspace: string,
  signal: AbortSignal,
): Promise<PlanRequest> {
  const { argv, argvFolder, environment, folder } = parts;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const registries = await registriesOf(parts, workspace, signal);
  return { workspace, argv, folder: argvFolder, environment, registries, signal };
}

/** As the person's own clients are configured. */
async function registriesOf(
  { folder, environment, argv, argvFolder }: EnvironmentParts,
  workspace: string,
  signal: AbortSignal,
): Promise<readonly Registry[]> {
  const ecosystem = ecosystemFor({ workspace, argv, folder: argvFolder });
  if (ecosystem === undefined) return [];
  const empty = mkdtempSync(join(folder, "ask-"));
  try {
    return await discoverRegistries(ecosystem, { environment, folder: empty, signal });
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
}

/** The person named these hosts, so they may be in the person's own network; they are dialled where they are now. */
async function addressesOf(registries: readonly Registry[]): Promise<Record<string, readonly string[]>> {
  const hosts = registries.flatMap(({ url, fileHosts }) => [
    new URL(url.replace(/^sparse\+/, "")).hostname,
    ...fileHosts.map((host) => new URL(`https://${host}/`).hostname),
  ]);
  const found: Record<string, readonly string[]> = {};
  for (const host of new Set(hosts)) {
    const answers = await lookup(host, { all: true }).catch(() => []);
    if (answers.length > 0) found[host] = answers.map(({ address }) => address);
  }
  return found;
}

async function programOnly(request: PlanRequest): Promise<Surroundings> {
  const { mounts, path, environment } = await findProgramOf(request.argv, request);
  const own = path.length === 0 ? {} : { PATH: [...path, "/usr/local/bin", "/usr/bin", "/bin"].join(":") };
  return { mounts, environment: { ...environment, ...own } };
}
