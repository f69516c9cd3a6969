/**
 * THE table of backends: for each seam, name → how it is made. The only file that names concrete backends, and it
 * loads them when they are asked for, so that nobody pays for what is not used. A new backend is a row here.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import type { ConformanceCase, ConformanceSkip } from "../core/conformance.ts";
import { NightshiftError } from "../core/errors.ts";
import type { ModelAdapter } from "../model/contract.ts";
import type { ModelKey } from "../model/keys.ts";
import type { Script } from "../model/script-schema.ts";
import type { SandboxSubject } from "../sandbox/conformance.ts";
import type { SandboxBackend } from "../sandbox/contract.ts";
import type { Diagnosis, DiagnosisHost } from "../sandbox/diagnosis/contract.ts";
import type { Sweeper } from "../sandbox/reaper/contract.ts";
import type { Store } from "../store/contract.ts";
import type { StoreIntegrity } from "../store/integrity/contract.ts";
import type { OwnerProbe } from "../store/owner.ts";
import type { ProgramWorker, Worker } from "../worker/contract.ts";
import type { LoopParts } from "../worker/loop.ts";
import type { Environment } from "./config.ts";
import { type CaseResult, runCases } from "./run-cases.ts";

/** What stores are made of. */
export interface StoreParts {
  /** Absolute; for stores that keep files. */
  readonly folder: string;
  readonly clock: Clock;
  readonly probe: OwnerProbe;
  /** Commit on this thread, best for one active session, or on one of its own, for many. */
  readonly writer: "inline" | "thread";
}

/** What sandbox backends are made of. */
export interface SandboxParts {
  /** Absolute; for what a backend has to remember of its sandboxes. */
  readonly folder: string;
}

/** What model adapters are made of. */
export interface ModelParts {
  readonly provider: string;
  /** As in the log; a script's path for the scripted model. */
  readonly id: string;
  readonly key: ModelKey;
  /** Undefined: the adapter's own, if it has one. */
  readonly baseUrl: string | undefined;
  readonly outputCapField: "max_tokens" | "max_completion_tokens" | undefined;
  readonly clock: Clock;
}

type Table<Parts, Backend> = { readonly [name: string]: (parts: Parts) => Backend };

const STORES = {
  memory: async (parts) => (await import("../store/memory.ts")).createMemoryStore(parts),
  sqlite: async (parts) => (await import("../store/sqlite.ts")).createSqliteStore(parts),
} as const satisfies Table<StoreParts, Promise<Store>>;

/** Only stores that keep files can be checked and repaired below their contract. */
const INTEGRITIES = {
  sqlite: async (folder) => (await import("../store/sqlite/integrity.ts")).createSqliteIntegrity(folder),
} as const satisfies Table<string, Promise<StoreIntegrity>>;

const SANDBOXES = {
  process: async (parts) => (await import("../sandbox/process.ts")).createProcessBackend(parts),
  bubblewrap: async (parts) => (await import("../sandbox/bubblewrap.ts")).createBubblewrapBackend(parts),
  docker: async (parts) => (await import("../sandbox/docker.ts")).createDockerBackend(parts),
} as const satisfies Table<SandboxParts, Promise<SandboxBackend>>;

/** Why one that isolates does not work on this machine; undefined when nothing was found, or for another one. */
export async function diagnoseSandbox(
  name: string,
  environment: Environment,
): Promise<Diagnosis | undefined> {
  const { ISOLATED_BACKENDS } = await import("../sandbox/diagnosis/contract.ts");
  const { diagnose } = await import("../sandbox/diagnosis/pick.ts");
  const isolated = ISOLATED_BACKENDS.find((backend) => backend === name);
  if (isolated === undefined) return undefined;
  const diagnosis = await diagnose(isolated, await diagnosisHost(environment));
  return diagnosis.code === "ready" ? undefined : diagnosis;
}

