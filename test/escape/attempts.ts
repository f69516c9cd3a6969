// What a hostile command tries. Each attempt says whether it got what it wanted.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { abuses } from "./abuses.ts";
import { type Attempt, needsRoot } from "./attempt.ts";
import { impersonations } from "./impersonations.ts";
import { swaps } from "./swaps.ts";
import type { EscapeWorld } from "./world.ts";

const PTRACE_CALL = process.arch === "arm64" ? 117 : 101;
/** Attaches without stopping. */
const PTRACE_SEIZE = 0x4206;

const files: readonly Attempt[] = [
  {
    name: "reads a file outside of the workspace by its path",
    run: (world) => world.reveals(`cat '${world.outside("secret")}'`),
  },
  {
    name: "reads a file outside of the workspace through ..",
    run: (world) => world.reveals("cat ../secret ../../*/secret"),
  },
  {
    name: "reads a file outside of the workspace through a symbolic link",
    run: (world) => world.reveals(`ln -s '${world.outside("secret")}' link; cat link`),
  },
  {
    name: "reads a file outside of the workspace through a hard link",
    run: (world) => world.reveals(`ln '${world.outside("secret")}' hard; cat hard`),
  },
  {
    name: "reads a file of the machine through another process's view",
    run: (world) =>
      world.reveals(`cat /proc/[0-9]*/root'${world.outside("secret")}' /proc/[0-9]*/cwd/../secret`),
  },
  {
    name: "writes a file outside of the workspace",
    async run(world) {
      await world.run(`echo owned > '${world.outside("owned")}'`);
      try {
        return readFileSync(world.outside("owned"), "utf8") === "owned\n";
      } catch {
        return false;
      }
    },
  },
  {
    name: "reads the accounts of the machine",
    moot: needsRoot,
    run: (world) => world.succeeds("test -s /etc/shadow && cat /etc/shadow > /dev/null"),
  },
  {
    name: "writes into a layer",
    async run(world) {
      const before = world.layerContent;
      const { layer } = world;
      await world.run(
        `echo x >> ${layer}/file; mv ${layer}/file ${layer}/other; chmod 0 ${layer}/file; true`,
      );
      try {
        return world.layerContent !== before;
      } catch {
        return true;
      }
    },
  },
  {
    name: "writes into the programs of the machine",
    moot: needsRoot,
    run: (world) => world.succeeds("touch /usr/nightshift-was-here && rm /usr/nightshift-was-here"),
  },
  {
    name: "sets a setting of the kernel",
    moot: needsRoot,
    run: (world) =>
      world.succeeds("v=$(cat /proc/sys/vm/overcommit_ratio) && echo $v > /proc/sys/vm/overcommit_ratio"),
  },
  {
    name: "mounts something",
    moot: needsRoot,
    run: (world) => world.succeeds("mkdir -p m && mount -t tmpfs none m && umount m"),
  },
  {
    name: "makes a namespace of its own, to be root in it",
    moot: needsRoot,
    run: (world) => world.succeeds("unshare --user --map-root-user true || unshare --mount true"),
  },
];

const secrets: readonly Attempt[] = [
  {
    name: "finds a secret in the environment of another process",
    run: (world) => world.reveals("grep -zhao 'secret-[0-9a-f]*' /proc/[0-9]*/environ"),
  },
  {
    name: "finds a secret in the arguments of another process",
    run: (world) => world.reveals("grep -zhao 'secret-[0-9a-f]*' /proc/[0-9]*/cmdline"),
  },
  {
    name: "finds the daemon's token",
    async run(world) {
      const { token } = JSON.parse(readFileSync(join(world.sandboxFolder, "daemon.json"), "utf8"));
      const places = `'${world.sandboxFolder}'/daemon.json /proc/[0-9]*/environ /proc/[0-9]*/cmdline`;
      const { output } = await world.run(`cat ${places} | tr '\\0' '\\n'`);
      return output.includes(token);
    },
  },
  {
    name: "reads the environment of whoever started it",
    run: (world) =>
      world.succeeds(`for p in ${world.starters}; do cat /proc/$p/environ && exit 0; done; exit 1`),
  },
  {
    name: "opens a descriptor of whoever started it",
    run: (world) =>
      world.succeeds(
        `for p in ${world.starters}; do for f in /proc/$p/fd/*; do readlink $f && exit 0; done; done; exit 1`,
      ),
  },
];

