/** The demonstration itself: false claims, two kills, a question, a deleted test, and the evidence. */
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
import { EXIT } from "../exit-codes.ts";
import { type Evidence, evidenceOf } from "./evidence.ts";
import { type Ending, HarnessProcess } from "./harness-process.ts";
import { isUntouched, writeProject } from "./project.ts";
import {
  DEMO_ANSWER,
  DEMO_CHECKS,
  DEMO_DENIAL,
  DEMO_PROMPT,
  demoScript,
  EXPLAINING_TURN,
  SENDING_TURN,
} from "./script.ts";

/** Longest wait for anything in the story. */
const PATIENCE_MS = 45_000;
/** How far into the slow answer the second kill comes. */
const INTO_ANSWER_MS = 700;
const POLL_MS = 20;
const UNISOLATED = "process";
/** One that begins, two that take over after a kill, two that go on after a person. */
const DRIVERS = 5;

/** What the story is told with. */
export interface StoryParts {
  /** An empty folder for everything. */
  readonly folder: string;
  readonly environment: Environment;
  /** Where commands run. */
  readonly sandbox: string;
  readonly say: (...lines: readonly string[]) => void;
  /** Lines of the processes that are started. */
  readonly quote: (line: string) => void;
  /** Columns that a quoted line may take. */
  readonly width: number;
  readonly signal: AbortSignal;
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
    const { folder, environment } = parts;
    mkdirSync(join(folder, "project"));
    mkdirSync(join(folder, "outbox"));
    writeProject(join(folder, "project"), environment);
    const harness = await openHarness({ stateFolder: join(folder, "state"), environment: {} });
    const server = await startModelServer(demoScript(join(folder, "outbox", "sent.txt")), harness.clock);
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
    say("", "1. A project with two failing tests, an agent, and what “done” means:");
    for (const check of DEMO_CHECKS) say(`   ${check}`);
    say("   First it claims to be done; the harness looks for itself.", "");
    const first = this.#start("run", ...this.#how, DEMO_PROMPT);
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
    say("   A third one asks again. The first goal is met; the next has an empty context:", "");
    await this.#rests(sessionId, EXIT.person);
    say("", "4. The agent has asked something. Nothing runs until somebody answers:", "");
    await this.#says("answer", sessionId, DEMO_ANSWER);
    await this.#rests(sessionId, EXIT.person);
    say("", "5. The tests pass because the agent has deleted one. A person has to look:", "");
    await this.#says("inbox", sessionId);
    await this.#says("deny", sessionId, "all", "--reason", DEMO_DENIAL);
    const last = await this.#rests(sessionId, EXIT.ok);
    say("", "6. The report of the morning:", "");
    await this.#says("report", sessionId);
    say("", "7. What the log and the world outside say:");
    return await this.#evidence(sessionId, openRequests, last);
  }

  /** A person drives it until it rests in this way. */
  async #rests(sessionId: SessionId, exitCode: number): Promise<Ending> {
    const ending = await this.#within(this.#start("resume", sessionId).ended);
    if (ending.exitCode !== exitCode)
      throw storyError(`it rests with ${ending.exitCode} and not with ${exitCode}`, ending.output);
    return ending;
  }

  /** A command that drives nothing. */
  async #says(...words: readonly string[]): Promise<void> {
    const { exitCode, output } = await this.#within(this.#start(...words).ended);
    if (exitCode !== EXIT.ok) throw storyError(`nightshift ${words[0]} ended with ${exitCode}`, output);
  }

  /** Outside of a sandbox there is nothing to be mounted. */
  get #how(): readonly string[] {
    const { sandbox, folder } = this.#parts;
    const outbox = join(folder, "outbox");
    return [
      ...["--model", "anthropic:demo", "--base-url", `${this.#server.url}/v1`, "-C", this.#project],
      ...["--sandbox", sandbox, ...(sandbox === UNISOLATED ? [] : ["--mount", `${outbox}:${outbox}:rw`])],
      ...DEMO_CHECKS.flatMap((check) => ["--check", check]),
    ];
  }

  #start(...words: readonly string[]): HarnessProcess {
    const { environment, quote, folder, width } = this.#parts;
    const own = {
      ANTHROPIC_API_KEY: "scripted",
      XDG_CONFIG_HOME: folder,
      NIGHTSHIFT_MODEL: undefined,
      NIGHTSHIFT_SANDBOX: undefined,
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
      const text = readFileSync(join(this.#parts.folder, "outbox", "sent.txt"), "utf8");
      return text.split("\n").filter((line) => line !== "");
    } catch {
      return [];
    }
  }

  async #evidence(sessionId: SessionId, openRequests: number, last: Ending): Promise<readonly Evidence[]> {
    const fsck = await this.#within(this.#start("fsck", sessionId).ended);
    return evidenceOf(await this.#readLog(sessionId), {
      sent: this.#outbox().length,
      drivers: DRIVERS,
      openRequests,
      lastExitCode: last.exitCode,
      fsckExitCode: fsck.exitCode,
      isUntouched: isUntouched(this.#project, this.#parts.environment),
    });
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
