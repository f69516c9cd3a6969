/** What is noted down of a container before it is made, so that it is found after a crash of anything. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../daemon/durable.ts";
import { bootId, type ProcessIdentity } from "../daemon/processes.ts";

/** One sandbox's share of an engine. Container and volume bear the sandbox's name there. */
export interface DockerRecord {
  /** The engine's socket. */
  readonly engine: string;
  readonly boot: string;
  /** Process 1, as the machine sees it; null while it is not known. */
  readonly inner: ProcessIdentity | null;
}

/** Its file in the sandbox's folder. */
export const DOCKER_RECORD = "docker.json";

/** Synced: what an engine holds outlasts a loss of power. */
export function writeDockerRecord(folder: string, engine: string, inner: ProcessIdentity | null): void {
  const record: DockerRecord = { engine, boot: bootId(), inner };
  replaceFile(join(folder, DOCKER_RECORD), `${JSON.stringify(record)}\n`);
}

/** The record; undefined when no container was ever about to be made. */
export function readDockerRecord(folder: string): DockerRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(join(folder, DOCKER_RECORD), "utf8")) as DockerRecord;
    return record.boot === bootId() ? record : { ...record, inner: null };
  } catch {
    return undefined;
  }
}

/** Forgets what is verified gone. */
export function removeDockerRecord(folder: string): void {
  rmSync(join(folder, DOCKER_RECORD), { force: true });
}
