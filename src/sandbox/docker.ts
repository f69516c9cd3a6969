/**
 * The `docker` backend: the same pods as `bubblewrap` makes, as containers of an engine on this machine. For
 * machines where user namespaces are forbidden but an engine is at hand. Nothing is fetched: the image holds mount
 * points only.
 */
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { NightshiftError } from "../core/errors.ts";
import type { Json } from "../core/text.ts";
import { type PodTools, providePodTools } from "./bubblewrap/tools.ts";
import type { RunnerCode } from "./bubblewrap/view.ts";
import type { SandboxBackend } from "./contract.ts";
import { DaemonSandboxes } from "./daemon/sandboxes.ts";
import { socketOf } from "./diagnosis/docker.ts";
import type { DockerSettings } from "./docker/launcher.ts";
import { rememberEngine } from "./docker/sweeper.ts";
import { podEnvironment } from "./pod/environment.ts";

/** Settings of the `docker` backend. */
export interface DockerBackendOptions {
  /** Absolute; holds a folder per sandbox. */
  readonly folder: string;
  /** Absolute; holds programs that all pods use. Default: `tools` beside the folder. */
  readonly tools?: string;
  /** The engine, as DOCKER_HOST has it, which is the default. */
  readonly engine?: string;
}

const STANDARD_ENGINE = "unix:///var/run/docker.sock";

/** Makes the `docker` backend. */
export function createDockerBackend(options: DockerBackendOptions): SandboxBackend {
  return new DockerSandboxes(options);
}

class DockerSandboxes extends DaemonSandboxes {
  constructor({ folder, tools = join(dirname(folder), "tools"), engine }: DockerBackendOptions) {
    let provided: PodTools | undefined;
    const provide = (): PodTools => {
      provided ??= providePodTools(tools, process.env["PATH"] ?? "");
      return provided;
    };
    super({
      kind: "docker",
      folder,
      check: () => {
        engineSocket(engine);
        provide();
      },
      environment: (spec) => podEnvironment(process.env, spec),
      pod: (spec) => {
        rememberEngine(realpathSync(folder), engineSocket(engine));
        const settings: DockerSettings = {
          engine: engineSocket(engine),
          tools: provide(),
          code: runnerCode(),
        };
        return { module: LAUNCHER, settings: settings as unknown as Json, spec };
      },
      sweep: async (sandbox) => (await import("./docker/docker-pod.ts")).sweepContainers(sandbox),
    });
  }
}

function engineSocket(named: string | undefined): string {
  const engine = named ?? (process.env["DOCKER_HOST"] || STANDARD_ENGINE);
  const socket = socketOf(engine);
  if (socket !== undefined && existsSync(socket)) return socket;
  const problem = socket === undefined ? "is not on this machine" : "does not run";
  throw new NightshiftError("E_SANDBOX_UNAVAILABLE", `the Docker engine ${engine} ${problem}`);
}

const IS_SOURCE: boolean = import.meta.url.endsWith(".ts");

/** Both are started by their address, in other processes. */
const LAUNCHER: string = addressOf(IS_SOURCE ? "./docker/launcher.ts" : "./docker/launcher.js");
const RUNNER: string = addressOf(IS_SOURCE ? "./docker/runner.ts" : "./docker/runner.cjs");

function addressOf(path: string): string {
  return new URL(path, import.meta.url).href;
}

/** Built, the runner is one file that needs no other; a type-stripping Node needs all sources. */
function runnerCode(): RunnerCode {
  if (!IS_SOURCE) {
    const built = fileURLToPath(RUNNER);
    return { files: { [built]: "/nightshift/runner.cjs" }, entry: "/nightshift/runner.cjs" };
  }
  const sources = fileURLToPath(new URL("..", import.meta.url));
  const files: Record<string, string> = { [sources.replace(/\/$/, "")]: "/nightshift/src" };
  const manifest = join(sources, "..", "package.json");
  if (existsSync(manifest)) files[manifest] = "/nightshift/package.json";
  return { files, entry: "/nightshift/src/sandbox/docker/runner.ts" };
}
