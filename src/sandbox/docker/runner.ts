/**
 * The runner's process in a container. It connects to the daemon before anything else can run here, and keeps no
 * name of anything that commands could use: what it has opened is moved away or removed when the daemon accepts it.
 *
 * Arguments: the folder with the wire, the `mkfifo` and the reaper to use.
 */
import { constants, openSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { RunnerHost } from "../pod/runner-host.ts";
import { WIRE_FILES } from "./wire-files.ts";

const NOTHING = (): void => undefined;

function main([folder = "", program = "mkfifo", reaper]: readonly string[]): void {
  // Commands of the pod can send some.
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2"] as const)
    process.on(signal, NOTHING);
  const folderFile = openSync(join(folder, WIRE_FILES.pipes), constants.O_RDONLY | constants.O_DIRECTORY);
  const token = readFileSync(join(folder, WIRE_FILES.token), "utf8");
  const wire = connect(join(folder, WIRE_FILES.socket));
  wire.write(`${token}\n`);
  const pipeFolder = `/proc/self/fd/${folderFile}`;
  const place = { wire, pipeFolder, pipeMaker: { program, folderFile }, reaper };
  // With the daemon gone, nothing that runs here is of use to anybody; with process 1, all of it ends.
  const _host = new RunnerHost(place, () => process.exit(0));
}

main(process.argv.slice(2));
