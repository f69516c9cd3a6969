/** Starts pods with bubblewrap: the program that the daemon loads when it is told to. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { NightshiftError } from "../../core/errors.ts";
import type { Json } from "../../core/text.ts";
import { DEFAULT_RESOURCES, INNER_WORKSPACE, type SandboxSpec } from "../contract.ts";
import { LAST_DESCRIPTOR, placeDescriptors } from "../daemon/descriptors.ts";
import { MARKER_VARIABLE } from "../daemon/kill.ts";
import { makePipeNames } from "../daemon/pipes.ts";
import { type ProcessIdentity, readProcess } from "../daemon/processes.ts";
import { sandboxKey } from "../daemon/record.ts";
import { JOIN_FAILED, type Limits } from "../limits/contract.ts";
import { createLimitKeeper, sweepLimits } from "../limits/limits.ts";
import type { LimitsInForce, Pod, PodLauncher } from "../pod/contract.ts";
import { planOverlay } from "./overlay.ts";
import { openPipeFolder, removePipeFolder } from "./pipe-folder.ts";
import { endProcesses, readPodRecord, removePodRecord, writePodRecord } from "./pod-record.ts";
import { systemCallFilter } from "./seccomp.ts";
import type { PodTools } from "./tools.ts";
import { INNER_TOOLS, INNER_USER, type RunnerCode, viewArguments } from "./view.ts";

/** What the backend tells the launcher. */
export interface LauncherSettings {
  /** Absolute path of bubblewrap. */
  readonly bubblewrap: string;
  readonly tools: PodTools;
  readonly code: RunnerCode;
}

/** Numbers of the descriptors that a pod is started with; the wire and the pipes reach the runner. */
const DESCRIPTORS = { complaints: 2, wire: 3, pipes: 4, status: 5, filter: LAST_DESCRIPTOR } as const;

const LAUNCH_MS_MAX = 10_000;
/** Of what bubblewrap and the runner complain, kept to say why a pod ended. */
const COMPLAINT_CHARACTERS = 2000;
const LOG_BYTES_MAX = 262_144;

const SETTINGS_FILES: { readonly [name: string]: string } = {
  passwd: [
    "root:x:0:0:root:/root:/bin/sh",
    `nightshift:x:${INNER_USER}:${INNER_USER}::/home/nightshift:/bin/sh`,
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
  ].join("\n"),
  group: ["root:x:0:", `nightshift:x:${INNER_USER}:`, "nogroup:x:65534:\n"].join("\n"),
  hosts: "127.0.0.1 localhost nightshift\n::1 localhost\n",
  "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
  "resolv.conf": "",
};

/** Makes the launcher; see `PodLauncherModule`. */
export function createPodLauncher(settings: Json): PodLauncher {
  return new BubblewrapLauncher(settings as unknown as LauncherSettings);
}

/** Ends whatever pods of this folder are left, verified gone. Idempotent. */
export async function sweepPods(folder: string): Promise<void> {
  const record = readPodRecord(folder);
  if (record !== undefined) {
    await endProcesses(record.inner === null ? [record.outer] : [record.inner, record.outer]);
  }
  await sweepLimits(folder);
  removePipeFolder(folder);
  removePodRecord(folder);
}

class BubblewrapLauncher implements PodLauncher {
  readonly #settings: LauncherSettings;

  constructor(settings: LauncherSettings) {
    this.#settings = settings;
  }