async function diagnosisHost({ PATH: path, DOCKER_HOST: dockerHost }: Environment): Promise<DiagnosisHost> {
  const { createDiagnosisHost } = await import("../sandbox/diagnosis/host.ts");
  return createDiagnosisHost({ path, dockerHost });
}

/** What backends have outside of their folders, and how it is found again. */
const SWEEPERS: { readonly [sandbox in keyof typeof SANDBOXES]?: () => Promise<Sweeper> } = {
  bubblewrap: async () => (await import("../sandbox/bubblewrap/sweeper.ts")).podSweeper,
  docker: async () => (await import("../sandbox/docker/sweeper.ts")).containerSweeper,
};

/** For the reaper of one backend's sandboxes. */
export async function sweepersOf(name: string): Promise<readonly Sweeper[]> {
  const load = (SWEEPERS as { readonly [sandbox: string]: (() => Promise<Sweeper>) | undefined })[name];
  return load === undefined ? [] : [await load()];
}

/** The sandbox that isolates on this machine. @throws NightshiftError `E_SANDBOX_UNAVAILABLE` when none does */
export async function chooseSandbox(environment: Environment): Promise<string> {
  const { pickBackend } = await import("../sandbox/diagnosis/pick.ts");
  return await pickBackend(await diagnosisHost(environment));
}

/** What a person must be told before work begins in such a sandbox. Here, so that nothing has to be loaded for it. */
const WARNINGS: { readonly [sandbox in keyof typeof SANDBOXES]?: string } = {
  process: "sandbox process is no isolation: commands run with all your rights",
};

const MODELS = {
  scripted: async ({ id, clock }) => {
    const { createScriptedModel, loadScript } = await import("../model/scripted.ts");
    return createScriptedModel(await loadScript(id), { clock });
  },
  anthropic: async ({ key, clock, baseUrl }) => {
    const { createAnthropicModel } = await import("../model/anthropic.ts");
    return createAnthropicModel({ key, clock, ...(baseUrl !== undefined && { baseUrl }) });
  },
  google: async ({ key, clock, baseUrl }) => {
    const { createGoogleModel } = await import("../model/google.ts");
    return createGoogleModel({ key, clock, ...(baseUrl !== undefined && { baseUrl }) });
  },
  "openai-compatible": async ({ provider, key, clock, baseUrl, outputCapField }) => {
    if (baseUrl === undefined) {
      throw new NightshiftError("E_CONFIG", `the address of model provider "${provider}" is not known`, {
        hint: `Pass --base-url, or set providers.${provider}.base_url in the config file.`,
      });
    }
    const { createOpenAICompatibleModel } = await import("../model/openai-compatible.ts");
    const cap = outputCapField === undefined ? {} : { outputCapField };
    return createOpenAICompatibleModel({ provider, key, clock, baseUrl, ...cap });
  },
} as const satisfies Table<ModelParts, Promise<ModelAdapter>>;

const WORKERS = {
  loop: async (parts) => (await import("../worker/loop.ts")).createLoopWorker(parts),
} as const satisfies Table<LoopParts, Promise<Worker>>;

/** Those that let a program work by itself. */
const PROGRAM_WORKERS = {
  command: async () => (await import("../worker/command.ts")).createCommandWorker(),
} as const satisfies Table<void, Promise<ProgramWorker>>;

const SEAMS = {
  store: STORES,
  sandbox: SANDBOXES,
  model: MODELS,
  worker: { ...WORKERS, ...PROGRAM_WORKERS },
} as const;

