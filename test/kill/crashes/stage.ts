/** One session under fire: its folders, the harness that drives it, and what it makes on this machine. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { event, type SessionEvent } from "../../../src/core/events/index.ts";
import type { SessionId } from "../../../src/core/ids.ts";
import { stopEgress } from "../../../src/gateway/egress/start.ts";
import { createSession, newSessionId } from "../../../src/runtime/client.ts";
import { type OpenHarness, openHarness } from "../../../src/runtime/open.ts";
import { sessionConfig } from "../../../src/runtime/session-config.ts";
import { podSweeper } from "../../../src/sandbox/bubblewrap/sweeper.ts";
import { containerSweeper } from "../../../src/sandbox/docker/sweeper.ts";
import { createReaper } from "../../../src/sandbox/reaper/reaper.ts";
import { logOf } from "../checkout/campaign.ts";
import { killHarness } from "../leftovers/scene.ts";
import { Brake } from "./brake.ts";
import { EffectCounter } from "./effects.ts";
import type { Cell } from "./matrix.ts";
import { Project } from "./project.ts";
import { COUNTER_HOST } from "./workload.ts";

/** Programs of pods are large, and the same for all sessions. */
const TOOLS = join(tmpdir(), `nightshift-conformance-tools-${process.getuid?.() ?? 0}`);
const PATIENCE_MS = 240_000;
const LOOK_MS = 2;
const STARTS_MAX = 40;
const HELD_MS = 200;
const SHOWN_EVENTS = 6;

/** What a stage is made of. */
interface Parts {
  readonly cell: Cell;
  readonly root: string;
  readonly counter: EffectCounter;
  readonly project: Project;
  readonly harness: OpenHarness;
}

/** See the top of the file. */
export class Stage implements AsyncDisposable {
  readonly cell: Cell;
  readonly root: string;
  readonly stateFolder: string;
  /** A folder for each sandbox. */
  readonly sandboxes: string;
  readonly brake: Brake;
  readonly counter: EffectCounter;
  readonly project: Project;
  /** Of the one who watches; it drives nothing. */
  readonly harness: OpenHarness;
  /** Names of sandboxes that somebody has seen. */
  readonly #seen = new Set<string>();
  #session: SessionId | undefined;
  #child: ChildProcess | undefined;
  #said = "";
  #complaint = "";

  private constructor({ cell, root, counter, project, harness }: Parts) {
    this.cell = cell;
    this.root = root;
    this.stateFolder = join(root, "state");
    this.sandboxes = join(this.stateFolder, "sandboxes", cell.backend);
    this.brake = new Brake(root);
    this.counter = counter;
    this.project = project;
    this.harness = harness;
  }

  static async open(cell: Cell): Promise<Stage> {
    const root = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-crash-")));
    const stateFolder = join(root, "state");
    for (const folder of [join(stateFolder, "sandboxes"), join(root, "home"), TOOLS])
      mkdirSync(folder, { recursive: true, mode: 0o755 });
    symlinkSync(TOOLS, join(stateFolder, "sandboxes", "tools"));
    const stage = new Stage({
      ...{ cell, root, counter: await EffectCounter.start() },
      project: await Project.make(root, cell.step.startsWith("layer")),
      harness: await openHarness({ stateFolder }),
    });
    await stage.#create();
    return stage;
  }