  async launch(spec: SandboxSpec, folder: string, signal: AbortSignal): Promise<Pod> {
    signal.throwIfAborted();
    const limits = createLimitKeeper().open(folder, spec.resources ?? DEFAULT_RESOURCES);
    const pipes = openPipeFolder(folder);
    try {
      const child = this.#spawn(this.#commandLine(spec, folder, limits), folder, pipes);
      const pod = new BubblewrapPod(child, folder, limits);
      const stop = (): void => void pod.end();
      signal.addEventListener("abort", stop, { once: true });
      // The runner could make its first pipes itself, but here nobody waits for them.
      const maker = { program: this.#settings.tools.mkfifo, folderFile: pipes };
      const coming = Promise.all([pod.ready(), makePipeNames(`/proc/self/fd/${pipes}`, maker)]);
      await coming.finally(() => signal.removeEventListener("abort", stop));
      return pod;
    } catch (error) {
      await sweepPods(folder);
      throw error;
    } finally {
      closeSync(pipes);
    }
  }

  sweep(folder: string): Promise<void> {
    return sweepPods(folder);
  }

  #commandLine(spec: SandboxSpec, folder: string, limits: Limits): readonly string[] {
    const { bubblewrap, tools, code } = this.#settings;
    const isRoot = process.getuid?.() === 0;
    const overlay = spec.overlay ? planOverlay(folder, spec.overlay, isRoot) : undefined;
    const view = viewArguments({
      spec,
      resources: spec.resources ?? DEFAULT_RESOURCES,
      workspace: overlay?.merged ?? spec.workspace,
      tools,
      code,
      settings: writeSettings(join(folder, "view")),
    });
    const runner = [
      ...[INNER_TOOLS.node, "--disable-sigusr1", "--disable-warning=ExperimentalWarning", code.entry],
      ...[`${DESCRIPTORS.wire}`, `${DESCRIPTORS.pipes}`, INNER_TOOLS.mkfifo, INNER_TOOLS.reaper],
    ];
    const argv = [bubblewrap, ...isolationArguments(sandboxKey(folder)), ...view, "--", ...runner];
    return limits.wrap(overlay === undefined ? argv : overlay.wrap(argv));
  }

  /** The daemon is the parent, with which bubblewrap dies; and the wire breaks, on which the runner ends. */
  #spawn([program = "", ...rest]: readonly string[], folder: string, pipes: number): ChildProcess {
    const filter = openFilter(folder);
    const path = process.env["PATH"] ?? "/usr/bin:/bin";
    try {
      return spawn(program, rest, {
        cwd: folder,
        env: { PATH: `${path}:/usr/sbin:/sbin`, [MARKER_VARIABLE]: `${sandboxKey(folder)}.pod` },
        stdio: placeDescriptors({
          [DESCRIPTORS.complaints]: "pipe",
          [DESCRIPTORS.wire]: "pipe",
          [DESCRIPTORS.pipes]: pipes,
          [DESCRIPTORS.status]: "pipe",
          // Bubblewrap closes it when the runner is about to start; the room stays.
          [DESCRIPTORS.filter]: filter,
        }),
        detached: true,
      });
    } finally {
      closeSync(filter);
    }
  }
}

function isolationArguments(key: string): string[] {
  return [
    ...["--unshare-user", "--unshare-all", "--disable-userns"],
    ...["--uid", `${INNER_USER}`, "--gid", `${INNER_USER}`, "--hostname", "nightshift"],
    ...["--cap-drop", "ALL", "--new-session", "--die-with-parent", "--as-pid-1"],
    // The marker lets the machine find what belongs to a pod; it is no secret.
    ...["--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", MARKER_VARIABLE, `${key}.pod`],
    ...["--json-status-fd", `${DESCRIPTORS.status}`, "--seccomp", `${DESCRIPTORS.filter}`],
    ...["--chdir", INNER_WORKSPACE],
  ];
}

function writeSettings(folder: string): { readonly [name: string]: string } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const entries = Object.entries(SETTINGS_FILES).map(([name, content]) => {
    const path = join(folder, name);
    rmSync(path, { force: true });
    writeFileSync(path, content, { mode: 0o444 });
    return [name, path] as const;
  });
  return Object.fromEntries(entries);
}

/** As a file that has no name any more. @throws NightshiftError where no filter is known: that fails closed */
function openFilter(folder: string): number {
  const filter = systemCallFilter(process.arch);
  if (filter === undefined) throw unavailable(`there is no filter of system calls for ${process.arch}`);
  const path = join(folder, "filter.bpf");
  writeFileSync(path, filter, { mode: 0o600 });
  const file = openSync(path, "r");
  rmSync(path);
  return file;
}