/** Backends as subjects of their seam's conformance suite. */
const SUITES = {
  store: {
    memory: (clock) => storeSuite("memory", clock),
    sqlite: (clock) => storeSuite("sqlite", clock),
    "sqlite-thread": (clock) => storeSuite("sqlite-thread", clock),
  },
  sandbox: {
    process: async function* (clock) {
      const { processSubjects } = await import("../sandbox/process-subjects.ts");
      for (const subject of processSubjects(clock)) yield* sandboxSuite(subject, clock);
    },
    bubblewrap: async function* (clock) {
      const { bubblewrapSubjects } = await import("../sandbox/bubblewrap-subjects.ts");
      for (const subject of bubblewrapSubjects(clock)) yield* sandboxSuite(subject, clock);
    },
    docker: async function* (clock) {
      const { dockerSubjects } = await import("../sandbox/docker-subjects.ts");
      for (const subject of dockerSubjects(clock)) yield* sandboxSuite(subject, clock);
    },
  },
  model: {
    scripted: (clock) => modelSuite("scripted", clock),
    anthropic: (clock) => modelSuite("anthropic", clock),
    google: (clock) => modelSuite("google", clock),
    "openai-compatible": (clock) => modelSuite("openai-compatible", clock),
  },
} as const satisfies {
  readonly [seam: string]: { readonly [name: string]: (clock: Clock) => AsyncGenerator<CaseResult> };
};

async function* storeSuite(name: string, clock: Clock): AsyncGenerator<CaseResult> {
  const { createStoreSubject, storeConformance } = await import("../store/conformance.ts");
  const { createMemoryData, createMemoryStore } = await import("../store/memory.ts");
  const { createSqliteStore } = await import("../store/sqlite.ts");
  const writer = name === "sqlite-thread" ? "thread" : "inline";
  yield* runCases(storeConformance, {
    clock,
    open: async () => {
      const data = createMemoryData();
      const folder = mkdtempSync(join(tmpdir(), "nightshift-conformance-"));
      const subject = createStoreSubject(async (surroundings) =>
        name === "memory"
          ? createMemoryStore({ ...surroundings, data })
          : createSqliteStore({ ...surroundings, folder, writer }),
      );
      const close = async (): Promise<void> => {
        await subject.dispose();
        rmSync(folder, { recursive: true, force: true });
      };
      return { subject, close };
    },
  });
}

async function* modelSuite(name: string, clock: Clock): AsyncGenerator<CaseResult> {
  const { modelConformance } = await import("../model/conformance.ts");
  const { modelSubjects } = await import("../model/scripted-subjects.ts");
  for (const subject of modelSubjects(clock).filter(({ kind }) => kind === name))
    yield* suiteOf(modelConformance, subject, clock);
}

async function* sandboxSuite(subject: SandboxSubject, clock: Clock): AsyncGenerator<CaseResult> {
  const { sandboxConformance, sandboxSkips } = await import("../sandbox/conformance.ts");
  yield* suiteOf(sandboxConformance, subject, clock, sandboxSkips(subject));
}

function suiteOf<Subject>(
  cases: readonly ConformanceCase<Subject>[],
  subject: Subject,
  clock: Clock,
  skips: readonly ConformanceSkip[] = [],
): AsyncGenerator<CaseResult> {
  return runCases(cases, { clock, skips, open: async () => ({ subject, close: async () => undefined }) });
}

/** The seams that have a conformance suite. */
export type TestedSeam = keyof typeof SUITES;

/** Names of what a seam's suite can run on. */
export function suiteNames(seam: TestedSeam): readonly string[] {
  return Object.keys(SUITES[seam]);
}

/** True for a seam that has a suite. */
export function isTestedSeam(name: string): name is TestedSeam {
  return Object.hasOwn(SUITES, name);
}

/** Runs the suite of a seam on one backend. @throws NightshiftError `E_BACKEND_UNKNOWN` */
export function runSuite(seam: TestedSeam, name: string, clock: Clock): AsyncGenerator<CaseResult> {
  return rowOf<Clock, AsyncGenerator<CaseResult>>(seam, SUITES[seam], name)(clock);
}

/** The seams that have backends. */
export type Seam = keyof typeof SEAMS;

/** Names of a seam's backends. */
export function backendNames(seam: Seam): readonly string[] {
  return Object.keys(SEAMS[seam]);
}

