/** The `process` backend as a subject of the conformance suite. */
import { fileURLToPath } from "node:url";
import type { Clock } from "../core/clock.ts";
import type { SandboxSubject } from "./conformance.ts";
import { DaemonRig } from "./daemon/rig.ts";
import { createProcessBackend } from "./process.ts";

/** Any daemon can be attached to with this program, wherever its commands run. */
export const HARNESS_PROGRAM: string = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "./process-harness.ts" : "./process-harness.js", import.meta.url),
);

/** Subjects by backend name. */
export function processSubjects(clock: Clock): readonly SandboxSubject[] {
  const parts = {
    createBackend: (folder: string) => createProcessBackend({ folder }),
    harness: HARNESS_PROGRAM,
  };
  return [
    { kind: "process", isolates: false, clock, open: async (options) => new DaemonRig(parts, options) },
  ];
}
