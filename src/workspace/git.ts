/**
 * Runs git, and nothing of what it can be configured to run: no hooks, no file system monitor, no filters, no
 * network, no configuration but a repository's own file and what is given here. Callers pass repositories of ours,
 * or read settings of the user's with {@link Git.readUser}, in ways that execute nothing.
 */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { messageOf, NightshiftError } from "../core/errors.ts";

const OUTPUT_BYTES_MAX = 512 * 2 ** 20;
const MESSAGE_LENGTH_MAX = 2_000;

/** Beats every setting that a repository's own file may hold. */
const SETTINGS: readonly string[] = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.untrackedCache=false",
  "core.attributesFile=/dev/null",
  "core.excludesFile=/dev/null",
  "core.sshCommand=false",
  "core.alternateRefsCommand=true",
  "core.autocrlf=false",
  "core.quotePath=false",
  "core.fsync=all",
  "core.fsyncMethod=fsync",
  "credential.helper=",
  "fastimport.unpackLimit=0",
  "gc.auto=0",
  "maintenance.auto=false",
  "protocol.allow=never",
  "safe.directory=*",
  "submodule.recurse=false",
  "transfer.fsckObjects=true",
];

/** Of {@link SETTINGS}, what keeps a commit from running anything. */
const LANDING_SETTINGS: readonly string[] = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "submodule.recurse=false",
  "safe.directory=*",
];

/** Where one run of git works. */
export interface GitPlace {
  /** The repository itself, `…/.git` or bare. */
  readonly gitFolder?: string;
  readonly workTree?: string;
  readonly index?: string;
  /** Where to run; absolute. */
  readonly folder?: string;
  /** More settings, as `name=value`. */
  readonly settings?: readonly string[];
}

/** How one run goes. */
export interface GitRun {
  /** May still be in the making when git starts; when it fails, git is ended and the run fails with it. */
  readonly input?: string | Buffer | Promise<string>;
  readonly bytesMax?: number;
  /** Endings that are answers and not failures. */
  readonly exitCodes?: readonly number[];
}

/** What a run of git has said. */
export interface GitAnswer {
  readonly exitCode: number;
  readonly output: Buffer;
}

/** Git, found in the `PATH` given. */
export class Git {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #timeout: number;

  constructor(environment: Readonly<Record<string, string | undefined>>, timeoutMs: number) {
    this.#environment = environment;
    this.#timeout = timeoutMs;
  }

  /** The environment of programs that see nothing of the user's settings. */
  get cleanEnvironment(): Record<string, string> {
    return { PATH: this.#environment.PATH ?? "/usr/bin:/bin", LC_ALL: "C" };
  }

  /** A file in the user's folder of settings; undefined when nothing says where that is. */
  userFile(name: string): string | undefined {
    const { HOME, XDG_CONFIG_HOME } = this.#environment;
    if (XDG_CONFIG_HOME) return join(XDG_CONFIG_HOME, name);
    return HOME ? join(HOME, ".config", name) : undefined;
  }

  /** Output as text, without the last line end. */
  async text(
    place: GitPlace,
    words: readonly string[],
    signal: AbortSignal,
    run: GitRun = {},
  ): Promise<string> {
    const { output } = await this.run(place, words, signal, run);
    return output.toString("utf8").replace(/\n$/, "");
  }

  /** Runs it to its end. */
  async run(
    place: GitPlace,
    words: readonly string[],
    signal: AbortSignal,
    run: GitRun = {},
  ): Promise<GitAnswer> {
    return this.#execute(place, words, this.#environmentOf(place), signal, run);
  }

  /** Reads what the user has set up, for commands that execute nothing and write nothing: `rev-parse`, `config`. */
  async readUser(folder: string, words: readonly string[], signal: AbortSignal): Promise<GitAnswer> {
    const { HOME, XDG_CONFIG_HOME } = this.#environment;
    const own = { ...this.#environmentOf({}), GIT_CONFIG_GLOBAL: undefined, GIT_CONFIG_NOSYSTEM: undefined };
    const environment = { ...own, HOME, XDG_CONFIG_HOME };
    return this.#execute({ folder }, words, environment, signal, { exitCodes: [0, 1, 128] }, [
      "safe.directory=*",
    ]);
  }

