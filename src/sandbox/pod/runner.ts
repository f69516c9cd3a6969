/**
 * The runner's process: process 1 of a pod. It is started with the numbers of the descriptors it has been given, and
 * everything else it is told over the wire. It takes no signal, because commands of the pod can send some.
 *
 * Arguments: wire (one number for both directions, or two), folder for pipes (a path, or a descriptor), the
 * `mkfifo` and the reaper to use.
 */
import { Socket } from "node:net";
import { Duplex } from "node:stream";
import { RunnerHost } from "./runner-host.ts";

const NOTHING = (): void => undefined;

function openWire(name: string): Duplex {
  const [input = 0, output = input] = name.split(",").map(Number);
  if (input === output) return new Socket({ fd: input, readable: true, writable: true });
  return Duplex.from({
    readable: new Socket({ fd: input, readable: true, writable: false }),
    writable: new Socket({ fd: output, readable: false, writable: true }),
  });
}

function main([wire = "0,1", folder = "/tmp", program = "mkfifo", reaper]: readonly string[]): void {
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2"] as const)
    process.on(signal, NOTHING);
  const folderFile = /^\d+$/.test(folder) ? { folderFile: Number(folder) } : {};
  const pipeFolder = /^\d+$/.test(folder) ? `/proc/self/fd/${folder}` : folder;
  const place = { wire: openWire(wire), pipeFolder, pipeMaker: { program, ...folderFile }, reaper };
  // With the daemon gone, nothing that runs here is of use to anybody; with process 1, all of it ends.
  const _host = new RunnerHost(place, () => process.exit(0));
}

main(process.argv.slice(2));
