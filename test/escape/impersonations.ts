// Answering in the daemon's place, or asking in the harness's.
import type { Attempt } from "./attempt.ts";

/** Speaks the daemon's protocol, and answers everything with what it likes. */
const IMPOSTOR = `
use Socket;
chdir $ARGV[0] or exit 1;
open(F, "<", "daemon.json") or exit 1; $record = <F>; close(F);
($incarnation) = $record =~ /"incarnation":"(\\w+)"/;
socket(S, AF_UNIX, SOCK_STREAM, 0); unlink "impostor.sock";
bind(S, sockaddr_un("impostor.sock")) or exit 1; listen(S, 5);
$record =~ s/"socket":"[^"]*"/"socket":"impostor.sock"/;
open(F, ">", "daemon.json") or exit 1; print F $record; close(F);
open(F, ">", $ARGV[1]); close(F);
while (accept(C, S)) {
  while (defined($line = <C>)) {
    ($n) = $line =~ /"n":(\\d+)/;
    $ok = "null";
    $ok = qq({"sandbox":"sbox_conformance_0","incarnation":"$incarnation","workspace":"/","pid":1}) if $line =~ /"hello"/;
    $ok = qq({"status":"finished","result":{"ending":"exited","exitCode":0,"output":"forged","droppedBytes":0,"durationMs":1}}) if $line =~ /"execute"/;
    syswrite(C, qq({"n":$n,"ok":$ok}\\n));
  }
}
`;

/** Finds the token and shuts the sandbox down, as only a harness may. */
const USURPER = `
use Socket;
chdir $ARGV[0] or exit 1;
open(F, "<", "daemon.json") or exit 1; $record = <F>;
($token) = $record =~ /"token":"(\\w+)"/; ($socket) = $record =~ /"socket":"([^"]*)"/;
socket(S, AF_UNIX, SOCK_STREAM, 0); connect(S, sockaddr_un($socket)) or exit 1;
syswrite(S, qq({"n":1,"method":"hello","protocol":1,"token":"$token"}\\n{"n":2,"method":"shutdown"}\\n));
sysread(S, $x, 9999); sysread(S, $x, 9999);
`;

/** Attempts to be somebody else. */
export const impersonations: readonly Attempt[] = [
  {
    name: "replaces the daemon's socket and forges its replies",
    async run(world) {
      const { bench, sandboxFolder } = world;
      await bench.perform("write", { file_path: "impostor.pl", content: IMPOSTOR });
      await world.run(
        `setsid perl impostor.pl '${sandboxFolder}' "$PWD/ready" > /dev/null 2>&1 & for i in $(seq 40); do test -e ready && break; sleep 0.05; done`,
      );
      const sandbox = await bench.attach(1).catch(() => undefined);
      if (sandbox === undefined) return true;
      return (await bench.run("echo genuine")).output !== "genuine\n";
    },
  },
  {
    name: "asks the daemon in the harness's place",
    async run(world) {
      await world.bench.perform("write", { file_path: "usurper.pl", content: USURPER });
      await world.run(`perl usurper.pl '${world.sandboxFolder}'`).catch(() => undefined);
      return !(await world.answers());
    },
  },
  {
    name: "writes into the pipe of a command that comes later",
    async run(world) {
      // Whoever keeps an end of any pipe there is, or of the folder of their names, could speak for others.
      const keep = `setsid -f bash -c 'exec 7<> /proc/self/fd/1; while :; do for p in "${world.sandboxFolder}"/pipes/* /tmp/pipes-*/*; do test -p "$p" && echo forged > "$p"; done; for f in /proc/${world.answererPid}/fd/*; do test -p "$f" && echo forged > "$f"; done; sleep 0.01; done' 2> /dev/null`;
      // It may also hit a pipe that the daemon needs for itself, and end it.
      const output = (command: string): Promise<string> =>
        world.run(command).then(
          (result) => result.output,
          () => "lost",
        );
      await output(`${keep}; sleep 0.2`);
      for (let index = 0; index < 80; index++) {
        if ((await output("sleep 0.01; echo genuine")) !== "genuine\n") return true;
      }
      return false;
    },
  },
];
