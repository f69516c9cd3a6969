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
  if (!isAsked()) return false;
  // Not a terminal of its own: Ctrl-C has to stay a signal.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  const ended = new Promise<null>((done) => lines.once("close", () => done(null)));
  const options = signal === undefined ? {} : { signal };
  try {
    const choices = standard === "yes" ? "[Y/n]" : "[y/N]";
    const answer = await Promise.race([lines.question(`${question} ${choices} `, options), ended]);
    if (answer?.trim() === "") return standard === "yes";
    return answer !== null && /^\s*y(es)?\s*$/i.test(answer);
  } finally {
    lines.close();
    await output.flush();
  }
}
