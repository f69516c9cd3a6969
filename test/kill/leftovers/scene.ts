/** One sandbox in a state folder of its own, and everything that can be left of it on this machine. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ExecId, SandboxId } from "../../../src/core/ids.ts";
import { podSweeper } from "../../../src/sandbox/bubblewrap/sweeper.ts";
import { createBubblewrapBackend } from "../../../src/sandbox/bubblewrap.ts";
import type { ExecReply, Sandbox, SandboxBackend, SandboxSpec } from "../../../src/sandbox/contract.ts";
import { findMembers } from "../../../src/sandbox/daemon/kill.ts";
import { listPids, readEnvironment } from "../../../src/sandbox/daemon/processes.ts";
import { sandboxKey } from "../../../src/sandbox/daemon/record.ts";
import { LABEL } from "../../../src/sandbox/docker/container.ts";
import { Engine } from "../../../src/sandbox/docker/engine.ts";
import { containerSweeper } from "../../../src/sandbox/docker/sweeper.ts";
import { createDockerBackend } from "../../../src/sandbox/docker.ts";
import { createProcessBackend } from "../../../src/sandbox/process.ts";
import type { Leftover, Reaper } from "../../../src/sandbox/reaper/contract.ts";
import { createReaper } from "../../../src/sandbox/reaper/reaper.ts";

/** Backends under test. */
export type Kind = "process" | "bubblewrap" | "docker";

/** The one sandbox of a scene. */
export const SANDBOX = "sbox_leftover_0" as SandboxId;

const NEVER = new AbortController().signal;
const PATIENCE_MS = 60_000;
/** Programs of pods are large, and the same for all scenes. */
const TOOLS = join(tmpdir(), `nightshift-conformance-tools-${process.getuid?.() ?? 0}`);

/** The backend that keeps its sandboxes below a place. */
export function createBackend(kind: Kind, place: string): SandboxBackend {
  const folder = join(place, "sandboxes");
  switch (kind) {
    case "process":
      return createProcessBackend({ folder });
    case "bubblewrap":
      return createBubblewrapBackend({ folder, tools: TOOLS });
    case "docker":
      return createDockerBackend({ folder, tools: TOOLS });
  }
}

/** What the sandbox is made from: with an overlay, where there are any. */
export function specOf(place: string): SandboxSpec {
  const workspace = join(place, "workspace");
  return { id: SANDBOX, workspace, noContactMs: 600_000, options: {}, ...overlayOf(place) };
}

function overlayOf(place: string): Pick<SandboxSpec, "overlay"> | undefined {
  const upper = join(place, "upper");
  if (!existsSync(upper)) return undefined;
  return { overlay: { lower: [join(place, "workspace")], upper, work: join(place, "work") } };
}

/** One sandbox, its harness and its reaper. */
export class Scene implements AsyncDisposable {
  readonly place: string = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-leftover-")));
  readonly root: string = join(this.place, "sandboxes");
  readonly folder: string = join(this.root, SANDBOX);
  readonly backend: SandboxBackend;
  readonly reaper: Reaper;
  readonly #kind: Kind;
  #calls = 0;

  constructor(kind: Kind, options: { readonly overlay?: boolean } = {}) {
    this.#kind = kind;
    mkdirSync(join(this.place, "workspace"));
    if (options.overlay === true) for (const name of ["upper", "work"]) mkdirSync(join(this.place, name));
    this.backend = createBackend(kind, this.place);
    this.reaper = createReaper(this.root, [podSweeper, containerSweeper]);
  }

  /** Another harness. */
  start(action: "provision" | "destroy"): ChildProcess {
    const actor = fileURLToPath(new URL("./actor.ts", import.meta.url));
    return spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", actor, this.#kind, action, this.place],
      {
        stdio: "ignore",
      },
    );
  }

  async provision(): Promise<Sandbox> {
    const { handle } = await this.backend.provision(specOf(this.place), NEVER);
    return this.backend.attach(handle, 1, NEVER);
  }

  run(sandbox: Sandbox, command: string): Promise<ExecReply> {
    const execId = `sesn_leftover/c1_${this.#calls++}/1` as ExecId;
    const { incarnation } = sandbox;
    const limits = { wallMs: 120_000, outputBytes: 10_000 };
    return sandbox.execute(
      { execId, incarnation, operation: "shell", input: { command }, limits },
      { signal: NEVER },
    );
  }

  /** A name in the sandbox's folder. */
  has(name: string): boolean {
    return existsSync(join(this.folder, name));
  }

  /** A name in the workspace, wherever what is written there goes. */
  hasWritten(name: string): boolean {
    return ["workspace", "upper"].some((folder) => existsSync(join(this.place, folder, name)));
  }

  async until(what: string, isTrue: () => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!isTrue()) {
      if (performance.now() > deadline) throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Pids of every daemon of the sandbox. */
  daemons(): number[] {
    const marker = `${sandboxKey(this.folder)}.daemon`;
    return listPids().filter((pid) => readEnvironment(pid).includes(marker));
  }

  /** Kills every daemon of the sandbox, and nothing else. */
  killDaemons(): void {
    for (const pid of this.daemons()) killHard(pid);
  }

  /** All that is left, on this machine and in the engine. */
  async remains(): Promise<string[]> {
    const key = sandboxKey(this.folder);
    const processes = findMembers({ marker: `${key}.` }).map(({ pid }) => `process ${pid}`);
    const { stdout } = spawnSync("find", ["/sys/fs/cgroup", "-name", `*${key}*`], { encoding: "utf8" });
    const groups = stdout.split("\n").filter((line) => line !== "");
    const mounts = spawnSync("grep", [this.place, "/proc/self/mountinfo"], { encoding: "utf8" }).stdout;
    return [
      ...processes,
      ...groups,
      ...(mounts === "" ? [] : [mounts]),
      ...(await this.#inEngine(key)),
      ...(existsSync(this.folder) ? [this.folder] : []),
    ];
  }

  /** Lets the reaper remove everything. */
  async reap(isWanted: boolean): Promise<readonly Leftover[]> {
    const leftovers = await this.reaper.findLeftovers(() => isWanted);
    for (const leftover of leftovers) await this.reaper.removeLeftover(leftover);
    return leftovers;
  }

  /** Names below the folder of all sandboxes, but for what backends remember. */
  others(): string[] {
    return readdirSync(this.root).filter((name) => name !== "engines");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.killDaemons();
    await this.reap(false);
    rmSync(this.place, { recursive: true, force: true });
  }

  async #inEngine(key: string): Promise<string[]> {
    if (this.#kind !== "docker") return [];
    const engine = await Engine.open((process.env.DOCKER_HOST ?? "").replace("unix://", ""));
    return (await engine.labelsWith(LABEL))
      .filter((labels) => labels[LABEL] === key)
      .map((labels) => JSON.stringify(labels));
  }
}

/** As `kill -9`; what has ended already is fine. */
export function killHard(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  } catch {
    // It ended in this moment.
  }
}

/** Kills a harness, and waits for its end. */
export async function killHarness(harness: ChildProcess): Promise<void> {
  const ended = harness.exitCode === null && harness.signalCode === null ? once(harness, "exit") : undefined;
  killHard(harness.pid);
  await ended;
}
