/** Starts pods as containers of a Docker engine: the program that the daemon loads when it is told to. */
import { randomBytes } from "node:crypto";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { messageOf, NightshiftError } from "../../core/errors.ts";
import type { Json } from "../../core/text.ts";
import { makeClosedFolder } from "../bubblewrap/pipe-folder.ts";
import type { PodTools } from "../bubblewrap/tools.ts";
import type { RunnerCode } from "../bubblewrap/view.ts";
import { DEFAULT_RESOURCES, type SandboxSpec } from "../contract.ts";
import { readProcess } from "../daemon/processes.ts";
import { sandboxKey } from "../daemon/record.ts";
import type { LimitsInForce, Pod, PodLauncher } from "../pod/contract.ts";
import { containerName, containerOptions, overlayVolume } from "./container.ts";
import { DockerPod, sweepContainers } from "./docker-pod.ts";
import { writeDockerRecord } from "./docker-record.ts";
import { Engine, type EngineFacts } from "./engine.ts";
import { IMAGE_REPOSITORY, imageArchive, imageTag, readImageFacts } from "./image.ts";
import { WireListener } from "./wire.ts";

/** What the backend tells the launcher. */
export interface DockerSettings {
  /** Path of the engine's socket. */
  readonly engine: string;
  readonly tools: PodTools;
  readonly code: RunnerCode;
}

const LAUNCH_MS_MAX = 30_000;
const LOOK_MS = 500;

/** Makes the launcher; see `PodLauncherModule`. */
export function createPodLauncher(settings: Json): PodLauncher {
  return new DockerLauncher(settings as unknown as DockerSettings);
}

class DockerLauncher implements PodLauncher {
  readonly #settings: DockerSettings;

  constructor(settings: DockerSettings) {
    this.#settings = settings;
  }

  async launch(spec: SandboxSpec, folder: string, signal: AbortSignal): Promise<Pod> {
    const engine = await Engine.open(this.#settings.engine);
    const facts = await engine.facts();
    signal.throwIfAborted();
    const token = randomBytes(24).toString("hex");
    const podFolder = join(folder, "pod");
    const listener = await WireListener.open(podFolder, token);
    writeDockerRecord(folder, this.#settings.engine, null);
    try {
      await this.#make(engine, facts, spec, folder, podFolder);
      const { processes } = spec.resources ?? DEFAULT_RESOURCES;
      return await this.#connect({ engine, facts, folder, processes, listener, token, signal });
    } catch (error) {
      listener.close();
      await sweepContainers(folder);
      throw error;
    }
  }

  sweep(folder: string): Promise<void> {
    return sweepContainers(folder);
  }

  async #make(
    engine: Engine,
    facts: EngineFacts,
    spec: SandboxSpec,
    folder: string,
    podFolder: string,
  ): Promise<void> {
    const key = sandboxKey(folder);
    const isRoot = process.getuid?.() === 0;
    // In an engine without root, root is who runs it: us.
    const [uid, gid] = facts.isRootless ? [0, 0] : [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
    const imageFacts = readImageFacts(uid, gid);
    const image = await engine.ensureImage(IMAGE_REPOSITORY, imageTag(imageFacts), () =>
      imageArchive(imageFacts),
    );
    if (spec.overlay !== undefined) await engine.createVolume(overlayVolume(folder, spec.overlay, !isRoot));
    const { tools, code } = this.#settings;
    const volume = spec.overlay === undefined ? undefined : containerName(key);
    const user = `${uid}:${gid}`;
    await engine.createContainer(
      containerOptions({ spec, folder, image, user, engine: facts, podFolder, tools, code, volume }),
    );
    await engine.startContainer(containerName(key));
  }

  async #connect(start: Start): Promise<Pod> {
    const { engine, facts, folder, listener, token, signal } = start;
    const name = containerName(sandboxKey(folder));
    const state = await engine.inspectContainer(name);
    const inner = state?.isRunning ? readProcess(state.pid) : undefined;
    if (inner !== undefined) writeDockerRecord(folder, this.#settings.engine, inner);
    const gone = new AbortController();
    const limit = AbortSignal.any([signal, AbortSignal.timeout(LAUNCH_MS_MAX), gone.signal]);
    const closed = makeClosedFolder(folder);
    const watch = setInterval(() => void this.#look(engine, name, gone), LOOK_MS);
    try {
      const wire = await listener.accept(token, closed, limit);
      // Past the folder that it holds open the runner gets no further than this, whoever leads it there.
      chmodSync(closed, 0);
      if (inner === undefined) throw new Error(await endOf(engine, name));
      const limits = limitsOf(facts);
      return new DockerPod({ wire, engine, folder, inner, limits, processes: start.processes });
    } catch (cause) {
      signal.throwIfAborted();
      const words = await engine.logOf(name);
      const reason = messageOf(gone.signal.aborted ? gone.signal.reason : cause);
      throw new NightshiftError(
        "E_SANDBOX_UNAVAILABLE",
        `the runner of container ${name} did not come up: ${reason}${words === "" ? "" : ` (${words})`}`,
        { cause, retryable: true },
      );
    } finally {
      clearInterval(watch);
    }
  }

  /** Notices a container that has ended before it could connect. */
  async #look(engine: Engine, name: string, gone: AbortController): Promise<void> {
    try {
      const state = await engine.inspectContainer(name);
      if (state?.isRunning !== true) gone.abort(new Error(await endOf(engine, name)));
    } catch {
      // The engine is being started anew; the container goes on, and the time limit ends the wait.
    }
  }
}

interface Start {
  readonly engine: Engine;
  readonly facts: EngineFacts;
  readonly folder: string;
  readonly processes: number;
  readonly listener: WireListener;
  readonly token: string;
  readonly signal: AbortSignal;
}

async function endOf(engine: Engine, name: string): Promise<string> {
  const state = await engine.inspectContainer(name);
  if (state === undefined) return "it was removed";
  return `it ended with ${state.exitCode}${state.error === "" ? "" : ` (${state.error})`}`;
}

function limitsOf({ limits }: EngineFacts): LimitsInForce {
  const means = (isHeld: boolean): "engine" | "none" => (isHeld ? "engine" : "none");
  return { memory: means(limits.memory), processes: means(limits.processes), cpus: means(limits.cpus) };
}
