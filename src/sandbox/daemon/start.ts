/** Starts the exec daemon as a process of its own. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { messageOf } from "../../core/errors.ts";
import type { SandboxSpec } from "../contract.ts";
import { cleanEnvironment, type Environment, withMarker } from "./environment.ts";
import type { DaemonConfig, PodSetup, StartReport } from "./main.ts";
import { FILES, sandboxKey } from "./record.ts";

/** How a start went; `ended` means that the daemon died without a word, as it does when another one cleans up. */
export type StartOutcome = StartReport | { readonly status: "failed" | "ended"; readonly message: string };

const START_MS_MAX = 15_000;
const REPORT_BYTES_MAX = 65_536;

/** The entry, compiled or not, whichever this file is: a type-stripping Node runs the sources as they are. */
const ENTRY: string = import.meta.url.endsWith(".ts") ? "./main.ts" : "./main.js";

/** What a sandbox's daemon is started for. */
export interface StartOptions {
  readonly folder: string;
  readonly spec: SandboxSpec;
  /** What commands see. */
  readonly environment: Environment;
  /** Where commands run, unless beside the daemon. */
  readonly pod?: PodSetup;
}

/**
 * Starts a daemon in a session of its own and waits for its report. Should this process die meanwhile, the daemon
 * either never gets its configuration and ends, or comes up and is found by its record.
 */
export async function startDaemon(
  { folder, spec, environment, pod }: StartOptions,
  signal: AbortSignal,
): Promise<StartOutcome> {
  const config: DaemonConfig = {
    sandbox: spec.id,
    folder,
    workspace: spec.workspace,
    noContactMs: spec.noContactMs,
    token: randomBytes(24).toString("hex"),
    environment,
    ...(pod === undefined ? {} : { pod }),
  };
  const log = openSync(join(folder, FILES.log), "a", 0o600);
  try {
    const daemon = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", entryPath()], {
      cwd: folder,
      env: withMarker(cleanEnvironment(process.env), `${sandboxKey(folder)}.daemon`),
      stdio: ["pipe", "ignore", log, "pipe"],
      detached: true,
    });
    daemon.unref();
    // Writing to a daemon that has died already fails; its missing report says the rest.
    daemon.stdin?.on("error", () => undefined);
    daemon.stdin?.end(JSON.stringify(config));
    const failure = new Promise<StartOutcome>((resolve) =>
      daemon.once("error", (error) => resolve({ status: "failed", message: messageOf(error) })),
    );
    return await Promise.race([failure, readReport(daemon.stdio[3] as Readable, signal)]);
  } finally {
    closeSync(log);
  }
}

async function readReport(stream: Readable, signal: AbortSignal): Promise<StartOutcome> {
  const timeLimit = AbortSignal.timeout(START_MS_MAX);
  const stop = (): void => void stream.destroy();
  const either = AbortSignal.any([signal, timeLimit]);
  either.addEventListener("abort", stop, { once: true });
  let text = "";
  try {
    for await (const chunk of stream.setEncoding("utf8") as AsyncIterable<string>) {
      text += chunk;
      if (text.length > REPORT_BYTES_MAX) break;
    }
    return JSON.parse(text) as StartReport;
  } catch {
    signal.throwIfAborted();
    if (!timeLimit.aborted) return { status: "ended", message: "it ended at once" };
    return { status: "failed", message: `it was not ready after ${START_MS_MAX} ms` };
  } finally {
    either.removeEventListener("abort", stop);
    stream.destroy();
  }
}

function entryPath(): string {
  return fileURLToPath(new URL(ENTRY, import.meta.url));
}
