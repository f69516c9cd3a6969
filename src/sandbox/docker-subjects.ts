/** The `docker` backend as a subject of the conformance suite. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import type { SandboxSubject } from "./conformance.ts";
import { DaemonRig } from "./daemon/rig.ts";
import { readDockerRecord } from "./docker/docker-record.ts";
import { createDockerBackend } from "./docker.ts";
import { HARNESS_PROGRAM } from "./process-subjects.ts";

/** Programs of pods are large, and the same for all cases. */
const TOOLS: string = join(tmpdir(), `nightshift-conformance-tools-${process.getuid?.() ?? 0}`);

/** Subjects by backend name; the engine is that of DOCKER_HOST. */
export function dockerSubjects(clock: Clock): readonly SandboxSubject[] {
  const parts = {
    createBackend: (folder: string) => createDockerBackend({ folder, tools: TOOLS }),
    harness: HARNESS_PROGRAM,
    podOf: (folder: string) => readDockerRecord(folder)?.inner ?? undefined,
  };
  return [{ kind: "docker", isolates: true, clock, open: async (options) => new DaemonRig(parts, options) }];
}
