/**
 * The command worker: any program, a fresh process for each attempt. It is told what to do, watched, and ended together
 * with everything that it has started. What it prints and how it exits is kept, and decides nothing.
 */
import { hash } from "node:crypto";
import type { CommandAgent } from "../core/command/state.ts";
import type { ExecReply, ExecRequest, ExecResult } from "../sandbox/contract.ts";
import type { AttemptOutcome, AttemptRun, ProgramWorker } from "./contract.ts";
import { PROMPT_WORD } from "./known-agents.ts";

/** Kept of what a program prints. */
const ATTEMPT_OUTPUT_BYTES = 256 * 1024;
/** With the shell's quoting it must stay below what Linux takes as one argument. */
const COMMAND_BYTES_MAX = 131_000;

/** The worker that runs programs. */
export function createCommandWorker(): ProgramWorker {
  return {
    kind: "command",
    async attempt(sandbox, run) {
      const { signal, onOutput, execId } = run;
      const reply = await sandbox.execute(requestOf(run), { signal, onOutput });
      // A program that has exited may have left some behind, which would work on beside the next one.
      await sandbox.cancel(execId);
      return outcomeOf(reply);
    },
  };
}

/** What the daemon is asked for: the same for the same attempt, whoever asks. */
function requestOf({ execId, incarnation, agent, prompt, attempt }: AttemptRun): ExecRequest {
  return {
    execId,
    incarnation,
    operation: "shell",
    input: { command: commandOf(agent, prompt, attempt) },
    limits: { wallMs: agent.wall_ms, outputBytes: ATTEMPT_OUTPUT_BYTES },
  };
}

/** A home of its own for each attempt: what one leaves there, the next does not remember. */
function commandOf(agent: CommandAgent, prompt: string, attempt: number): string {
  const home = `HOME="$HOME/attempt-${attempt}"; export HOME; mkdir -p "$HOME"`;
  const text = fitting(prompt, agent);
  if (agent.prompt === "argument") {
    const words = agent.argv.map((word) => quoted(word.replaceAll(PROMPT_WORD, () => text)));
    return `${home}; exec ${words.join(" ")}`;
  }
  const end = `END_OF_PROMPT_${hash("sha256", text, "hex").slice(0, 16)}`;
  return `${home}; exec ${agent.argv.map(quoted).join(" ")} <<'${end}'\n${text}\n${end}\n`;
}

/** A prompt that is too long loses its end, which is where the least important things are. */
function fitting(prompt: string, { argv, prompt: way }: CommandAgent): string {
  const rest = argv.reduce((sum, word) => sum + Buffer.byteLength(quoted(word)) + 1, 512);
  const places = way === "stdin" ? 1 : argv.filter((word) => word.includes(PROMPT_WORD)).length;
  const room = Math.max(0, Math.floor((COMMAND_BYTES_MAX - rest) / Math.max(1, places)));
  const size = (text: string): number => Buffer.byteLength(way === "stdin" ? text : quoted(text));
  let text = prompt.replaceAll("\0", "");
  while (size(text) > room) text = text.slice(0, Math.floor(text.length * Math.min(0.95, room / size(text))));
  return text;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function outcomeOf(reply: ExecReply): AttemptOutcome {
  if (reply.status === "finished") return resultOf(reply.result);
  const reason = reply.status === "unknown" ? reply.reason : "the sandbox was replaced before it began";
  return { ending: "lost", exit_code: null, duration_ms: 0, output: reason };
}

function resultOf({ ending, exitCode, output, droppedBytes, durationMs }: ExecResult): AttemptOutcome {
  const dropped = droppedBytes === 0 ? "" : `\n[${droppedBytes} bytes of the output were not kept]`;
  return {
    ending: endingOf(ending, exitCode),
    exit_code: exitCode,
    duration_ms: durationMs,
    output: output + dropped,
  };
}

function endingOf(ending: ExecResult["ending"], exitCode: number | null): AttemptOutcome["ending"] {
  switch (ending) {
    case "exited":
      return exitCode === null ? "killed" : "exited";
    case "timed_out":
      return "timed_out";
    case "cancelled":
      return "stopped";
    case "out_of_memory":
      return "killed";
    case "refused":
      return "refused";
  }
}
