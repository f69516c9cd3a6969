/** The demonstration itself: two kills, two recoveries, and the evidence. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NightshiftError } from "../../core/errors.ts";
import type { SessionEvent } from "../../core/events/index.ts";
import type { SessionId } from "../../core/ids.ts";
import type { Environment } from "../../runtime/config.ts";
import { loadState } from "../../runtime/load.ts";
import { type OpenHarness, openHarness } from "../../runtime/open.ts";
import { type ModelServer, startModelServer } from "../../runtime/registry.ts";
import { follow } from "../../store/follow.ts";
import { type Ending, HarnessProcess } from "./harness-process.ts";
import { writeProject } from "./project.ts";
import { DEMO_PROMPT, demoScript, EXPLAINING_TURN, SENDING_TURN } from "./script.ts";

/** Longest wait for anything in the story. */
const PATIENCE_MS = 45_000;
/** How far into the slow answer the second kill comes. */
const INTO_ANSWER_MS = 700;
const POLL_MS = 20;

/** What the story is told with. */
export interface StoryParts {
  /** An empty folder for everything. */
  readonly folder: string;
  readonly environment: Environment;
  readonly say: (...lines: readonly string[]) => void;
  /** Lines of the processes that are started. */
  readonly quote: (line: string) => void;
  /** Columns that a quoted line may take. */
  readonly width: number;
  readonly signal: AbortSignal;
}

/** One thing that was promised, and whether it held. */
export interface Evidence {
  readonly claim: string;
  readonly holds: boolean;
  readonly seen: string;
}

/** Tells it once. Dispose of it in the end, whatever happened. */
export class Story implements AsyncDisposable {
  readonly #parts: StoryParts;
  readonly #harness: OpenHarness;
  readonly #server: ModelServer;
  readonly #processes: HarnessProcess[] = [];

  private constructor(parts: StoryParts, harness: OpenHarness, server: ModelServer) {
    this.#parts = parts;
    this.#harness = harness;
    this.#server = server;
  }

  /** Writes the project and starts the scripted model behind an HTTP port, so that the real adapter talks to it. */
  static async begin(parts: StoryParts): Promise<Story> {
    mkdirSync(join(parts.folder, "project"));
    writeProject(join(parts.folder, "project"));
    const harness = await openHarness({ stateFolder: join(parts.folder, "state"), environment: {} });
    const server = await startModelServer(demoScript(join(parts.folder, "outbox.txt")), harness.clock);
    return new Story(parts, harness, server);
  }

  /** Flags that find the state folder. */
  get place(): readonly string[] {
    return ["--state", join(this.#parts.folder, "state")];
  }

  get #project(): string {
    return join(this.#parts.folder, "project");
  }

  /** @returns the evidence */
  async tell(): Promise<readonly Evidence[]> {
    const { say } = this.#parts;
    say("", "1. A project with a failing test, and an agent that is to fix it.");
    const before = this.#runTests();
    say(`   its tests now: ${before}`, "");
    const first = this.#start("run", "--model", "anthropic:demo", ...this.#address, DEMO_PROMPT);
    const sessionId = await this.#sessionId();
    await this.#until(sessionId, first, () => this.#isSending(sessionId));
    await this.#kill(first);
    say("", `2. kill -9 of process ${first.pid}, in the middle of sending the invoice.`);
    say("   The command goes on in its sandbox. Another process takes the session over:", "");
    const second = this.#start("resume", sessionId);
    await this.#until(sessionId, second, () => this.#isExplaining());
    await this.#harness.clock.sleep(INTO_ANSWER_MS, this.#parts.signal);
    const openRequests = this.#server.openRequests;
    await this.#kill(second);
    say("", `3. kill -9 of process ${second.pid}, in the middle of the model's answer.`);
    say("   A third process asks again:", "");
    const third = this.#start("resume", sessionId);
    const ending = await this.#within(third.ended);
    say("", "4. What the log and the world outside say:");
    return this.#evidence(sessionId, { before, openRequests, ending });
  }

  get #address(): readonly string[] {
    return ["--base-url", `${this.#server.url}/v1`, "-C", this.#project];
  }

  #start(...words: readonly string[]): HarnessProcess {
    const { environment, quote, folder, width } = this.#parts;
    const own = {
      ANTHROPIC_API_KEY: "scripted",
      XDG_CONFIG_HOME: folder,
      NIGHTSHIFT_MODEL: undefined,
      NIGHTSHIFT_SANDBOX: "process",
      COLUMNS: String(width),
    };
    const started = new HarnessProcess([...words, ...this.place], { ...environment, ...own }, quote);
    this.#processes.push(started);
    return started;
  }

  async #kill(victim: HarnessProcess): Promise<void> {
    victim.kill();
    const { signal, output } = await this.#within(victim.ended);
    if (signal !== "SIGKILL") throw storyError(`process ${victim.pid} ended before it was killed`, output);
  }

