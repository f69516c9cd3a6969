/**
 * The `process` backend: the exec daemon as an ordinary process of this machine. **It is no isolation**: commands
 * run with all rights of the user, can read every file that the user can read and reach every host. It exists for
 * trusted work, for containers that are a sandbox themselves, and for tests.
 *
 * The daemon is started in a session of its own and outlives the harness.
 */
import { NightshiftError } from "../core/errors.ts";
import type { SandboxBackend, SandboxSpec } from "./contract.ts";
import { cleanEnvironment } from "./daemon/environment.ts";
import { DaemonSandboxes } from "./daemon/sandboxes.ts";

/** Settings of the `process` backend. */
export interface ProcessBackendOptions {
  /** Absolute; holds a folder per sandbox. */
  readonly folder: string;
}

/** A backend that says what is dangerous about it. */
export interface ProcessBackend extends SandboxBackend {
  /** One sentence that a person must see before work begins. */
  readonly warning: string;
}

/** Makes the `process` backend. Loud by intent: see the warning. */
export function createProcessBackend({ folder }: ProcessBackendOptions): ProcessBackend {
  return new ProcessSandboxes(folder);
}

class ProcessSandboxes extends DaemonSandboxes implements ProcessBackend {
  readonly warning =
    "sandbox `process` is no isolation: commands run with all your rights, files, network and credentials";

  constructor(folder: string) {
    super({
      kind: "process",
      folder,
      check: refuseViews,
      environment: (spec) => ({ ...cleanEnvironment(process.env), ...spec.environment }),
    });
  }
}

/** What cannot be kept must not be promised. Limits and the way out are covered by the warning. */
function refuseViews({ mounts = [], overlay }: SandboxSpec): void {
  if (mounts.length === 0 && overlay === undefined) return;
  throw new NightshiftError(
    "E_SANDBOX_UNAVAILABLE",
    "the sandbox `process` has no view of its own to mount into",
  );
}
