/** A Docker engine that may be killed: the one of the machine may not. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createDiagnosisHost } from "../../../src/sandbox/diagnosis/host.ts";
import { killHard } from "./scene.ts";

const SCRIPT = fileURLToPath(new URL("../../../scripts/container-engine.sh", import.meta.url));
const host = createDiagnosisHost({ path: process.env.PATH, dockerHost: undefined });
const run = promisify(execFile);

/** It is where DOCKER_HOST of this process leads from its start on. */
export class OwnEngine {
  readonly folder: string = mkdtempSync(join(tmpdir(), "nightshift-engine-"));

  /** Can this machine have one? */
  static get isPossible(): boolean {
    return host.isRoot && host.findProgram("dockerd") !== undefined;
  }

  async start(): Promise<void> {
    const { stdout } = await run(SCRIPT, ["start", this.folder], { encoding: "utf8" });
    process.env.DOCKER_HOST = stdout.trim();
  }

  /** As `kill -9` does; containers go on. */
  async kill(): Promise<void> {
    const pid = Number(readFileSync(join(this.folder, "engine.pid"), "utf8"));
    killHard(pid);
    while (isThere(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  stop(): void {
    spawnSync(SCRIPT, ["stop", this.folder]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function isThere(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`).length > 0;
  } catch {
    return false;
  }
}
