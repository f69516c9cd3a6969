/** Yes or no, asked of whoever sits at the terminal. */
import { createInterface } from "node:readline/promises";
import type { Output } from "./output.ts";

/** Is somebody there to ask? */
export function isAsked(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * False where nobody is there to ask, and for anything but yes.
 * @param standard - what an empty line means: for a question about what was just asked for, it may be yes
 */
export async function isAgreed(
  output: Output,
  question: string,
  signal?: AbortSignal,
  standard: "yes" | "no" = "no",
): Promise<boolean> {
  const choices = standard === "yes" ? "[Y/n]" : "[y/N]";
  const said = await answerTo(output, `${question} ${choices} `, signal);
  if (said === "") return standard === "yes";
  return said === "y" || said === "yes";
}

/** What they say, trimmed and in lower case; null where nobody is there to ask, and where they leave. */
export async function answerTo(
  output: Output,
  question: string,
  signal?: AbortSignal,
): Promise<string | null> {
  if (!isAsked()) return null;
  // Not a terminal of its own: Ctrl-C has to stay a signal.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  const ended = new Promise<null>((done) => lines.once("close", () => done(null)));
  const options = signal === undefined ? {} : { signal };
  try {
    const answer = await Promise.race([lines.question(question, options), ended]);
    return answer?.trim().toLowerCase() ?? null;
  } finally {
    lines.close();
    await output.flush();
  }
}
