/** The tools `glob` and `grep`. */
import type { Json } from "../core/text.ts";
import { parseSearchInput } from "../sandbox/inputs.ts";
import type { Tool } from "./contract.ts";

/** Finds files by name. */
export const globTool: Tool = {
  name: "glob",
  operation: "glob",
  description: {
    name: "glob",
    description: [
      "Lists the files of the workspace whose path matches a pattern, sorted by path.",
      "`*` and `?` match within a name, `**` any number of folders, `[a-z]` one character, `{a,b}` either; `**/*.ts` finds all TypeScript files.",
      ".git and node_modules are left out unless path leads into them.",
    ].join(" "),
    inputSchema: schema("Pattern of the path, relative to `path`."),
  },
  effectOf: () => "read_only",
  check,
};

/** Finds lines by content. */
export const grepTool: Tool = {
  name: "grep",
  operation: "grep",
  description: {
    name: "grep",
    description: [
      "Finds the lines of text files in the workspace that match a POSIX extended regular expression (\\d, \\w, \\s and \\b work too; look-around does not), as path:line:text, sorted by path.",
      "Binary files, .git and node_modules are left out. Matching is case-sensitive.",
    ].join(" "),
    inputSchema: schema("The regular expression, matched line by line."),
  },
  effectOf: () => "read_only",
  check,
};

function check(input: Json): string | undefined {
  const parsed = parseSearchInput(input);
  return parsed.ok ? undefined : parsed.problem;
}

function schema(pattern: string): { readonly [key: string]: Json } {
  return {
    type: "object",
    properties: {
      pattern: { type: "string", description: pattern },
      path: {
        type: "string",
        description:
          "Folder to search, relative to the workspace or absolute inside it. Default: the workspace.",
      },
    },
    required: ["pattern"],
    additionalProperties: false,
  };
}
