/** The `bash` tool. */
import type { Json } from "../core/text.ts";
import { parseShellInput } from "../sandbox/inputs.ts";
import type { Effect, Tool } from "./contract.ts";
import { isIrreversible } from "./irreversible.ts";

/** Runs a command. */
export const bashTool: Tool = {
  name: "bash",
  operation: "shell",
  description: {
    name: "bash",
    description: [
      "Runs a command with bash in the workspace folder and returns what it printed (stdout and stderr together, in order) and its exit code.",
      "Every call is a new shell: the folder, variables and functions of an earlier call are gone, files and background processes are not.",
      "There is no terminal and no input: commands that ask questions get end-of-file.",
      "A command is killed with everything it started when it exceeds its time limit; give timeout_ms for a shorter one. To leave a server running, start it in the background (`server > server.log 2>&1 &`).",
      "When much is printed, the middle is dropped. Prefer read, edit, write, glob and grep for files.",
    ].join(" "),
    inputSchema: {
      type: "object",
      properties: {
        command: { type: "string", description: "The command text; may have several lines." },
        timeout_ms: {
          type: "integer",
          minimum: 1,
          description:
            "Kill the command after this many milliseconds. Can only shorten the configured limit.",
        },
      },
      required: ["command"],
      additionalProperties: false,
    },
  },
  effectOf: (input: Json): Effect => {
    const parsed = parseShellInput(input);
    return parsed.ok && isIrreversible(parsed.value.command) ? "irreversible" : "side_effect";
  },
  check: (input: Json): string | undefined => {
    const parsed = parseShellInput(input);
    return parsed.ok ? undefined : parsed.problem;
  },
};
