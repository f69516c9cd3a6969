/** What isolation costs: a pod beside a plain process, and beside bubblewrap alone. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ExecId, SandboxId } from "../src/core/ids.ts";
import type { Sandbox, SandboxBackend, SandboxSpec } from "../src/sandbox/contract.ts";
import type { Benchmark, RunOptions } from "./benchmark.ts";
import { buildPackage } from "./package.ts";
import { compared, type Figure, type Result, type Target } from "./report.ts";
import { type Pair, summarizePairs } from "./statistics.ts";

const NEVER: AbortSignal = new AbortController().signal;
const LIMITS = { wallMs: 60_000, outputBytes: 10_000 } as const;

/** The least that shows a command a view of its own. */
const BARE_POD: readonly string[] = [
  ...["--unshare-all", "--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib"],
  ...["--symlink", "usr/lib64", "/lib64", "--symlink", "usr/bin", "/bin", "--proc", "/proc", "--dev", "/dev"],
];

interface BackendModule {
  createBubblewrapBackend(options: { readonly folder: string }): SandboxBackend;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

async function plain(program: string, ...rest: readonly string[]): Promise<void> {
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"], detached: true });
  child.stdout.resume();
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${program} ended with ${code}`);
}

/** One sandbox at a time, each with an id of its own. */
class Pods {
  readonly #backend: SandboxBackend;
  readonly #workspace: string;
  #made = 0;
  #calls = 0;

  constructor(backend: SandboxBackend, workspace: string) {
    this.#backend = backend;
    this.#workspace = workspace;
  }

  /** @returns the connection, how to make another one, and how to end it all */
  async provision(): Promise<{ attach(): Promise<Sandbox>; end(): Promise<void>; provisionMs: number }> {
    const id = `sbox_bench_${this.#made++}` as SandboxId;
    const spec: SandboxSpec = { id, workspace: this.#workspace, noContactMs: 60_000, options: {} };
    const startedMs = performance.now();
    const { handle } = await this.#backend.provision(spec, NEVER);
    const provisionMs = performance.now() - startedMs;
    return {
      provisionMs,
      attach: () => this.#backend.attach(handle, 1, NEVER),
      end: () => this.#backend.destroy(id, handle),
    };
  }

  async execute(sandbox: Sandbox, command: string): Promise<void> {
    const execId = `sesn_bench/c${this.#calls++}_0/1` as ExecId;
    const { incarnation } = sandbox;
    const request = { execId, incarnation, operation: "shell", input: { command }, limits: LIMITS } as const;
    const reply = await sandbox.execute(request, { signal: NEVER });
    if (reply.status !== "finished" || reply.result.exitCode !== 0) throw new Error(JSON.stringify(reply));
  }
}

async function measure(pods: Pods, { isTiny, reps, onProgress }: RunOptions): Promise<Figure[]> {
  const repetitions = reps ?? (isTiny ? 1 : 15);
  const perPod = isTiny ? 2 : 20;
  const [execs, provisions, attachments]: [Pair[], Pair[], Pair[]] = [[], [], []];
  // The first round only makes what is kept, and warms up.
  for (let rep = -1; rep < repetitions; rep++) {
    onProgress(`repetition ${rep + 1} of ${repetitions}`);
    const startMs = await timed(() => plain("bwrap", ...BARE_POD, "true"));
    const pod = await pods.provision();
    const sandbox = await pod.attach();
    for (let index = -1; index < perPod; index++) {
      const spawnMs = await timed(() => plain("bash", "-c", "true"));
      const execMs = await timed(() => pods.execute(sandbox, "true"));
      const attachMs = await timed(async () => (await pod.attach()).detach());
      if (rep < 0 || index < 0) continue;
      execs.push({ ours: execMs, baseline: spawnMs });
      attachments.push({ ours: attachMs, baseline: spawnMs });
    }
    if (rep >= 0) provisions.push({ ours: pod.provisionMs, baseline: startMs });
    sandbox.detach();
    await pod.end();
  }
  const figure = (name: string, pairs: readonly Pair[], atMost: number): Figure => {
    const target: Target = { of: "ratio", atMost };
    return compared(name, "ms", summarizePairs(pairs), target);
  };
  return [
    figure("exec in the pod : plain spawn", execs, 1.5),
    figure("provision : bubblewrap alone", provisions, 8),
    figure("attach : plain spawn", attachments, 3),
  ];
}

async function run(options: RunOptions): Promise<Result> {
  const dist = await buildPackage(options.isTiny);
  const module = pathToFileURL(join(dist, "sandbox", "bubblewrap.js")).href;
  const { createBubblewrapBackend } = (await import(module)) as BackendModule;
  const workspace = join(options.folder, "workspace");
  mkdirSync(workspace);
  const pods = new Pods(createBubblewrapBackend({ folder: join(options.folder, "sandboxes") }), workspace);
  const figures = await measure(pods, options);
  return {
    parameters: { reps: options.reps ?? (options.isTiny ? 1 : 15) },
    figures,
    notes: [
      "Plain spawn: `bash -c true` from this process. An exec is the same, asked for over the daemon's socket, noted in its journal with a sync, and run under all limits; its result is noted too.",
    ],
  };
}

/** What a sandbox costs. */
export const sandbox: Benchmark = {
  name: "sandbox",
  summary: "commands, start and re-attach of a pod, against plain processes",
  run,
};
