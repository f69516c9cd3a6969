/** Cases about services: there while a command runs, gone after it, and honest about why they are not. */
import { strict as assert } from "node:assert";
import { hash } from "node:crypto";
import type { ConformanceCase } from "../../core/conformance.ts";
import type { Service } from "../../core/contract/contract.ts";
import { type RunningServices, type ServiceFailure, startServices, watchServices } from "../services.ts";
import { Bench, NEVER, rejects, type SandboxSubject } from "./subject.ts";

/** Answers each connection with these words. */
const SERVER = `use IO::Socket::INET; $| = 1; print "serves\\n";
my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1) or die "cannot listen: $!";
while (my $c = $s->accept) { print $c $ARGV[1]; close $c }`;

/** Of this bench: some subjects share the ports of the machine with others. */
function portOf(bench: Bench): number {
  return 20_000 + (Number.parseInt(hash("sha256", bench.rig.folder, "hex").slice(0, 6), 16) % 20_000);
}

function serving(port: number, answer: string, ready: Service["ready"] = { port }): Service {
  return { argv: ["perl", "-e", SERVER, `${port}`, answer], ready, within_ms: 10_000 };
}

function start(bench: Bench, run: string, ...services: Service[]): ReturnType<typeof startServices> {
  return startServices(bench.sandbox, services, { run, lifeMs: 30_000, signal: NEVER });
}

async function ready(bench: Bench, run: string, ...services: Service[]): Promise<RunningServices> {
  const started = await start(bench, run, ...services);
  return started.status === "ready" ? started.services : assert.fail(JSON.stringify(started.failure));
}

async function failed(bench: Bench, run: string, ...services: Service[]): Promise<ServiceFailure> {
  const started = await start(bench, run, ...services);
  return started.status === "failed" ? started.failure : assert.fail("it is ready");
}

function connect(port: number): string {
  return `perl -MIO::Socket::INET -e 'my $s = IO::Socket::INET->new("localhost:${port}") or exit 7; print <$s>'`;
}

/** Services beside commands. */
export const serviceCases: readonly ConformanceCase<SandboxSubject>[] = [
  {
    name: "a service answers on localhost while commands run, and is gone when it is stopped",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const port = portOf(bench);
      const services = await ready(bench, "one", serving(port, "hello\n"));
      assert.equal(await bench.output(connect(port)), "hello\n");
      assert.equal(services.failure(), null);
      await services.stop();
      await services.stop();
      assert.equal((await bench.run(connect(port))).exitCode, 7);
      const again = await ready(bench, "two", serving(port, "again\n"));
      assert.equal(await bench.output(connect(port)), "again\n");
      await again.stop();
    },
  },
  {
    name: "a service is ready when its address answers below 400, or its command succeeds; then the next one starts",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const port = portOf(bench);
      const url = `http://localhost:${port}/health?full=1`;
      const answer = "HTTP/1.0 204 No Content\r\n\r\n";
      const second = "test -e made && echo there > seen && exec sleep 60";
      const services = await ready(
        bench,
        "one",
        serving(port, answer, { url }),
        {
          argv: ["sh", "-c", "sleep 0.2; touch made; exec sleep 60"],
          ready: { argv: ["test", "-e", "made"] },
          within_ms: 10_000,
        },
        { argv: ["sh", "-c", second], ready: { argv: ["test", "-s", "seen"] }, within_ms: 10_000 },
      );
      assert.equal(await bench.output("cat seen"), "there\n");
      await services.stop();
      const refusing = "HTTP/1.0 503 Service Unavailable\r\n\r\n";
      const failure = await failed(bench, "two", { ...serving(port, refusing, { url }), within_ms: 1000 });
      assert.equal(failure.reason, "not_ready");
      await rejects(start(bench, "three", serving(port, "", { url: "http://example.org/" })), "E_CONFIG");
    },
  },
  {
    name: "a start that nobody waits for any more goes on, and is found by its name",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const port = portOf(bench);
      const slow: Service = {
        argv: ["sh", "-c", 'echo start >> starts; until test -e go; do sleep 0.02; done; exec "$@"', "sh"],
        ready: { port },
        within_ms: 20_000,
      };
      const service = { ...slow, argv: [...slow.argv, ...serving(port, "hello\n").argv] };
      const impatience = new AbortController();
      const options = { run: "one", lifeMs: 30_000, signal: impatience.signal };
      const given = startServices(bench.sandbox, [service], options);
      await bench.run("until test -e starts; do sleep 0.02; done");
      impatience.abort(new Error("enough"));
      await assert.rejects(given, /enough/);
      await bench.run("touch go");
      const services = await ready(bench, "one", service);
      assert.equal(await bench.output(`cat starts; ${connect(port)}`), "start\nhello\n");
      const watched = watchServices(bench.sandbox, [service], { run: "one", lifeMs: 30_000, signal: NEVER });
      assert.equal(watched.failure(), null);
      await services.stop();
      await bench.until("its end", () => watched.failure() !== null);
    },
  },
  {
    name: "a service that ends before it is ready is a failure with what it printed, and those before it are stopped",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const broken: Service = {
        argv: ["sh", "-c", "echo no database >&2; exit 3"],
        ready: { port: 1 },
        within_ms: 20_000,
      };
      const first: Service = {
        argv: ["sh", "-c", "echo $$ > pids; sleep 60 & echo $! >> pids; wait"],
        ready: { argv: ["test", "-s", "pids"] },
        within_ms: 10_000,
      };
      const failure = await failed(bench, "one", first, broken);
      assert.equal(failure.reason, "ended");
      assert.match(failure.message, /exit 3/);
      assert.equal(failure.output, "no database\n");
      assert.deepEqual(await bench.alive("pids"), []);
    },
  },
  {
    name: "a service that is not ready in time is a failure with what it printed, and it is killed with all it started",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const slow: Service = {
        argv: ["sh", "-c", "echo still starting; echo $$ > pids; sleep 60 & echo $! >> pids; wait"],
        ready: { argv: ["false"] },
        within_ms: 1000,
      };
      const failure = await failed(bench, "one", slow);
      assert.equal(failure.reason, "not_ready");
      assert.match(failure.message, /not ready within 1 s/);
      assert.equal(failure.output, "still starting\n");
      assert.deepEqual(await bench.alive("pids"), []);
    },
  },
  {
    name: "a service that goes to the background is awaited and killed; one that dies in use says so",
    async run(subject) {
      await using bench = await Bench.open(subject);
      const background: Service = {
        argv: ["sh", "-c", "sh -c 'sleep 0.3; echo $$ > pids; exec sleep 60' & exit 0"],
        ready: { argv: ["test", "-s", "pids"] },
        within_ms: 10_000,
      };
      const brief: Service = {
        argv: ["sh", "-c", "echo serves; until test -e end; do sleep 0.02; done; echo gone; exit 5"],
        ready: { argv: ["true"] },
        within_ms: 10_000,
      };
      const services = await ready(bench, "one", background, brief);
      assert.equal((await bench.alive("pids")).length, 1);
      assert.equal(services.failure(), null);
      await bench.run("touch end");
      await bench.until("its end", () => services.failure() !== null);
      assert.equal(services.failure()?.output, "serves\ngone\n");
      await services.stop();
      assert.deepEqual(await bench.alive("pids"), []);
    },
  },
];
