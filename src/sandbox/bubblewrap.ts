/**
 * The `bubblewrap` backend, the default on Linux: commands run in a pod that sees next to nothing of the machine and
 * has no way out, under limits, without rights, apart from the daemon that answers for them.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { NightshiftError } from "../core/errors.ts";
import type { Json } from "../core/text.ts";
import type { LauncherSettings } from "./bubblewrap/launcher.ts";
import { findProgram, type PodTools, providePodTools } from "./bubblewrap/tools.ts";
import type { RunnerCode } from "./bubblewrap/view.ts";
import type { SandboxBackend } from "./contract.ts";
import { DaemonSandboxes } from "./daemon/sandboxes.ts";
import { podEnvironment } from "./pod/environment.ts";

/** Settings of the `bubblewrap` backend. */
export interface BubblewrapBackendOptions {
  /** Absolute; holds a folder per sandbox. */
  readonly folder: string;
  /** Absolute; holds programs that all pods use. Default: `tools` beside the folder. */
  readonly tools?: string;
}

/** Makes the `bubblewrap` backend. */
export function createBubblewrapBackend(options: BubblewrapBackendOptions): SandboxBackend {
  return new BubblewrapSandboxes(options);
}

class BubblewrapSandboxes extends DaemonSandboxes {
  constructor({ folder, tools = join(dirname(folder), "tools") }: BubblewrapBackendOptions) {
    let provided: PodTools | undefined;
    const provide = (): PodTools => {
      provided ??= providePodTools(tools, process.env["PATH"] ?? "");
      return provided;
    };
    super({
      kind: "bubblewrap",
      folder,
      check: () => {
        findBubblewrap();
        provide();
      },
      environment: (spec) => podEnvironment(process.env, spec),
      pod: (spec) => {
        const settings: LauncherSettings = {
          bubblewrap: findBubblewrap(),
          tools: provide(),
          code: runnerCode(),
        };
        return { module: moduleUrl("./bubblewrap/launcher"), settings: settings as unknown as Json, spec };
      },
      sweep: async (sandbox) => (await import("./bubblewrap/launcher.ts")).sweepPods(sandbox),
    });
  }
}

function findBubblewrap(): string {
  const found = findProgram("bwrap", process.env["PATH"] ?? "");
  if (found !== undefined) return found;
  throw new NightshiftError("E_SANDBOX_UNAVAILABLE", "bubblewrap (`bwrap`) is not installed", {
    hint: "Install the package `bubblewrap`, or run `nightshift doctor`.",
  });
}

const IS_SOURCE: boolean = import.meta.url.endsWith(".ts");

function moduleUrl(path: string): string {
  return new URL(IS_SOURCE ? `${path}.ts` : `${path}.cjs`, import.meta.url).href;
}

/** Built, the runner is one file that needs no other; a type-stripping Node needs all sources. */
function runnerCode(): RunnerCode {
  if (!IS_SOURCE) {
    const built = fileURLToPath(new URL("./pod/runner.cjs", import.meta.url));
    return { files: { [built]: "/nightshift/runner.cjs" }, entry: "/nightshift/runner.cjs" };
  }
  const sources = fileURLToPath(new URL("..", import.meta.url));
  const manifest = join(sources, "..", "package.json");
  const files: Record<string, string> = { [sources]: "/nightshift/src" };
  if (existsSync(manifest)) files[manifest] = "/nightshift/package.json";
  return { files, entry: "/nightshift/src/sandbox/pod/runner.ts" };
}
