// A machine with secrets on it, and a sandbox from which a hostile command tries to get at them.
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { Bench } from "../../src/sandbox/conformance/subject.ts";
import type { SandboxSubject } from "../../src/sandbox/conformance.ts";
import { DEFAULT_RESOURCES, type ExecResult, type Resources } from "../../src/sandbox/contract.ts";

const MEBIBYTE = 1024 * 1024;

/** Small, so that going beyond them harms nobody where nothing holds. */
export const SMALL: Resources = {
  ...DEFAULT_RESOURCES,
  memoryBytes: 700 * MEBIBYTE,
  processes: 100,
  temporaryBytes: 8 * MEBIBYTE,
  fileBytes: 16 * MEBIBYTE,
};

/** What is found inside of a mounted layer. */
export const LAYER_CONTENT = "layer\n";

/** Where a layer is seen where there are mounts. */
const INNER_LAYER = "/opt/layer";

export class EscapeWorld implements AsyncDisposable {
  readonly bench: Bench;
  /** Nowhere on the machine but where this world has put it. */
  readonly secret: string;
  /** Of a listener that says the secret to whoever connects. */
  readonly tcpPort: number;
  /** A process of the machine with the secret in its arguments and its environment. */
  readonly bystander: ChildProcess;
  readonly #server: Server;
  readonly #isolates: boolean;

  private constructor(parts: {
    bench: Bench;
    secret: string;
    bystander: ChildProcess;
    server: Server;
    isolates: boolean;
  }) {
    this.bench = parts.bench;
    this.secret = parts.secret;
    this.bystander = parts.bystander;
    this.#server = parts.server;
    this.#isolates = parts.isolates;
    this.tcpPort = (parts.server.address() as AddressInfo).port;
  }

  static async open(subject: SandboxSubject): Promise<EscapeWorld> {
    const secret = `secret-${randomBytes(8).toString("hex")}`;
    const bench = await Bench.open(subject, {
      spec: (folder) => {
        const layer = join(folder, "layer");
        mkdirSync(layer);
        writeFileSync(join(layer, "file"), LAYER_CONTENT);
        writeFileSync(join(folder, "secret"), secret, { mode: 0o600 });
        if (!subject.isolates) return {};
        const mounts = [{ source: layer, target: INNER_LAYER, access: "read-only" }] as const;
        return { mounts, resources: SMALL };
      },
    });
    const server = createServer((client) => client.end(secret));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const environment = { SECRET: secret, PATH: "/usr/bin:/bin" };
    // Listens under a name that is in no folder, which only a network namespace hides.
    const script = `use Socket; $| = 1; socket(S, AF_UNIX, SOCK_STREAM, 0); bind(S, pack("Sa*", AF_UNIX, "\\0$ARGV[0]"));
      listen(S, 5); print "ready\\n"; while (accept(C, S)) { syswrite(C, $ENV{SECRET}); close(C) }`;
    const bystander = spawn("perl", ["-e", script, secret], {
      env: environment,
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (bystander.stdout !== null) await once(bystander.stdout, "data");
    return new EscapeWorld({ bench, secret, bystander, server, isolates: subject.isolates });
  }

  /** Outside of the workspace. */
  outside(name: string): string {
    return join(this.bench.rig.folder, name);
  }

  /** Where a command finds the layer. */
  get layer(): string {
    return this.#isolates ? INNER_LAYER : this.outside("layer");
  }

  get layerContent(): string {
    return readFileSync(join(this.outside("layer"), "file"), "utf8");
  }

  /** The folder that the backend keeps for this sandbox, with what it tells no command. */
  get sandboxFolder(): string {
    return String(this.bench.handle["folder"]);
  }

  get daemonPid(): number {
    const record = JSON.parse(readFileSync(join(this.sandboxFolder, "daemon.json"), "utf8"));
    return Number(record.process.pid);
  }

  /** Numbers of the processes that begin commands and answer for them, as a command would write them. */
  get starters(): string {
    return this.#isolates ? "1 $PPID" : "$PPID";
  }

  /** The one of them that answers for all commands. */
  get answerer(): string {
    return this.#isolates ? "1" : "$PPID";
  }

  /** Its number, for what has lost its parent. Never that of the machine's own process 1. */
  get answererPid(): number {
    return this.#isolates ? 1 : this.daemonPid;
  }

  run(command: string, wallMs = 20_000): Promise<ExecResult> {
    return this.bench.run(command, { wallMs });
  }

  /** Does the command print the secret? */
  async reveals(command: string): Promise<boolean> {
    return (await this.run(command)).output.includes(this.secret);
  }

  /** Does the command end well? */
  async succeeds(command: string): Promise<boolean> {
    return (await this.run(command)).exitCode === 0;
  }

  /** Is the sandbox still the one that it was? */
  async answers(): Promise<boolean> {
    try {
      const { incarnation } = this.bench.sandbox;
      const sandbox = await this.bench.attach(1);
      return sandbox.incarnation === incarnation && (await this.bench.output("echo alive")) === "alive\n";
    } catch {
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.bystander.kill("SIGKILL");
    this.#server.close();
    await this.bench[Symbol.asyncDispose]();
  }
}