  get session(): SessionId {
    if (this.#session === undefined) throw new Error("there is no session yet");
    return this.#session;
  }

  /** Starts a harness for the session. */
  start(): void {
    const script = join(import.meta.dirname, "child.ts");
    // As this process was started: on the sources, or on what is built of them.
    const args = [...process.execArgv, script, this.stateFolder, this.session];
    this.#said = "";
    this.#child = spawn(process.execPath, [...args, this.#address], {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        ...this.project.environment,
        HOME: join(this.root, "home"),
        PATH: `${this.brake.shims}:${process.env.PATH}`,
      },
    });
    this.#child.stdout?.on("data", (chunk: Buffer) => (this.#said += chunk.toString()));
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.#complaint += chunk.toString()));
  }

  /** The harness that drives now. */
  get driver(): ChildProcess {
    if (this.#child === undefined) throw new Error("no harness was started");
    return this.#child;
  }

  /** Lets harnesses drive until the session rests. */
  async finish(): Promise<void> {
    for (let start = 1; start <= STARTS_MAX; start++) {
      const { driver } = this;
      if (driver.exitCode === null && driver.signalCode === null)
        await within(once(driver, "close"), "its end");
      if (driver.exitCode !== 0 && driver.signalCode === null)
        throw new Error(`a harness failed with ${driver.exitCode}: ${this.#complaint}`);
      const [, reason, due] = /^rest (\w*) ?(\d*)$/m.exec(this.#said) ?? [];
      if (reason === "end_turn" && due === "") return;
      if (reason !== undefined && due === "") throw new Error(`it rests because of ${reason}`);
      if (due !== undefined) await sleep(Math.max(0, Number(due) - Date.now()));
      else if (this.#said !== "") await sleep(HELD_MS);
      this.start();
    }
    throw new Error(`it did not come to rest in ${STARTS_MAX} starts`);
  }

  log(): Promise<SessionEvent[]> {
    return logOf(this.harness, this.session);
  }

  async until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await isTrue())) {
      const { driver } = this;
      if (driver.exitCode !== null)
        throw new Error(`${what}: the harness has ended before: ${this.#complaint}`);
      if (performance.now() > deadline) {
        const types = (await this.log()).slice(-SHOWN_EVENTS).map(({ type }) => type);
        throw new Error(`${what}: not within ${PATIENCE_MS} ms; the log ends with ${types.join(", ")}`);
      }
      await sleep(LOOK_MS);
    }
  }

  /** Folders of the sandboxes that there are now. */
  sandboxFolders(): string[] {
    const names = existsSync(this.sandboxes) ? readdirSync(this.sandboxes) : [];
    const found = names.filter((name) => name.startsWith("sbox_"));
    for (const name of found) this.#seen.add(name);
    return found.map((name) => join(this.sandboxes, name));
  }

  /** Folders of all sandboxes that there ever were, as far as anybody saw them. */
  formerFolders(): string[] {
    return [...this.#seen].map((name) => join(this.sandboxes, name));
  }

  /** Of the proxies that the session may have: of its commands, and of its set-up. */
  egressFolders(): string[] {
    return ["", ".set-up"].map((ending) => join(this.stateFolder, "egress", `${this.session}${ending}`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child !== undefined) await killHarness(this.#child);
    this.brake.release();
    await this.#end();
    this.project.close();
    this.counter.close();
    await this.harness.close();
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Whatever a failure has left. */
  async #end(): Promise<void> {
    const reaper = createReaper(this.sandboxes, [podSweeper, containerSweeper]);
    for (const leftover of await reaper.findLeftovers(() => false)) await reaper.removeLeftover(leftover);
    for (const folder of this.egressFolders()) await stopEgress(folder);
  }

  async #create(): Promise<void> {
    const { harness, cell } = this;
    const sessionId = newSessionId(harness);
    const workspaces = await harness.workspaces();
    const copies = cell.backend === "process";
    const options = { dirty: "refuse", atMs: harness.clock.wallMs(), copies } as const;
    const { base } = await workspaces.prepare(
      sessionId,
      this.project.folder,
      options,
      new AbortController().signal,
    );
    const host = { name: "counter", host: COUNTER_HOST, port: this.counter.port, addresses: ["127.0.0.1"] };
    const config = sessionConfig({
      ...{ model: "scripted:crash", workspace: this.project.folder, sandbox: cell.backend, base },
      ...(cell.backend !== "process" && { network: [host] }),
      ...(this.project.registry !== undefined && { setup: ["npm", "test"] }),
      policy: { sandbox_grace_ms: 0, checkpoint_calls: 1, no_contact_ms: 60_000 },
    });
    const question = event("user.message", { content: [{ type: "text", text: "Begin." }] });
    this.#session = await createSession(harness, config, [question], sessionId);
  }

  get #address(): string {
    const name = this.cell.backend === "process" ? "127.0.0.1" : COUNTER_HOST;
    return `http://${name}:${this.counter.port}`;
  }
}

async function within<Answer>(work: Promise<Answer>, what: string): Promise<Answer> {
  const patience = new AbortController();
  const limit = sleep(PATIENCE_MS, undefined, { signal: patience.signal }).then(() => {
    throw new Error(`${what}: not within ${PATIENCE_MS} ms`);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    patience.abort();
    limit.catch(() => undefined);
  }
}
