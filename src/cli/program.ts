/** Parses a command line and runs its command. */
import { COMMANDS } from "./command-table.ts";
import type { CommandContext } from "./context.ts";
import { splitLine } from "./program-words.ts";
import { type ParsedLine, parseQuickly } from "./quick-parse.ts";

/** @returns the exit code @throws NightshiftError `E_USAGE`, and what the command throws */
export async function runProgram(line: readonly string[], context: CommandContext): Promise<number> {
  const { line: own, program } = splitLine(line);
  const parsed = parseQuickly(own, COMMANDS) ?? (await parseWithHelp(own, context));
  if (parsed === undefined) return 0;
  const flags = program === undefined ? parsed.flags : { ...parsed.flags, program };
  return await parsed.command.run(context, parsed.words, flags);
}

async function parseWithHelp(
  line: readonly string[],
  context: CommandContext,
): Promise<ParsedLine | undefined> {
  const { parseThoroughly } = await import("./thorough-parse.ts");
  return parseThoroughly(line, COMMANDS, context.output);
}
