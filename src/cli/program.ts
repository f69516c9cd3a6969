/** Parses a command line and runs its command. */
import { COMMANDS } from "./command-table.ts";
import type { CommandContext } from "./context.ts";
import { type ParsedLine, parseQuickly } from "./quick-parse.ts";

/** @returns the exit code @throws NightshiftError `E_USAGE`, and what the command throws */
export async function runProgram(line: readonly string[], context: CommandContext): Promise<number> {
  const parsed = parseQuickly(line, COMMANDS) ?? (await parseWithHelp(line, context));
  return parsed === undefined ? 0 : await parsed.command.run(context, parsed.words, parsed.flags);
}

async function parseWithHelp(
  line: readonly string[],
  context: CommandContext,
): Promise<ParsedLine | undefined> {
  const { parseThoroughly } = await import("./thorough-parse.ts");
  return parseThoroughly(line, COMMANDS, context.output);
}
