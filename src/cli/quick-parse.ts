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
  // In their order, so that of several mistakes the first one is told, as commander does.
  for (const { flag, text } of parsed.given) {
    const { name, parse, repeats } = flag;
    const key = camelCase(name);
    const value = typeof text === "string" && parse !== undefined ? parse(text) : text;
    flags[key] = repeats === true ? [...((flags[key] as unknown[] | undefined) ?? []), value] : value;
  }
  const isWhole = command.flags.every(({ name, required }) => required !== true || camelCase(name) in flags);
  return isWhole ? { command, words: parsed.words, flags } : undefined;
}

interface StrictLine {
  readonly words: readonly string[];
  /** Every flag as often as it is there. */
  readonly given: readonly { readonly flag: FlagSpec; readonly text: string | true }[];
}

function parseStrictly(line: readonly string[], flags: readonly FlagSpec[]): StrictLine | undefined {
  const options = Object.fromEntries(flags.map((flag) => [flag.name, optionOf(flag)]));
  try {
    const { positionals, tokens } = parseArgs({
      args: [...line],
      options,
      allowPositionals: true,
      tokens: true,
    });
    const given = tokens.flatMap((token) => {
      const flag = token.kind === "option" ? flags.find(({ name }) => name === token.name) : undefined;
      return flag === undefined || token.kind !== "option"
        ? []
        : [{ flag, text: token.value ?? (true as const) }];
    });
    return { words: positionals, given };
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
