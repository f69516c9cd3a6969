/** This machine, as a diagnosis sees it. */
import { spawn } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { request } from "node:http";
import { isAbsolute, join } from "node:path";
import type { DiagnosisHost, EngineAnswer, ProbeResult } from "./contract.ts";

/** What of the user's environment matters. */
export interface HostSettings {
  /** PATH. */
  readonly path: string | undefined;
  /** DOCKER_HOST. */
  readonly dockerHost: string | undefined;
}

const DEFAULT_ENGINE = "unix:///var/run/docker.sock";
const STANDARD_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
const PROBE_MS_MAX = 10_000;
const OUTPUT_LENGTH_MAX = 20_000;

/** The real machine. */
export function createDiagnosisHost({ path, dockerHost }: HostSettings): DiagnosisHost {
  // Daemons are mostly where the path of a user does not reach.
  const folders = `${path ?? ""}:${STANDARD_PATH}`.split(":").filter(isAbsolute);
  return {
    platform: process.platform,
    isRoot: process.geteuid?.() === 0,
    engine: dockerHost === undefined || dockerHost === "" ? DEFAULT_ENGINE : dockerHost,
    findProgram: (name) => folders.map((folder) => join(folder, name)).find(isExecutable),
    read: readIfPresent,
    probe,
    ask,
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function probe([program = "", ...rest]: readonly string[]): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const child = spawn(program, rest, {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: PROBE_MS_MAX,
      killSignal: "SIGKILL",
    });
    let output = "";
    const collect = (chunk: Buffer): void => {
      if (output.length < OUTPUT_LENGTH_MAX) output += chunk.toString();
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.once("error", (error) => resolve({ exitCode: null, output: error.message }));
    child.once("close", (exitCode) => resolve({ exitCode, output }));
  });
}

function ask(socket: string, path: string): Promise<EngineAnswer> {
  return new Promise((resolve) => {
    const asked = request({ socketPath: socket, path, agent: false, timeout: PROBE_MS_MAX }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        if (body.length < OUTPUT_LENGTH_MAX) body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
      response.on("error", (error) => resolve({ error: "EIO", message: error.message }));
    });
    asked.once("timeout", () => asked.destroy(new Error(`no answer within ${PROBE_MS_MAX} ms`)));
    asked.once("error", (error: NodeJS.ErrnoException) =>
      resolve({ error: error.code ?? "", message: error.message }),
    );
    asked.end();
  });
}
