/** The `bubblewrap` backend as a subject of the conformance suite. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { readPodRecord } from "./bubblewrap/pod-record.ts";
import { createBubblewrapBackend } from "./bubblewrap.ts";
import type { SandboxSubject } from "./conformance.ts";
import { DaemonRig } from "./daemon/rig.ts";
import { HARNESS_PROGRAM } from "./process-subjects.ts";

/** Programs of pods are large, and the same for all cases. */
const TOOLS: string = join(tmpdir(), `nightshift-conformance-tools-${process.getuid?.() ?? 0}`);

/** Subjects by backend name. */
export function bubblewrapSubjects(clock: Clock): readonly SandboxSubject[] {
  const parts = {
    createBackend: (folder: string) => createBubblewrapBackend({ folder, tools: TOOLS }),
    harness: HARNESS_PROGRAM,
    podOf: (folder: string) => readPodRecord(folder)?.inner ?? undefined,
  };
  return [
    { kind: "bubblewrap", isolates: true, clock, open: async (options) => new DaemonRig(parts, options) },
  ];
}
