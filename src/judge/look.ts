/** The judge's hands: three operations that change nothing, in a sandbox in which nothing else happens. */
import { isNightshiftError } from "../core/errors.ts";
import type { ExecId } from "../core/ids.ts";
import type { Json } from "../core/text.ts";
import type { Sandbox } from "../sandbox/contract.ts";
import { builtinTools } from "../tool/builtin.ts";
import type { Tool } from "../tool/contract.ts";

/** Longest time for one look. */
const WALL_MS = 60_000;

const READING: ReadonlySet<string> = new Set(["read", "glob", "grep"]);

/**
 * Tools that only look. There is no shell among them: it could run code of the candidate, which could change the very
 * files that quotes are compared with.
 */
export const LOOKING_TOOLS: readonly Tool[] = builtinTools().filter(({ operation }) =>
  READING.has(operation),
);

/** What was seen. */
export interface Seen {
  readonly text: string;
  readonly isError: boolean;
}

/** Runs looks, each once. */
export class Look {
  readonly #sandbox: Sandbox;
  readonly #name: string;
  #count = 0;

  /** @param name - unique; the executions are named after it */
  constructor(sandbox: Sandbox, name: string) {
    this.#sandbox = sandbox;
    this.#name = name;
  }

  /** @throws NightshiftError `E_SANDBOX_LOST`, `E_SANDBOX_STALE`; what the signal aborts with */
  async run(name: string, input: Json, outputBytes: number, signal: AbortSignal): Promise<Seen> {
    const tool = LOOKING_TOOLS.find((candidate) => candidate.name === name);
    if (tool === undefined || tool.operation === "session")
      return { text: `There is no tool "${name}".`, isError: true };
    const problem = tool.check(input);
    if (problem !== undefined) return { text: problem, isError: true };
    const { operation } = tool;
    this.#count += 1;
    try {
      const reply = await this.#sandbox.execute(
        {
          execId: `${this.#name}/${this.#count}` as ExecId,
          incarnation: this.#sandbox.incarnation,
          operation,
          input,
          limits: { wallMs: WALL_MS, outputBytes },
        },
        { signal },
      );
      if (reply.status !== "finished") return { text: "The look could not be finished.", isError: true };
      const { ending, exitCode, output } = reply.result;
      const isError = ending !== "exited" || exitCode !== 0;
      return { text: output === "" ? `(${isError ? ending : "no output"})` : output, isError };
    } catch (error) {
      // What a daemon cannot note down it does not begin.
      if (!isNightshiftError(error, "E_SANDBOX_UNAVAILABLE")) throw error;
      return { text: error.message, isError: true };
    }
  }
}
