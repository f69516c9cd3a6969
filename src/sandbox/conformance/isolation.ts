/** Cases for backends whose commands are kept apart from the machine and from whoever answers for them. */
import { strict as assert } from "node:assert";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { ConformanceCase } from "../../core/conformance.ts";
import { INNER_WORKSPACE, type Overlay } from "../contract.ts";
import { GATEWAY_SHIM_PORT } from "../egress-shim.ts";
import { Bench, finished, rejects, type SandboxSubject } from "./subject.ts";

/**
 * A process that empties its environment, leaves its session and loses its parent: it cannot be told from outside
 * whose it is.
 */
const STRAY =
  "setsid -f env -i /bin/sh -c 'echo $$ >> pids; while :; do /bin/sleep 0.05; done' > /dev/null 2>&1";

const LOOPBACK_SERVER =
  'socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(8123, INADDR_LOOPBACK)); listen(S, 5); accept(C, S); syswrite(C, "hi")';

function makeOverlay(folder: string): Overlay {
  const [lower, upper, work] = ["lower, of all", "upper", "work"].map((name) => join(folder, name));
  assert.ok(lower !== undefined && upper !== undefined && work !== undefined);
  for (const path of [lower, upper, work]) mkdirSync(path);
  writeFileSync(join(lower, "kept"), "as it was\n");
  writeFileSync(join(lower, "removed"), "as it was\n");
  return { lower: [lower], upper, work };
}

