/** Starts the exec daemon as a process of its own. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { SandboxSpec } from "../contract.ts";
import { type DetachedOutcome, startDetached } from "./detached.ts";
import { cleanEnvironment, type Environment, withMarker } from "./environment.ts";
import type { DaemonConfig, PodSetup, StartReport } from "./main.ts";
import { FILES, sandboxKey } from "./record.ts";

/** How a start went; `ended` means that the daemon died without a word, as it does when another one cleans up. */
export type StartOutcome = DetachedOutcome<StartReport>;

/** The entry, compiled or not, whichever this file is: a type-stripping Node runs the sources as they are. */
const ENTRY: string = import.meta.url.endsWith(".ts") ? "./main.ts" : "./main.cjs";

/** What a sandbox's daemon is started for. */
export interface StartOptions {
  readonly folder: string;
  readonly spec: SandboxSpec;
  /** What commands see. */
  readonly environment: Environment;
  /** Where commands run, unless beside the daemon. */
  readonly pod?: PodSetup;
}

/** Starts a daemon in a session of its own and waits for its report. */
export function startDaemon(
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
  return startDetached<StartReport>(
    {
      entry: new URL(ENTRY, import.meta.url),
      folder,
      log: join(folder, FILES.log),
      environment: withMarker(cleanEnvironment(process.env), `${sandboxKey(folder)}.daemon`),
      config,
    },
    signal,
  );
}