  async #sessionId(): Promise<SessionId> {
    for (;;) {
      const [newest] = await this.#harness.store.listSessions({ limit: 1 });
      if (newest !== undefined) return newest.sessionId;
      await this.#pause();
      await this.#checkAlive();
    }
  }

  /** Waits for a moment while that process works. */
  async #until(
    sessionId: SessionId,
    worker: HarnessProcess,
    isThere: () => boolean | Promise<boolean>,
  ): Promise<void> {
    const limit = this.#harness.clock.monotonicMs() + PATIENCE_MS;
    while (!(await isThere())) {
      await this.#checkAlive(worker);
      if (this.#harness.clock.monotonicMs() > limit)
        throw storyError(`${sessionId} did not get there in ${PATIENCE_MS / 1000} s`, "");
      await this.#pause();
    }
  }

  async #checkAlive(worker = this.#processes.at(-1)): Promise<void> {
    const ending = await Promise.race([worker?.ended, Promise.resolve(undefined)]);
    if (ending !== undefined) throw storyError(`process ${worker?.pid} ended too early`, ending.output);
  }

  async #isSending(sessionId: SessionId): Promise<boolean> {
    const state = await loadState(this.#harness.store, sessionId);
    const isRunning = state.calls.some((call) => call.status === "started");
    return state.requests === SENDING_TURN + 1 && isRunning && this.#outbox().length > 0;
  }

  #isExplaining(): boolean {
    return this.#server.requests.some(({ turnIndex }) => turnIndex === EXPLAINING_TURN);
  }

  #outbox(): string[] {
    try {
      const text = readFileSync(join(this.#parts.folder, "outbox.txt"), "utf8");
      return text.split("\n").filter((line) => line !== "");
    } catch {
      return [];
    }
  }

  /** In a process of its own and outside of the sandbox. @returns `2 pass, 1 fail` */
  #runTests(): string {
    const { environment } = this.#parts;
    const run = spawnSync(process.execPath, ["--test", "--test-reporter=tap"], {
      cwd: this.#project,
      env: { ...environment, NODE_TEST_CONTEXT: undefined },
      encoding: "utf8",
      timeout: PATIENCE_MS,
    });
    const count = (word: string): string =>
      new RegExp(`^# ${word} (\\d+)$`, "m").exec(run.stdout)?.[1] ?? "?";
    return `${count("pass")} pass, ${count("fail")} fail`;
  }

  async #evidence(
    sessionId: SessionId,
    seen: { readonly before: string; readonly openRequests: number; readonly ending: Ending },
  ): Promise<Evidence[]> {
    const events = await this.#readLog(sessionId);
    const epochs = events.filter((item) => item.type === "harness.woke").length;
    const lost = events.filter(
      (item) => item.type === "span.model_request_end" && item.body.outcome === "lost",
    );
    const runs = events.filter((item) => item.type === "tool.started").map((item) => item.body.call);
    const sent = this.#outbox().length;
    const fsck = await this.#within(this.#start("fsck", sessionId).ended);
    const tests = this.#runTests();
    const repeated = runs.length - new Set(runs).size;
    return [
      {
        claim: "the session came to its end",
        holds: seen.ending.exitCode === 0,
        seen: `exit code ${seen.ending.exitCode}`,
      },
      {
        claim: "the invoice was sent once",
        holds: sent === 1,
        seen: `${sent} line in the outbox, ${repeated} repeats`,
      },
      { claim: "three processes drove it in turn", holds: epochs === 3, seen: `${epochs} epochs` },
      {
        claim: "the cut-off answer is on record",
        holds: lost.length === 1 && seen.openRequests === 1,
        seen: `${lost.length} request lost, asked again`,
      },
      {
        claim: "the log is whole",
        holds: fsck.exitCode === 0,
        seen: fsck.exitCode === 0 ? `fsck: ${events.length} events, no problem` : "fsck found problems",
      },
      { claim: "the tests pass", holds: tests === "3 pass, 0 fail", seen: `${seen.before} -> ${tests}` },
    ];
  }

  async #readLog(sessionId: SessionId): Promise<SessionEvent[]> {
    const record = await this.#harness.store.getSession(sessionId);
    const events: SessionEvent[] = [];
    const { signal } = this.#parts;
    for await (const item of follow(this.#harness.store, sessionId, { after: 0, signal })) {
      events.push(item);
      if (item.seq >= (record?.seq ?? 0)) break;
    }
    return events;
  }

  async #pause(): Promise<void> {
    await this.#harness.clock.sleep(POLL_MS, this.#parts.signal);
  }

  async #within<T>(work: Promise<T>): Promise<T> {
    const timer = new AbortController();
    const { signal } = this.#parts;
    const limit = this.#harness.clock.sleep(PATIENCE_MS, AbortSignal.any([timer.signal, signal])).then(() => {
      throw storyError(`a process did not end in ${PATIENCE_MS / 1000} s`, "");
    });
    try {
      return await Promise.race([work, limit]);
    } finally {
      timer.abort();
      await limit.catch(() => undefined);
    }
  }

  /** Ends every process that was started, the sandbox of the session included. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const started of this.#processes) started.kill();
    await Promise.all(this.#processes.map((started) => started.ended.catch(() => undefined)));
    const { store } = this.#harness;
    for (const { sessionId } of await store.listSessions({ limit: 10 })) {
      const { sandbox } = await loadState(store, sessionId);
      const backend = sandbox === null ? undefined : await this.#harness.sandboxBackend(sandbox.backend);
      if (sandbox !== null) await backend?.destroy(sandbox.id, sandbox.handle ?? undefined);
    }
    await this.#server.close();
    await this.#harness.close();
  }
}

function storyError(message: string, output: string): NightshiftError {
  const said = output === "" ? "" : `; it said: ${output.trim().slice(-2000)}`;
  return new NightshiftError("E_INTERNAL", `the demonstration failed: ${message}${said}`);
}