/** What isolation means. */
export const isolationCases: readonly ConformanceCase<SandboxSubject>[] = [
  {
    name: "the workspace is in the same place in every sandbox, and a command is nobody special there",
    async run(subject) {
      await using bench = await Bench.open(subject);
      assert.equal(await bench.output("pwd"), `${INNER_WORKSPACE}\n`);
      // Its number may be that of root where nothing maps users; then it is a root without any rights of root.
      const rights = await bench.output("grep -E '^(Cap|NoNewPrivs)' /proc/self/status");
      assert.match(rights, /^(Cap\w+:\t0+\n){5}NoNewPrivs:\t1\n$/);
    },
  },
  {
    name: "cancel also reaches what has emptied its environment and run from its parent and session",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const request = bench.request("shell", { command: `${STRAY}; ${STRAY}; sleep 600` });
      const running = bench.ask(request);
      await bench.until("both", async () => (await bench.count("pids")) === 2);
      await bench.sandbox.cancel(request.execId);
      assert.equal(finished(await running).ending, "cancelled");
      assert.deepEqual(await bench.alive("pids"), []);
    },
  },
  {
    name: "cancelling one command leaves others and their background processes alone",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const server = "(echo $BASHPID >> servers; while :; do sleep 0.05; done) > /dev/null 2>&1 &";
      await bench.run(server);
      const other = bench.ask(bench.request("shell", { command: "echo $$ >> servers; env -i sleep 600" }));
      const request = bench.request("shell", { command: "touch begun; sleep 600" });
      const running = bench.ask(request);
      await bench.until("all of them", async () => (await bench.count("servers")) === 2);
      await bench.untilSucceeds("test -f begun");
      await bench.sandbox.cancel(request.execId);
      assert.equal(finished(await running).ending, "cancelled");
      assert.equal((await bench.alive("servers")).length, 2);
      void other.catch(() => undefined);
    },
  },
  {
    name: "what has lost its parent and ended is gone",
    async run(subject) {
      await using bench = await Bench.open(subject);
      await bench.run(
        "for i in $(seq 30); do (sleep 0.0$i &); setsid -f true; done; (sleep 0.4 &); sleep 0.4",
      );
      const dead = "grep -l '^State:.Z' /proc/[0-9]*/status 2> /dev/null | wc -l";
      await bench.until("no dead process", async () => (await bench.output(dead)) === "0\n");
    },
  },
  {
    name: "there is no way out, and loopback works",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const routes = await bench.output(
        "cat /proc/net/route | tail -n +2; tail -n +2 /proc/net/fib_trie | wc -l",
      );
      assert.match(routes, /^\d+\n$/, "no route");
      const dial = (host: string): string => `exec 3<> /dev/tcp/${host}`;
      assert.notEqual((await bench.run(`bash -c '${dial("192.0.2.1/80")}'`)).exitCode, 0);
      const serve = `perl -MSocket -e '${LOOPBACK_SERVER}' &`;
      const talk =
        "until bash -c 'exec 3<> /dev/tcp/127.0.0.1/8123 && cat <&3' 2>/dev/null; do sleep 0.05; done";
      assert.equal(await bench.output(`${serve} ${talk}`), "hi");
      assert.match(await bench.output("getent hosts localhost"), /^(127\.0\.0\.1|::1)\s+localhost/);
    },
  },
  {
    name: "the way out leads to the egress proxy's socket, also one that was made anew, and nobody can replace it",
    async run(subject) {
      const spec = (folder: string) => {
        mkdirSync(join(folder, "egress"));
        return { egress: join(folder, "egress", "proxy.sock") };
      };
      await using bench = await Bench.open(subject, { spec });
      const talk = 'exec 3<> "/dev/tcp/$(echo "$HTTP_PROXY" | sed "s,http://,,; s,:,/,")" && cat <&3';
      for (const answer of ["first", "second"]) {
        const proxy = createServer((client) => client.end(answer));
        proxy.listen(join(bench.rig.folder, "egress", "proxy.sock"));
        await once(proxy, "listening");
        assert.equal(await bench.output(talk), answer);
        const replace = await bench.run("for f in /run/nightshift/egress/*; do rm $f || mv $f $f.old; done");
        assert.notEqual(replace.exitCode, 0);
        proxy.close();
      }
    },
  },
  {
    name: "the model gateway is reached on loopback, also one that was made anew, and nobody can replace it",
    async run(subject) {
      const spec = (folder: string) => {
        mkdirSync(join(folder, "gateway"));
        return { gateway: join(folder, "gateway", "gateway.sock") };
      };
      await using bench = await Bench.open(subject, { spec });
      const talk = `bash -c 'exec 3<> /dev/tcp/127.0.0.1/${GATEWAY_SHIM_PORT} && cat <&3'`;
      for (const answer of ["first", "second"]) {
        const gateway = createServer((client) => client.end(answer));
        gateway.listen(join(bench.rig.folder, "gateway", "gateway.sock"));
        await once(gateway, "listening");
        assert.equal(await bench.output(talk), answer);
        const replace = await bench.run("for f in /run/nightshift/gateway/*; do rm $f || mv $f $f.old; done");
        assert.notEqual(replace.exitCode, 0);
        gateway.close();
      }
    },
  },
  {
    name: "a pod that is killed is a lost sandbox: by what waits, by what is asked later, and by attaching",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const { incarnation } = bench.sandbox;
      const request = bench.request("shell", { command: "touch begun; sleep 600" });
      const lost = rejects(bench.ask(request), "E_SANDBOX_LOST");
      await bench.untilSucceeds("test -f begun");
      await bench.rig.crashPod();
      await lost;
      await bench.until("the daemon's end", () => bench.rig.survivors().length === 0);
      await rejects(bench.ask(request), "E_SANDBOX_LOST");
      await bench.provision();
      const later = await bench.attach(2);
      assert.notEqual(later.incarnation, incarnation);
      assert.equal((await bench.ask(request)).status, "unknown");
      assert.equal(await bench.output("ls"), "begun\n");
    },
  },
  {
    name: "with its daemon a pod ends",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const command = "setsid -f sleep 600; trap '' TERM HUP; touch begun; sleep 600";
      const lost = rejects(bench.run(command), "E_SANDBOX_LOST");
      await bench.untilSucceeds("test -f begun");
      await bench.rig.crash();
      await lost;
      await bench.until("its end", () => bench.rig.survivors().length === 0);
    },
  },
  {
    name: "mounts are seen where they are asked for, and what is read-only stays so",
    async run(subject) {
      const spec = (folder: string) => {
        for (const name of ["layer", "scratch"]) mkdirSync(join(folder, name));
        writeFileSync(join(folder, "layer", "file"), "layer\n");
        return {
          mounts: [
            { source: join(folder, "layer"), target: "/opt/layer", access: "read-only" },
            { source: join(folder, "scratch"), target: `${INNER_WORKSPACE}/scratch`, access: "read-write" },
          ],
        } as const;
      };
      await using bench = await Bench.open(subject, { spec });
      assert.equal(await bench.output("cat /opt/layer/file; echo mine > scratch/file"), "layer\n");
      const attempts = [
        "echo x > /opt/layer/file",
        "rm /opt/layer/file",
        "touch /opt/layer/new",
        "touch /usr/new",
      ];
      for (const attempt of attempts) assert.notEqual((await bench.run(attempt)).exitCode, 0, attempt);
      assert.equal(readFileSync(join(bench.rig.folder, "layer", "file"), "utf8"), "layer\n");
      assert.equal(readFileSync(join(bench.rig.folder, "scratch", "file"), "utf8"), "mine\n");
    },
  },
  {
    name: "an overlay leaves what is below as it was, and is gone with the pod",
    async run(subject) {
      await using bench = await Bench.open(subject, { spec: (folder) => ({ overlay: makeOverlay(folder) }) });
      const { folder } = bench.rig;
      assert.equal(
        await bench.output("cat kept; rm removed; echo new > kept; echo more > added; ls"),
        "as it was\nadded\nkept\n",
      );
      await bench.perform("edit", { file_path: "kept", old_string: "new", new_string: "newer" });
      const lower = join(folder, "lower, of all");
      assert.deepEqual(readdirSync(lower), ["kept", "removed"]);
      assert.equal(readFileSync(join(lower, "kept"), "utf8"), "as it was\n");
      assert.equal(readFileSync(join(folder, "upper", "kept"), "utf8"), "newer\n");
      await bench.rig.crash();
      await bench.until("its end", () => bench.rig.survivors().length === 0);
      // An engine takes a moment to notice.
      const isMounted = (): boolean => readFileSync("/proc/self/mountinfo", "utf8").includes(folder);
      await bench.until("the end of its mounts", () => !isMounted());
      await bench.provision();
      await bench.attach(2);
      assert.equal(await bench.output("cat kept added; ls"), "newer\nmore\nadded\nkept\n");
    },
  },
];