/** @throws NightshiftError `E_BACKEND_UNKNOWN`, and what opening throws */
export async function openStore(name: string, parts: StoreParts): Promise<Store> {
  return rowOf<StoreParts, Promise<Store>>("store", STORES, name)(parts);
}

/** Checks and repairs of the logs in a folder. @throws NightshiftError `E_BACKEND_UNKNOWN` */
export async function openIntegrity(name: string, folder: string): Promise<StoreIntegrity> {
  return rowOf<string, Promise<StoreIntegrity>>("store", INTEGRITIES, name)(folder);
}

/** @throws NightshiftError `E_BACKEND_UNKNOWN` */
export async function createSandboxBackend(name: string, parts: SandboxParts): Promise<SandboxBackend> {
  return rowOf<SandboxParts, Promise<SandboxBackend>>("sandbox", SANDBOXES, name)(parts);
}

/** One sentence, where something about the backend is dangerous. @throws NightshiftError `E_BACKEND_UNKNOWN` */
export function sandboxWarning(name: string): string | undefined {
  rowOf("sandbox", SANDBOXES, name);
  return (WARNINGS as { readonly [sandbox: string]: string | undefined })[name];
}

/** Have the sandboxes of this backend a view of their own? Of one that a caller has brought along, nobody knows. */
export function isIsolated(name: string): boolean {
  return Object.hasOwn(SANDBOXES, name) && sandboxWarning(name) === undefined;
}

/** @throws NightshiftError `E_BACKEND_UNKNOWN`; `E_SCRIPT_INVALID`, `E_CONFIG` */
export async function createModelAdapter(name: string, parts: ModelParts): Promise<ModelAdapter> {
  return rowOf<ModelParts, Promise<ModelAdapter>>("model", MODELS, name)(parts);
}

/** @throws NightshiftError `E_BACKEND_UNKNOWN` */
export async function createWorker(name: string, parts: LoopParts): Promise<Worker> {
  return rowOf<LoopParts, Promise<Worker>>("worker", WORKERS, name)(parts);
}

/** @throws NightshiftError `E_BACKEND_UNKNOWN` */
export async function createProgramWorker(name: string): Promise<ProgramWorker> {
  return rowOf<void, Promise<ProgramWorker>>("worker", PROGRAM_WORKERS, name)();
}

/** Serves a script over HTTP until the signal aborts. @throws NightshiftError `E_SCRIPT_INVALID`, `E_USAGE` */
export async function serveScript(path: string, options: ServeOptions): Promise<void> {
  const { serveScriptFile } = await import("../model/scripted-server.ts");
  await serveScriptFile(path, options);
}

/** A scripted model that listens. */
export interface ModelServer {
  readonly url: string;
  /** Which turns were asked for, oldest first. */
  readonly requests: readonly { readonly turnIndex: number; readonly attempt: number }[];
  /** Requests that are not answered yet. */
  readonly openRequests: number;
  close(): Promise<void>;
}

/** Starts a server for a script, on any free port of the loopback address. */
export async function startModelServer(script: Script, clock: Clock): Promise<ModelServer> {
  const { startScriptedServer } = await import("../model/scripted-server.ts");
  return startScriptedServer({ script, clock, port: 0 });
}

/** Where a served script listens. */
export interface ServeOptions {
  /** 0 takes any free one. */
  readonly port: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onListening: (url: string) => void;
}

function rowOf<Parts, Backend>(
  seam: string,
  table: Table<Parts, Backend>,
  name: string,
): (parts: Parts) => Backend {
  const row = Object.hasOwn(table, name) ? table[name] : undefined;
  if (row !== undefined) return row;
  throw new NightshiftError(
    "E_BACKEND_UNKNOWN",
    `there is no ${seam} backend "${name}"; there are ${Object.keys(table).join(", ")}`,
    { data: { seam, name } },
  );
}
