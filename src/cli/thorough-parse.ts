/** Command lines by commander: help, suggestions, and words for every mistake. */
import { Command, CommanderError, Option } from "commander";
import { NightshiftError } from "../core/errors.ts";
import { packageVersion } from "../runtime/version.ts";
import type { ArgumentSpec, CommandSpec, FlagSpec } from "./command-table/spec.ts";
import type { Output } from "./output.ts";
import type { ParsedLine } from "./quick-parse.ts";

/**
 * Undefined when help or the version was asked for and has been printed.
 * @throws NightshiftError `E_USAGE`
 */
export async function parseThoroughly(
  line: readonly string[],
  commands: readonly CommandSpec[],
  output: Output,
): Promise<ParsedLine | undefined> {
  let parsed: ParsedLine | undefined;
  const program = strict(new Command("nightshift"), output)
    .description("Runs AI agents for hours and days: capped, resumable, kept in an append-only log.")
    .version(packageVersion())
    .enablePositionalOptions()
    .showSuggestionAfterError(true);
  for (const spec of commands) {
    const command = strict(program.command(spec.name), output).description(spec.description);
    for (const argument of spec.arguments) command.argument(nameOf(argument), argument.description);
    for (const flag of spec.flags) command.addOption(optionOf(flag));
    command.action((...given: unknown[]) => {
      const words = given
        .slice(0, spec.arguments.length)
        .flat()
        .filter((word) => typeof word === "string");
      parsed = { command: spec, words, flags: command.opts() };
    });
  }
  try {
    if (line.length === 0) program.outputHelp();
    else await program.parseAsync(["node", "nightshift", ...line]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    // Commander has no words for help about a command that there is not.
    const isHelp = error.code === "commander.help";
    const message = isHelp ? `there is no command '${line[1] ?? ""}'` : error.message;
    throw new NightshiftError("E_USAGE", message.replace(/^error: /, ""));
  }
  return parsed;
}

/** Errors become ours; nothing is printed or ended behind our back. */
function strict(command: Command, output: Output): Command {
  return command.exitOverride().configureOutput({
    writeOut: (text) => output.print(text.trimEnd()),
    writeErr: () => undefined,
    outputError: () => undefined,
    getOutHelpWidth: () => output.width,
  });
}

function nameOf({ name, kind }: ArgumentSpec): string {
  switch (kind) {
    case "required":
      return `<${name}>`;
    case "optional":
      return `[${name}]`;
    case "list":
      return `<${name}...>`;
    case "any":
      return `[${name}...]`;
  }
}

function optionOf({ name, short, value, description, parse, required, repeats }: FlagSpec): Option {
  const names = short === undefined ? `--${name}` : `-${short}, --${name}`;
  const option = new Option(value === undefined ? names : `${names} ${value}`, description);
  if (repeats === true)
    option.argParser((text, others: unknown[] | undefined) => [...(others ?? []), parse?.(text) ?? text]);
  else if (parse !== undefined) option.argParser(parse);
  return required === true ? option.makeOptionMandatory() : option;
}
