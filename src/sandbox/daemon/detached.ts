/**
 * Starts a process that outlives this one. Its configuration, which may hold secrets, goes over stdin, because arguments
 * and environment can be read by others; on descriptor 3 it reports once how its start went.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { messageOf } from "../../core/errors.ts";
import { LAST_DESCRIPTOR, placeDescriptors } from "./descriptors.ts";
import type { Environment } from "./environment.ts";

/** What is started. */
export interface DetachedOptions {
  readonly entry: URL;
  /** Absolute; it works here. */
  readonly folder: string;
  /** Absolute; what it says on stderr is added to this file. */
  readonly log: string;
  readonly environment: Environment;
  /** Becomes JSON. */
  readonly config: object;
}

/** Its own report; or it could not be started in time; or it died without a word. */
export type DetachedOutcome<Report> =
  | Report
  | { readonly status: "failed" | "ended"; readonly message: string };

const START_MS_MAX = 60_000;
const REPORT_BYTES_MAX = 65_536;

/**
 * Waits for the report. Should this process die meanwhile, the other either never gets its configuration and ends, or
 * comes up and is found by what it writes down. @throws the reason of `signal`
 */
export async function startDetached<Report>(
  { entry, folder, log, environment, config }: DetachedOptions,
  signal: AbortSignal,
): Promise<DetachedOutcome<Report>> {
  const file = openSync(log, "a", 0o600);
  try {
    const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", fileURLToPath(entry)], {
      cwd: folder,
      env: { ...environment },
      // The last one is for the room that it makes.
      stdio: placeDescriptors({ 0: "pipe", 2: file, 3: "pipe", [LAST_DESCRIPTOR]: file }),
      detached: true,
    });
    child.unref();
    // Writing to one that has died already fails; its missing report says the rest.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(JSON.stringify(config));
    const failure = new Promise<DetachedOutcome<Report>>((resolve) =>
      child.once("error", (error) => resolve({ status: "failed", message: messageOf(error) })),
    );
    return await Promise.race([failure, readReport<Report>(child.stdio[3] as Readable, signal)]);
  } finally {
    closeSync(file);
  }
}

async function readReport<Report>(stream: Readable, signal: AbortSignal): Promise<DetachedOutcome<Report>> {
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
    return JSON.parse(text) as Report;
  } catch {
    signal.throwIfAborted();
    if (!timeLimit.aborted) return { status: "ended", message: "it ended at once" };
    return { status: "failed", message: `it was not ready after ${START_MS_MAX} ms` };
  } finally {
    either.removeEventListener("abort", stop);
    stream.destroy();
  }
}