class BubblewrapPod implements Pod {
  readonly wire: Duplex;
  readonly ended: Promise<{ readonly reason: string }>;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #limits: Limits;
  #outer: ProcessIdentity | undefined;
  #inner: ProcessIdentity | undefined;
  #complaints = "";
  #logged = 0;
  #ending: Promise<void> | undefined;

  constructor(child: ChildProcess, folder: string, limits: Limits) {
    this.#child = child;
    this.#folder = folder;
    this.#limits = limits;
    this.wire = streamOf(child, DESCRIPTORS.wire);
    this.ended = this.#watch();
    const outer = child.pid === undefined ? undefined : readProcess(child.pid);
    if (outer === undefined) return;
    this.#outer = { pid: outer.pid, startTime: outer.startTime };
    writePodRecord(folder, { outer: this.#outer, inner: null });
  }

  get limits(): LimitsInForce {
    return this.#limits.inForce;
  }

  /** Resolves when process 1 is known and noted down. @throws NightshiftError `E_SANDBOX_UNAVAILABLE` */
  async ready(): Promise<void> {
    const timer = setTimeout(() => void this.end(), LAUNCH_MS_MAX);
    try {
      const status = streamOf(this.#child, DESCRIPTORS.status);
      const inner = await Promise.race([innerPid(status), this.ended]);
      if (typeof inner !== "number") throw unavailable(`the pod did not come up: ${inner.reason}`);
      const info = readProcess(inner);
      if (info === undefined || this.#outer === undefined) {
        throw unavailable(`the pod ended at once: ${(await this.ended).reason}`);
      }
      this.#inner = { pid: info.pid, startTime: info.startTime };
      writePodRecord(this.#folder, { outer: this.#outer, inner: this.#inner });
    } finally {
      clearTimeout(timer);
    }
  }

  tookMemoryKill(): boolean {
    return this.#limits.tookMemoryKill();
  }

  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    const processes = [this.#inner, this.#outer].filter((each) => each !== undefined);
    await endProcesses(processes);
    if (this.#outer !== undefined) await this.ended;
    await this.#limits.end();
    removePipeFolder(this.#folder);
    removePodRecord(this.#folder);
  }

  #watch(): Promise<{ readonly reason: string }> {
    const { promise, resolve } = Promise.withResolvers<{ readonly reason: string }>();
    this.#child.stderr?.on("data", (chunk: Buffer) => this.#note(chunk));
    this.#child.once("error", (error) => resolve({ reason: error.message }));
    this.#child.once("close", (code, signal) => resolve({ reason: this.#describe(code, signal) }));
    return promise;
  }

  #note(chunk: Buffer): void {
    this.#complaints = (this.#complaints + chunk.toString()).slice(-COMPLAINT_CHARACTERS);
    this.#logged += chunk.length;
    if (this.#logged <= LOG_BYTES_MAX) process.stderr.write(chunk);
  }

  #describe(code: number | null, signal: NodeJS.Signals | null): string {
    if (code === JOIN_FAILED) return "it could not be limited";
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
    return [`bubblewrap ended with ${how}`, this.#complaints.trim()].filter(Boolean).join(": ");
  }
}

/** Node makes sockets of our ends, whatever direction they are used in. */
function streamOf({ stdio }: ChildProcess, descriptor: number): Duplex {
  const streams: readonly unknown[] = stdio;
  return streams[descriptor] as Duplex;
}

/** The number of process 1, outside; never resolves when bubblewrap ends before it knows. */
async function innerPid(status: Readable): Promise<number> {
  let text = "";
  const { promise, resolve } = Promise.withResolvers<number>();
  status.setEncoding("utf8").on("data", (part: string) => {
    text += part;
    const pid = /"child-pid":\s*(\d+)/.exec(text)?.[1];
    if (pid !== undefined) resolve(Number(pid));
  });
  status.on("error", () => undefined);
  return promise;
}

function unavailable(message: string): NightshiftError {
  return new NightshiftError("E_SANDBOX_UNAVAILABLE", message, { retryable: true });
}
