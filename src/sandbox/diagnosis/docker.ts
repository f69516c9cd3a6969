/** Why no Docker engine can be used here. */
import type { Diagnosis, DiagnosisCode, DiagnosisHost } from "./contract.ts";

/** Asks the engine; when it does not answer, finds out why. */
export async function diagnoseDocker(host: DiagnosisHost): Promise<Diagnosis> {
  if (host.platform !== "linux") {
    return finding("not_linux", `the sandbox docker needs its engine on Linux, and this is ${host.platform}`);
  }
  const socket = socketOf(host.engine);
  if (socket === undefined) {
    return finding(
      "remote_engine",
      `the engine ${host.engine} is not behind a socket of this machine, so it sees no files of it`,
      "unset DOCKER_HOST",
    );
  }
  const answer = await host.ask(socket, "/version");
  if ("error" in answer) return explain(host, socket, answer.error, answer.message);
  if (answer.status !== 200) {
    return finding("failed", `the engine answers with ${answer.status}: ${answer.body.slice(0, 200)}`);
  }
  const version = /"Version":"([^"]+)"/.exec(answer.body)?.[1] ?? "of unknown version";
  return finding("ready", `Docker engine ${version} at ${socket}`);
}

/** Path of the unix socket, or undefined for an engine elsewhere. */
export function socketOf(engine: string): string | undefined {
  if (engine.startsWith("unix://")) return engine.slice("unix://".length);
  return engine.startsWith("/") ? engine : undefined;
}

function explain(host: DiagnosisHost, socket: string, error: string, message: string): Diagnosis {
  switch (error) {
    case "EACCES":
    case "EPERM":
      return finding(
        "no_permission",
        `this user may not use ${socket}`,
        'sudo usermod -aG docker "$USER", then log in again (who may use the engine has the rights of root)',
      );
    case "ENOENT":
    case "ECONNREFUSED": {
      const isInstalled = host.findProgram("dockerd") ?? host.findProgram("docker");
      if (isInstalled === undefined) {
        return finding("not_installed", "Docker is not installed", "install a Docker engine");
      }
      return finding(
        "daemon_down",
        `the engine does not run (${error} at ${socket})`,
        "sudo systemctl start docker",
      );
    }
    default:
      return finding("failed", `the engine at ${socket} cannot be asked: ${message}`);
  }
}

function finding(code: DiagnosisCode, text: string, fix?: string): Diagnosis {
  return { backend: "docker", code, text, ...(fix !== undefined && { fix }) };
}
