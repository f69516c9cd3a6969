/** A person's corner of the machine for one test: a project, a state folder, an environment, and the built program. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect } from "vitest";
import { eventId, type SandboxId, type SessionId } from "../../src/core/ids.ts";
import type { Json } from "../../src/core/text.ts";
import type { Script } from "../../src/model/script-schema.ts";
import { openHarness } from "../../src/runtime/open.ts";
import { createProcessBackend } from "../../src/sandbox/process.ts";
import type { Store } from "../../src/store/contract.ts";
import { follow } from "../../src/store/follow.ts";

const PROGRAM: string = resolve("bin/nightshift");
const PATIENCE_MS = 15_000;
const PAGE = 500;

/** How a command ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command is started. */
export interface StartOptions {
  readonly env?: { readonly [name: string]: string | undefined };
  readonly input?: string;
  /** For `node` itself. */
  readonly nodeFlags?: readonly string[];
  /** An open file, in the place of what is read here. */
  readonly stdout?: number;
  /** User and group to run as; for tests that run as root. */
  readonly uid?: number;
}

/** A command that runs. */
export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ending>;
  #stdout = "";
  #stderr = "";
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(child: ChildProcess) {
    this.child = child;
    const changed = (): void => {
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    };
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      changed();
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
      changed();
    });
    this.ended = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        resolve({ code, signal, stdout: this.#stdout, stderr: this.#stderr });
        changed();
      });
    });
  }

  get output(): string {
    return this.#stdout + this.#stderr;
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Resolves with the first group of the match, as soon as the output has it. */
  async says(pattern: RegExp): Promise<string> {
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match[1] ?? match[0];
      if (this.hasEnded) {
        await this.ended;
        const last = pattern.exec(this.output);
        if (last !== null) return last[1] ?? last[0];
        expect.fail(`it ended without saying ${pattern}:\n${this.output}`);
      }
      await this.#changed.promise;
    }
  }
}

/** See the top of the file. Dispose of it in the end. */
export class Place implements AsyncDisposable {
  readonly folder: string = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-e2e-")));
  readonly project: string = join(this.folder, "project");
  readonly state: string = join(this.folder, "state");
  readonly #running: Running[] = [];

  constructor() {
    if (!existsSync("dist/cli/main.js")) throw new Error("these tests run the built program: npm run build");
    mkdirSync(this.project);
  }

  /** Writes a file of the project. */
  write(path: string, text: string): string {
    const target = join(this.project, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    return target;
  }

  /** Writes a script. @returns the model that plays it */
  script(script: Script, name = "script.json"): string {
    return `scripted:${this.write(name, JSON.stringify(script))}`;
  }

  /** Starts a command in the project. */
  start(words: readonly string[], options: StartOptions = {}): Running {
    const child = spawn(process.execPath, [...(options.nodeFlags ?? []), PROGRAM, ...words], {
      cwd: this.project,
      env: this.environment(options.env),
      stdio: [options.input === undefined ? "ignore" : "pipe", options.stdout ?? "pipe", "pipe"],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    child.stdin?.end(options.input);
    const running = new Running(child);
    this.#running.push(running);
    return running;
  }

  /** Runs a command to its end. */
  run(words: readonly string[], options: StartOptions = {}): Promise<Ending> {
    return this.start(words, options).ended;
  }

  /** Runs a command that must succeed, and parses what it prints as one JSON value. */
  async json(words: readonly string[], options: StartOptions = {}): Promise<JsonObject> {
    const ending = await this.run([...words, "--json"], options);
    expect(ending.code, ending.stdout + ending.stderr).toBe(0);
    return JSON.parse(ending.stdout) as JsonObject;
  }

  /** The events of a session, from the log itself. */
  async events(session: string): Promise<LoggedEvent[]> {
    const id = session as SessionId;
    return this.#look(async (store) => {
      const all: LoggedEvent[] = [];
      for (let isMore = true; isMore; ) {
        const page = await store.getEvents(id, { after: all.length, limit: PAGE });
        for (const { seq, type, body } of page)
          all.push({ id: eventId(id, seq), seq, type, body: body as LoggedEvent["body"] });
        isMore = page.length === PAGE;
      }
      return all;
    });
  }

  /** Waits until the log of a session has such an event. */
  async hasEvent(session: string, type: string): Promise<void> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    await this.#look(async (store) => {
      const found = follow(store, session as SessionId, { after: 0, signal, types: [type] });
      for await (const _ of found) return;
      expect.fail(`there was no ${type} in ${PATIENCE_MS} ms`);
    });
  }

  async #look<Found>(look: (store: Store) => Promise<Found>): Promise<Found> {
    const harness = await openHarness({ stateFolder: this.state });
    try {
      return await look(harness.store);
    } finally {
      await harness.close();
    }
  }

  /** The log must be sound, whatever happened. */
  async expectSound(): Promise<void> {
    const { code, stdout, stderr } = await this.run(["fsck"]);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).not.toContain("BAD");
  }

  /** Only what a command needs: no key of whoever runs the tests gets in. */
  environment(more: StartOptions["env"] = {}): { [name: string]: string | undefined } {
    return {
      PATH: process.env.PATH,
      HOME: this.folder,
      XDG_CONFIG_HOME: join(this.folder, "config"),
      NIGHTSHIFT_STATE: this.state,
      NIGHTSHIFT_SANDBOX: "process",
      NODE_NO_WARNINGS: "1",
      ...more,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running) if (!running.hasEnded) running.child.kill("SIGKILL");
    await Promise.all(this.#running.map((running) => running.ended));
    const folder = join(this.state, "sandboxes", "process");
    const backend = createProcessBackend({ folder });
    for (const name of existsSync(folder) ? readdirSync(folder) : [])
      if (name.startsWith("sbox_")) await backend.destroy(name as SandboxId, undefined);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A JSON object whose fields a test looks at. */
export type JsonObject = { readonly [field: string]: Json };

/** One line of `events --json`. */
export interface LoggedEvent {
  readonly id: string;
  readonly seq: number;
  readonly type: string;
  readonly body: { readonly [field: string]: Json };
}

/** Waits for something that no output tells. */
export async function eventually(isThere: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const limit = performance.now() + PATIENCE_MS;
  while (!(await isThere())) {
    if (performance.now() > limit) expect.fail(`${what} did not happen in ${PATIENCE_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Bodies of the events of one type. */
export function bodiesOf(events: readonly LoggedEvent[], type: string): LoggedEvent["body"][] {
  return events.filter((item) => item.type === type).map(({ body }) => body);
}
