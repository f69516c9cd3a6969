/** A check as a shell has to be told it. */
import type { Check } from "../core/contract/contract.ts";
import { commandOf, quoted } from "../sandbox/shell-words.ts";

/** In its folder, in place of the shell itself. */
export function shellCommand({ argv, folder, shell }: Pick<Check, "argv" | "folder" | "shell">): string {
  const words = shell ? ["sh", "-c", argv.join(" ")] : argv;
  const command = `exec ${commandOf(words)}`;
  return folder === "" ? command : `cd ${quoted(folder)} && ${command}`;
}

/** With these variables. */
export function withEnvironment(command: string, environment: Readonly<Record<string, string>>): string {
  const settings = Object.entries(environment).map(([name, value]) => `export ${name}=${quoted(value)}; `);
  return settings.join("") + command;
}
