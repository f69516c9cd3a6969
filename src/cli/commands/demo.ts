/** `demo`: the first five minutes on a small real project. Offline, without a key, and leaves nothing behind. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isNightshiftError } from "../../core/errors.ts";
import { chooseSandbox } from "../../runtime/registry.ts";
import { systemClock } from "../../runtime/system.ts";
import type { CommandContext } from "../context.ts";
import type { Evidence } from "../demo/evidence.ts";
import { Story, type StoryParts } from "../demo/story.ts";
import { EXIT } from "../exit-codes.ts";
import { Interruption } from "../interruption.ts";
import { formatDuration } from "../render/format.ts";
import { pad } from "../render/text.ts";

/** Flags of `demo`. */
export interface DemoFlags {
  readonly keep?: boolean;
}

const QUOTE = "   | ";

/** @returns 0 when every claim held */
export async function demo(context: CommandContext, flags: DemoFlags): Promise<number> {
  const { output } = context;
  const startedMs = systemClock.monotonicMs();
  using interruption = new Interruption();
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-demo-")));
  try {
    output.print("A scripted agent works on a real project. It claims, forgets, asks and cheats,");
    output.print("and its process is killed twice.");
    const sandbox = await sandboxOf(context);
    const evidence = await tell(context, { folder, sandbox, signal: interruption.signal });
    for (const item of evidence) output.print(lineOf(item));
    const failed = evidence.filter(({ holds }) => !holds).length;
    const took = formatDuration(systemClock.monotonicMs() - startedMs);
    output.print("", failed === 0 ? `All of it held (${took}).` : `${failed} of it did not hold (${took}).`);
    if (failed === 0) output.print(...nextSteps());
    if (flags.keep === true) output.print("", `kept: ${folder}`);
    return failed === 0 ? EXIT.ok : EXIT.internal;
  } catch (error) {
    if (interruption.exitCode === null) throw error;
    output.note("stopped; nothing is left behind");
    return interruption.exitCode;
  } finally {
    if (flags.keep !== true) rmSync(folder, { recursive: true, force: true });
  }
}

/** A real one where there is one: the story is the same without. */
async function sandboxOf({ output, environment }: CommandContext): Promise<string> {
  try {
    return await chooseSandbox(environment);
  } catch (error) {
    if (!isNightshiftError(error, "E_SANDBOX_UNAVAILABLE")) throw error;
    output.print("No sandbox that isolates works here (nightshift doctor says why), so it goes on without.");
    return "process";
  }
}

async function tell(
  { output, environment }: CommandContext,
  parts: Pick<StoryParts, "folder" | "sandbox" | "signal">,
): Promise<readonly Evidence[]> {
  await using story = await Story.begin({
    ...parts,
    environment,
    width: output.width - QUOTE.length,
    say: (...lines) => output.print(...lines),
    quote: (line) => output.print(`${QUOTE}${line}`),
  });
  return await story.tell();
}

function lineOf({ claim, holds, seen }: Evidence): string {
  return `   ${holds ? "yes" : "NO "} ${pad(claim, 36)} ${seen}`;
}

function nextSteps(): string[] {
  return [
    "",
    "Next, with an agent of your own:",
    "  nightshift doctor",
    '  nightshift run --check "npm test" --model anthropic:claude-sonnet-5 "fix it"',
    "  nightshift logs -f        in another terminal",
    "  nightshift resume         after any crash",
  ];
}
