/** Where whole sessions are played: the built program, a scripted agent, and everything that is in the log afterwards. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { EventBody, EventType } from "../../src/core/events/index.ts";
import type { SandboxId } from "../../src/core/ids.ts";
import { removeTree } from "../../src/environment/store.ts";
import { chooseSandbox, createSandboxBackend } from "../../src/runtime/registry.ts";
import { repository, write } from "../support/repositories.ts";
import type { Play } from "./case.ts";
import type { Transcript } from "./stand-ins.ts";

const PROGRAM = resolve("bin/nightshift");
const PLAY_MS_MAX = 600_000;
const KEY_SHOWN = 12;
const OUTCOMES: Readonly<Record<number, string>> = {
  0: "met",
  1: "unmet",
  2: "refused",
  3: "capped",
  4: "review",
};

interface Logged<Type extends EventType> {
  readonly type: Type;
  readonly body: EventBody<Type>;
}

/** What came of a session. */
export interface Played {
  /** Of the command: `met`, `unmet`, `refused`, `capped`, `review`, or `exit N`. */
  readonly outcome: string;
  /** The same of `run`, before anything was approved. */
  readonly firstOutcome: string;
  /** What the command printed. */
  readonly printed: string;
  readonly session: string | null;
  readonly events: readonly Logged<EventType>[];
}

/** How to play it. */
export interface PlayOptions {
  /** Prints the report, too. */
  readonly isReported?: boolean;
  /** Approves the layer that it waits for, and goes on. */
  readonly isApproved?: boolean;
  /** Of the person. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Folders for sessions. Dispose of it in the end. */
export class Stage implements AsyncDisposable {
  readonly backend: string;
  readonly #folder: string = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-stage-")));

  private constructor(backend: string) {
    this.backend = backend;
  }

  /** @param name - of the sandbox backend; by default the best that works here */
  static async open(name?: string): Promise<Stage> {
    if (!existsSync("dist/cli/main.js"))
      throw new Error("sessions are played by the built program: npm run build");
    return new Stage(name ?? (await chooseSandbox(process.env)));
  }

  /** From `run` to its end. */
  async play(
    { project, words, beside = {}, turns, threads = [] }: Play,
    options: PlayOptions = {},
  ): Promise<Played> {
    const folder = mkdtempSync(join(this.#folder, "session-"));
    const place = join(folder, "project");
    repository(place, project.files);
    write(place, beside);
    writeFileSync(join(folder, "worker.json"), JSON.stringify({ turns, threads }));
    const person = { folder, environment: options.environment ?? {} };
    try {
      const command = ["run", "--model", "scripted:../worker.json", "--json", ...words, "make it work"];
      const first = await this.#command(person, command);
      const session = /"session_id":\s*"(\w+)"/.exec(first.stdout)?.[1] ?? null;
      const last =
        session === null || options.isApproved !== true ? first : await this.#approve(person, session);
      const log = session === null ? null : await this.#command(person, ["events", session, "--json"]);
      const isReported = session !== null && options.isReported === true;
      const report = isReported ? await this.#command(person, ["report", session]) : null;
      return {
        outcome: outcomeOf(last),
        firstOutcome: outcomeOf(first),
        printed: [first.stdout, first.stderr, report?.stdout].filter(Boolean).join("\n"),
        session,
        events: eventsOf(log?.stdout ?? ""),
      };
    } finally {
      await this.#clean(folder);
    }
  }

  /** The newest layer that waits for a person. */
  async #approve(person: Person, session: string): Promise<Ending> {
    const { stdout } = await this.#command(person, ["events", session, "--json"]);
    const decided = eventsOf(stdout).findLast((each) => each.type === "environment.decided");
    const { key } = (decided as Logged<"environment.decided"> | undefined)?.body ?? { key: null };
    await this.#command(person, ["approve", session, String(key).slice(0, KEY_SHOWN)]);
    return await this.#command(person, ["resume", session]);
  }

  async #command({ folder, environment }: Person, words: readonly string[]): Promise<Ending> {
    const child = spawn(process.execPath, [PROGRAM, ...words], {
      cwd: join(folder, "project"),
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        XDG_CONFIG_HOME: join(folder, "config"),
        NIGHTSHIFT_STATE: join(folder, "state"),
        NIGHTSHIFT_SANDBOX: this.backend,
        NODE_NO_WARNINGS: "1",
        ...environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: PLAY_MS_MAX,
      killSignal: "SIGKILL",
    });
    const [code, stdout, stderr] = await Promise.all([
      new Promise<number | null>((found, failed) => child.once("error", failed).once("close", found)),
      textOf(child.stdout),
      textOf(child.stderr),
    ]);
    return { code, stdout, stderr };
  }

  /** A parked session may still have its sandbox. */
  async #clean(folder: string): Promise<void> {
    const sandboxes = join(folder, "state", "sandboxes", this.backend);
    const names = existsSync(sandboxes) ? readdirSync(sandboxes) : [];
    const backend = await createSandboxBackend(this.backend, { folder: sandboxes });
    for (const name of names)
      if (name.startsWith("sbox_")) await backend.destroy(name as SandboxId, undefined);
    removeTree(folder);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    removeTree(this.#folder);
  }
}

interface Person {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
}

interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function outcomeOf({ code }: Ending): string {
  return OUTCOMES[code ?? -1] ?? `exit ${code}`;
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of stream.setEncoding("utf8")) pieces.push(String(piece));
  return pieces.join("");
}

function eventsOf(lines: string): readonly Logged<EventType>[] {
  return lines
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Logged<EventType>);
}

/** Bodies of the events of one type. */
export function bodiesOf<Type extends EventType>({ events }: Played, type: Type): readonly EventBody<Type>[] {
  return events.filter((each): each is Logged<Type> => each.type === type).map(({ body }) => body);
}

/** One command of the agent's, and what came of it. */
export interface OwnCommand {
  readonly exitCode: number | null;
  readonly output: string;
}

/** The agent's own runs of a command, in their order. */
export function ownRuns(played: Played, command: string): readonly OwnCommand[] {
  const results = new Map(bodiesOf(played, "agent.tool_result").map((body) => [body.call, body]));
  return bodiesOf(played, "agent.tool_use").flatMap(({ call, name, input }) => {
    const result = results.get(call);
    if (name !== "bash" || (input as { command?: unknown }).command !== command || result === undefined)
      return [];
    return [{ exitCode: result.exit_code, output: wordsOf(result.content) }];
  });
}

/** What there is to read of it. */
export function transcriptOf(played: Played, check: string): Transcript {
  const last = ownRuns(played, check).at(-1);
  const words = bodiesOf(played, "agent.message").map(({ content }) => wordsOf(content));
  return { ownExit: last?.exitCode ?? null, output: last?.output ?? "", words: words.join("\n") };
}

function wordsOf(content: unknown): string {
  const blocks = Array.isArray(content) ? (content as readonly { readonly text?: unknown }[]) : [];
  return blocks.flatMap(({ text }) => (typeof text === "string" ? [text] : [])).join("\n");
}
