/** Projects with a package.json. */
import type { RunnerKind } from "../../referee/contract.ts";
import type { ChoreKind, ProjectFolder, TestCommand } from "./contract.ts";
import { isScriptTest } from "./test-files.ts";

/** What is used of a package.json. */
export interface Manifest {
  readonly scripts: { readonly [name: string]: string };
  readonly dependencies: ReadonlySet<string>;
  readonly packageManager: string | undefined;
}

const RUNNERS: readonly (readonly [RegExp, RunnerKind])[] = [
  [/\bvitest\b/, "vitest"],
  [/\bjest\b|\breact-scripts\s+test\b/, "jest"],
  [/\bmocha\b/, "mocha"],
  [/\bnode\b[^&|;]*\s--test\b/, "node-test"],
  [/(^|\s)(tap|tape)\b/, "tap"],
];

const CHORES: readonly (readonly [ChoreKind, readonly string[]])[] = [
  ["typecheck", ["typecheck", "type-check", "check-types", "check:types", "types", "tsc"]],
  ["lint", ["lint"]],
  ["build", ["build", "compile"]],
];

/** Test files that are read to see what they import. */
const LOOKED_AT_MAX = 10;

/** Undefined without one that can be read. */
export async function readManifest(folder: ProjectFolder): Promise<Manifest | undefined> {
  const value = parsed(await folder.text("package.json"));
  if (value === undefined) return undefined;
  const { packageManager } = value;
  return {
    scripts: texts(value.scripts),
    dependencies: new Set(
      [value.dependencies, value.devDependencies].flatMap((each) => Object.keys(texts(each))),
    ),
    packageManager: typeof packageManager === "string" ? packageManager : undefined,
  };
}

/** The script `test`, or else the runner that is installed. */
export async function nodeTests(
  folder: ProjectFolder,
  manifest: Manifest,
  top: ProjectFolder,
): Promise<TestCommand[]> {
  const script = manifest.scripts.test;
  const place = { folder: folder.folder };
  if (script !== undefined && !/no test specified/.test(script)) {
    const [, runner = null] = RUNNERS.find(([pattern]) => pattern.test(script)) ?? [];
    const text = `${clientOf(manifest, folder, top)} test`;
    return [{ ...place, text, runner, because: 'package.json has a script "test"' }];
  }
  const installed = (["vitest", "jest", "mocha"] as const).find((name) => manifest.dependencies.has(name));
  if (installed !== undefined) {
    const text = installed === "vitest" ? "npx vitest run" : `npx ${installed}`;
    return [{ ...place, text, runner: installed, because: `package.json depends on ${installed}` }];
  }
  const tests = folder.paths.filter(isScriptTest).slice(0, LOOKED_AT_MAX);
  for (const path of tests)
    if (/["']node:test["']/.test((await folder.text(path)) ?? ""))
      return [{ ...place, text: "node --test", runner: "node-test", because: `${path} imports node:test` }];
  return [];
}

/** Commands of the package for building and looking over. */
export function nodeChores(
  folder: ProjectFolder,
  manifest: Manifest,
): { readonly [kind in ChoreKind]?: string } {
  const client = clientOf(manifest, folder, folder);
  const named = CHORES.flatMap(([kind, names]): [ChoreKind, string][] => {
    const name = names.find((each) => Object.hasOwn(manifest.scripts, each));
    return name === undefined ? [] : [[kind, `${client} run ${name}`]];
  });
  const isTyped = folder.has("tsconfig.json") && manifest.dependencies.has("typescript");
  return { ...(isTyped && { typecheck: "npx tsc --noEmit" }), ...Object.fromEntries(named) };
}

const CLIENTS: readonly (readonly [string, string])[] = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["package-lock.json", "npm"],
];

function clientOf({ packageManager = "" }: Manifest, folder: ProjectFolder, top: ProjectFolder): string {
  const [named] = /^(npm|pnpm|yarn)(?=@|$)/.exec(packageManager) ?? [];
  if (named !== undefined) return named;
  for (const each of [folder, top])
    for (const [lockfile, client] of CLIENTS) if (each.has(lockfile)) return client;
  return "npm";
}

function parsed(text: string | undefined): { readonly [field: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse((text ?? "").replace(/^\uFEFF/, ""));
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function texts(value: unknown): { readonly [name: string]: string } {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
