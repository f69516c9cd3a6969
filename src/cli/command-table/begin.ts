/** What comes before everything else: a project's config file, trust in it, and the shell. */
import type { InitFlags } from "../commands/init.ts";
import type { TrustFlags } from "../commands/trust.ts";
import { oneOf } from "../flags.ts";
import { CHECK_FLAG } from "./drive.ts";
import { type CommandSpec, command, JSON_FLAG, PLACE_FLAGS } from "./spec.ts";

/** Commands that set things up. */
export const beginCommands: readonly CommandSpec[] = [
  command<InitFlags>({
    name: "init",
    description: "look at the project and write a nightshift.yaml for it",
    arguments: [],
    flags: [
      ...PLACE_FLAGS,
      CHECK_FLAG,
      { name: "schema", description: "print what such a file may say, as a JSON schema, and write nothing" },
      JSON_FLAG,
    ],
    run: async (context, _words, flags) => (await import("../commands/init.ts")).init(context, flags),
  }),
  command<TrustFlags>({
    name: "trust",
    description: "let the project's nightshift.yaml count, exactly as it is now",
    arguments: [],
    flags: [
      ...PLACE_FLAGS,
      { name: "remove", description: "trust it no longer" },
      { name: "yes", description: "ask nothing" },
      JSON_FLAG,
    ],
    run: async (context, _words, flags) => (await import("../commands/trust.ts")).trust(context, flags),
  }),
];

/** @param commands - all of them, itself included */
export function completionsCommand(commands: () => readonly CommandSpec[]): CommandSpec {
  return command<object>({
    name: "completions",
    description: "print a script that makes a shell complete commands",
    arguments: [{ name: "shell", description: "bash, zsh or fish", kind: "required" }],
    flags: [],
    run: async ({ output }, [shell = ""]) => {
      const name = oneOf("completions", ["bash", "zsh", "fish"])(shell);
      output.print(...(await import("../commands/completions.ts")).completions(name, commands()));
      return 0;
    },
  });
}