  /**
   * Moves what is checked out in a working tree of the user's to a commit that comes after it. The one run that changes
   * something there: with their settings, for the files are theirs, but without hooks, of which the commit may have some.
   */
  async fastForward(folder: string, commit: string, signal: AbortSignal): Promise<void> {
    const { HOME, XDG_CONFIG_HOME } = this.#environment;
    const own = { ...this.#environmentOf({}), GIT_CONFIG_GLOBAL: undefined, GIT_CONFIG_NOSYSTEM: undefined };
    const environment = { ...own, GIT_OPTIONAL_LOCKS: undefined, HOME, XDG_CONFIG_HOME };
    const words = [
      "merge",
      "--ff-only",
      "--no-stat",
      "--no-autostash",
      "--no-verify-signatures",
      "-q",
      commit,
    ];
    await this.#execute({ folder }, words, environment, signal, {}, LANDING_SETTINGS);
  }

  /** Starts a run that is talked to; the caller ends it. */
  start(place: GitPlace, words: readonly string[]): ChildProcessWithoutNullStreams {
    return spawn("git", [...settingsOf(place), ...words], {
      cwd: place.folder ?? "/",
      env: this.#environmentOf(place),
      stdio: "pipe",
      timeout: this.#timeout,
    });
  }

  /** What {@link Git.start} would run, for a helper that starts it elsewhere. */
  commandOf(place: GitPlace, words: readonly string[]): { words: string[]; environment: NodeJS.ProcessEnv } {
    return { words: ["git", ...settingsOf(place), ...words], environment: this.#environmentOf(place) };
  }

  #environmentOf(place: GitPlace): NodeJS.ProcessEnv {
    return {
      ...this.cleanEnvironment,
      GIT_ALLOW_PROTOCOL: "none",
      GIT_ATTR_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_NO_REPLACE_OBJECTS: "1",
      GIT_OPTIONAL_LOCKS: "0",
      GIT_TERMINAL_PROMPT: "0",
      GIT_DIR: place.gitFolder,
      GIT_WORK_TREE: place.workTree,
      GIT_INDEX_FILE: place.index,
    };
  }

  #execute(
    place: GitPlace,
    words: readonly string[],
    environment: NodeJS.ProcessEnv,
    signal: AbortSignal,
    run: GitRun,
    settings?: readonly string[],
  ): Promise<GitAnswer> {
    const all = settings === undefined ? settingsOf(place) : settings.flatMap((each) => ["-c", each]);
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const options = {
        cwd: place.folder ?? "/",
        env: environment,
        encoding: "buffer",
        maxBuffer: run.bytesMax ?? OUTPUT_BYTES_MAX,
        timeout: this.#timeout,
        signal,
      } as const;
      const child = execFile("git", [...all, ...words], options, (error, output, problems) => {
        const exitCode = error === null ? 0 : error.code;
        if (signal.aborted) reject(signal.reason);
        else if (typeof exitCode === "number" && (run.exitCodes ?? [0]).includes(exitCode)) {
          resolve({ exitCode, output });
        } else reject(gitFailure(words, error, problems.toString("utf8")));
      });
      // Git may end without having read everything; its exit code says how that went.
      child.stdin?.on("error", () => {});
      const give = (input: string | Buffer): void => void child.stdin?.end(input);
      Promise.resolve(run.input ?? "").then(give, (error: unknown) => {
        child.kill("SIGKILL");
        reject(error);
      });
    });
  }
}

function settingsOf(place: GitPlace): string[] {
  return [...SETTINGS, ...(place.settings ?? [])].flatMap((each) => ["-c", each]);
}

/** A failure of git itself, in its own words. */
export function gitFailure(words: readonly string[], error: unknown, problems: string): NightshiftError {
  const isMissing = (error as NodeJS.ErrnoException | null)?.code === "ENOENT";
  const said = problems.trim().slice(0, MESSAGE_LENGTH_MAX) || messageOf(error).slice(0, MESSAGE_LENGTH_MAX);
  return new NightshiftError(
    "E_WORKSPACE_GIT",
    isMissing ? "git is not installed, or not in the PATH" : `git ${words[0]} failed: ${said}`,
    { cause: error, ...(isMissing ? { hint: "Install git 2.39 or newer." } : {}) },
  );
}

/** Splits output of `-z`. */
export function splitNul(output: Buffer): string[] {
  return output.toString("latin1").split("\0").slice(0, -1);
}
