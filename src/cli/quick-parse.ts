/**
 * Understands command lines without a mistake in them. Help, and words for mistakes, are commander's; loading it
 * takes half as long as the start of node, so it is loaded only when it has something to say.
 */
import { type ParseArgsOptionDescriptor, parseArgs } from "node:util";
import type { CommandSpec, FlagSpec } from "./command-table/spec.ts";

/** What a command line says. */
export interface ParsedLine {
  readonly command: CommandSpec;
  readonly words: readonly string[];
  readonly flags: { readonly [name: string]: unknown };
}

/**
 * Undefined when anything is unclear.
 * @throws NightshiftError `E_USAGE` for a value that a flag does not take
 */
export function parseQuickly(
  line: readonly string[],
  commands: readonly CommandSpec[],
): ParsedLine | undefined {
  const command = commands.find(({ name }) => name === line[0]);
  if (command === undefined) return undefined;
  const parsed = parseStrictly(line.slice(1), command.flags);
  if (parsed === undefined || !takes(command, parsed.words)) return undefined;
  const flags: Record<string, unknown> = {};
  for (const { name, parse, required } of command.flags) {
    const given = parsed.values[name];
    if (given === undefined && required === true) return undefined;
    if (given === undefined) continue;
    const value = (text: string | boolean): unknown =>
      typeof text === "string" && parse !== undefined ? parse(text) : text;
    flags[camelCase(name)] = typeof given === "object" ? given.map(value) : value(given);
  }
  return { command, words: parsed.words, flags };
}

interface StrictLine {
  readonly words: readonly string[];
  readonly values: { readonly [name: string]: string | boolean | readonly (string | boolean)[] | undefined };
}

function parseStrictly(line: readonly string[], flags: readonly FlagSpec[]): StrictLine | undefined {
  const options = Object.fromEntries(flags.map((flag) => [flag.name, optionOf(flag)]));
  try {
    const { values, positionals } = parseArgs({ args: [...line], options, allowPositionals: true });
    return { words: positionals, values: values as StrictLine["values"] };
  } catch {
    return undefined;
  }
}

function optionOf({ value, short, repeats }: FlagSpec): ParseArgsOptionDescriptor {
  const type = value === undefined ? "boolean" : "string";
  return { type, multiple: repeats === true, ...(short !== undefined && { short }) };
}

function takes({ arguments: expected }: CommandSpec, words: readonly string[]): boolean {
  const least = expected.filter(({ kind }) => kind === "required" || kind === "list").length;
  const last = expected.at(-1)?.kind;
  const isOpen = last === "list" || last === "any";
  return words.length >= least && (isOpen || words.length <= expected.length);
}

/** As commander names the values of flags. */
function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}
