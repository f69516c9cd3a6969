/** Yes or no, asked of whoever sits at the terminal. */
import { createInterface } from "node:readline/promises";
import type { Output } from "./output.ts";

/** False where nobody is there to ask, and for anything but yes. */
export async function isAgreed(output: Output, question: string, signal?: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
  // Not a terminal of its own: Ctrl-C has to stay a signal.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  const ended = new Promise<string>((done) => lines.once("close", () => done("")));
  const options = signal === undefined ? {} : { signal };
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `, options), ended]);
    return /^\s*y(es)?\s*$/i.test(answer);
  } finally {
    lines.close();
    await output.flush();
  }
}