const connections: readonly Attempt[] = [
  {
    name: "talks to a service on the machine's loopback",
    run: (world) => world.reveals(`exec 3<> /dev/tcp/127.0.0.1/${world.tcpPort} && cat <&3`),
  },
  {
    name: "talks to a service on the machine through a socket without a folder",
    run: (world) => {
      const script =
        'use Socket; socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, pack("Sa*", AF_UNIX, "\\0$ARGV[0]")) or exit 1; print <S>';
      return world.reveals(
        `perl -e '${script}' ${world.secret.replace("secret", "sec''ret")} | sed s/^/got:/`,
      );
    },
  },
  {
    name: "talks to the daemon's socket",
    run: (world) => {
      const script =
        'use Socket; chdir $ARGV[0]; ($s) = glob "*.sock"; socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, sockaddr_un($s)) or exit 1';
      return world.succeeds(`perl -e '${script}' '${world.sandboxFolder}'`);
    },
  },
];

const processes: readonly Attempt[] = [
  {
    name: "sees a process of the machine",
    run: (world) => world.reveals(`cat /proc/${world.bystander.pid}/cmdline`),
  },
  {
    name: "kills a process of the machine",
    async run(world) {
      await world.run(`kill -9 ${world.bystander.pid}`);
      await world.run("true");
      return world.bystander.exitCode !== null || world.bystander.signalCode !== null;
    },
  },
  {
    name: "kills the daemon",
    async run(world) {
      // Everything but the sandbox's own daemon is left alone, so that this is harmless where nothing holds.
      await world.run(`kill -9 ${world.daemonPid}; kill -9 ${world.answerer}; true`).catch(() => undefined);
      return !(await world.answers());
    },
  },
  {
    name: "stops whoever started it",
    async run(world) {
      // Whoever is stopped cannot tell that the command has ended long before it is let go on.
      const { clock } = world.bench;
      const beganMs = clock.monotonicMs();
      await world.run(
        `(kill -STOP ${world.answerer}; sleep 6; kill -CONT ${world.answerer}) > /dev/null 2>&1 & sleep 0.5`,
      );
      return clock.monotonicMs() - beganMs > 4000 || (await stopsAnswering(world));
    },
  },
  {
    name: "sets limits of whoever started it: of processor time, for one, it would die",
    async run(world) {
      // The number of any of its threads names it too.
      await world.run(
        `for t in $(ls /proc/${world.answerer}/task); do prlimit --pid $t --msgqueue=819199:819199; done`,
      );
      const limits = await world.run(`grep msgqueue /proc/${world.answerer}/limits`);
      return / 819199 +819199 /.test(limits.output);
    },
  },
  {
    name: "traces whoever started it",
    moot: needsRoot,
    run: (world) =>
      world.succeeds(
        `perl -e 'exit(syscall(${PTRACE_CALL}, ${PTRACE_SEIZE}, $ARGV[0] + 0, 0, 0) == 0 ? 0 : 1)' ${world.answerer}`,
      ),
  },
];

/** After a stop that was to last for two seconds, is the sandbox silent for one? */
async function stopsAnswering(world: EscapeWorld): Promise<boolean> {
  const startedMs = world.bench.clock.monotonicMs();
  await world.run("true");
  return world.bench.clock.monotonicMs() - startedMs > 1000;
}

/** All attempts. */
export const ATTEMPTS: readonly Attempt[] = [
  ...files,
  ...secrets,
  ...connections,
  ...processes,
  ...impersonations,
  ...swaps,
  ...abuses,
];
