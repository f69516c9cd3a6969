/**
 * Plans how to make the layer that a check needs: reads the workspace, asks the toolchain for its versions, and runs
 * nothing of the project.
 */
import { hash } from "node:crypto";
import { realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { NightshiftError } from "../core/errors.ts";
import type { Ecosystem, LayerPlan, PlanRequest } from "./contract.ts";
import { cargoRecipe } from "./ecosystems/cargo.ts";
import { goRecipe } from "./ecosystems/go.ts";
import { NPM_LOCKFILES, npmRecipe } from "./ecosystems/npm.ts";
import { PIP_REQUIREMENTS, pipRecipe } from "./ecosystems/pip.ts";
import { pnpmRecipe } from "./ecosystems/pnpm.ts";
import { uvRecipe } from "./ecosystems/uv.ts";
import { berryRecipe, isBerryLockfile, yarnRecipe } from "./ecosystems/yarn.ts";
import { ProjectFiles } from "./project-files.ts";
import type { Recipe, RecipeRequest } from "./recipe.ts";
import { registriesFor } from "./refusal.ts";
import { findToolchain } from "./toolchain.ts";

/** Changes whenever the same plan would make another layer. */
const FORMAT = 2;

const RECIPES: Readonly<Record<Ecosystem, (request: RecipeRequest) => Recipe>> = {
  npm: npmRecipe,
  pnpm: pnpmRecipe,
  yarn: yarnRecipe,
  "yarn-berry": berryRecipe,
  pip: pipRecipe,
  uv: uvRecipe,
  cargo: cargoRecipe,
  go: goRecipe,
};

const NODE_KINDS: readonly Ecosystem[] = ["npm", "pnpm", "yarn", "yarn-berry"];

/** Programs that say which kind of project a check belongs to. */
const PROGRAM_KINDS: Readonly<Record<string, readonly Ecosystem[]>> = {
  npm: ["npm", ...NODE_KINDS],
  npx: NODE_KINDS,
  node: NODE_KINDS,
  pnpm: ["pnpm"],
  pnpx: ["pnpm"],
  yarn: ["yarn", "yarn-berry"],
  uv: ["uv"],
  uvx: ["uv"],
  python: ["uv", "pip"],
  python3: ["uv", "pip"],
  pytest: ["uv", "pip"],
  tox: ["uv", "pip"],
  pip: ["pip"],
  cargo: ["cargo"],
  go: ["go"],
};

/**
 * The plan for a check, or undefined when the project has nothing to set up.
 * @throws NightshiftError `E_SOURCE_REFUSED`, `E_TOOLCHAIN_MISSING`, `E_CONFIG` when no registry is known
 */
export async function planLayer(request: PlanRequest): Promise<LayerPlan | undefined> {
  const { folder, ecosystem } = projectOf(request);
  if (ecosystem === undefined) return undefined;
  const workspace = join(request.workspace, folder);
  const files = new ProjectFiles(workspace);
  const registries = registriesFor(request.registries, ecosystem);
  if (registries.length === 0) {
    throw new NightshiftError("E_CONFIG", `no registry is known for ${ecosystem}`, {
      hint: "Name one in the configuration, or configure one for its client.",
    });
  }
  const recipe = RECIPES[ecosystem]({ files, registries });
  const toolchain = await findToolchain(ecosystem, request);
  const plan = { ecosystem, inputs: files.inputs, ...recipe, registries, toolchain };
  const platform = `${process.platform} ${process.arch}`;
  const standIns = withText(recipe.standIns);
  const key = hash("sha256", canonical({ format: FORMAT, platform, ...plan, standIns }), "hex");
  return { ...plan, workspace, folder, key };
}

/** Sources that must merely exist are no reason for another layer. */
function withText(standIns: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(standIns).filter(([, text]) => text !== ""));
}

/** The package manager that a check stands on, if any. */
export function ecosystemFor(request: ProjectRequest): Ecosystem | undefined {
  return projectOf(request).ecosystem;
}

type ProjectRequest = Pick<PlanRequest, "workspace" | "argv" | "folder">;

interface Project {
  /** Relative to the workspace. */
  readonly folder: string;
  readonly ecosystem: Ecosystem | undefined;
}

/**
 * From the folder of the check up to the root, as package managers look: the first that holds a project of a kind that
 * the check's program belongs to, else the first that holds any.
 */
function projectOf({ workspace, argv, folder = "" }: ProjectRequest): Project {
  const places = foldersUpFrom(folder).filter((each) => isOwnFolder(workspace, each));
  const projects = places.map((each) => ({
    folder: each,
    present: presentKinds(new ProjectFiles(join(workspace, each))),
  }));
  for (const { folder: place, present } of projects) {
    const ecosystem = fittingKind(argv, present);
    if (ecosystem !== undefined) return { folder: place, ecosystem };
  }
  const nearest = projects.find(({ present }) => present.length > 0);
  return { folder: nearest?.folder ?? "", ecosystem: nearest?.present[0] };
}

/** `a/b`, `a` and the root. */
function foldersUpFrom(folder: string): readonly string[] {
  const parts = folder.split("/").filter((part) => part !== "" && part !== ".");
  return [...parts.keys(), parts.length].reverse().map((length) => parts.slice(0, length).join("/"));
}

/** The root, or a folder below it that no link leads to. */
function isOwnFolder(workspace: string, folder: string): boolean {
  if (folder === "") return true;
  if (folder.split("/").includes("..")) return false;
  const place = join(realpathSync(workspace), folder);
  return statSync(place, { throwIfNoEntry: false })?.isDirectory() === true && realpathSync(place) === place;
}

/** The kind of project that the check's program belongs to, of those that there are. */
function fittingKind(argv: readonly string[], present: readonly Ecosystem[]): Ecosystem | undefined {
  const words = argv.flatMap((argument) => argument.split(/[\s;&|()]+/));
  for (const word of words) {
    const program = word.replace(/^.*\//, "").replace(/^python[\d.]+$/, "python3");
    const fitting = PROGRAM_KINDS[program]?.find((kind) => present.includes(kind));
    if (fitting !== undefined) return fitting;
  }
  return undefined;
}

function presentKinds(files: ProjectFiles): readonly Ecosystem[] {
  const kinds: Ecosystem[] = [];
  if (files.has("pnpm-lock.yaml")) kinds.push("pnpm");
  const yarn = files.look("yarn.lock");
  if (yarn !== undefined) kinds.push(isBerryLockfile(yarn) ? "yarn-berry" : "yarn");
  if (NPM_LOCKFILES.some((path) => files.has(path))) kinds.push("npm");
  if (files.has("uv.lock")) kinds.push("uv");
  if (PIP_REQUIREMENTS.some((path) => files.has(path))) kinds.push("pip");
  if (files.has("Cargo.lock")) kinds.push("cargo");
  if (files.has("go.mod") || files.has("go.work")) kinds.push("go");
  return kinds;
}

/** Text that is the same for the same content, whatever the order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}
