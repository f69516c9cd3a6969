/** The tools `read`, `write` and `edit`. */
import type { Json } from "../core/text.ts";
import { parseEditInput, parseReadInput, parseWriteInput } from "../sandbox/inputs.ts";
import type { Tool } from "./contract.ts";

const FILE_PATH: Json = {
  type: "string",
  description: "Path of the file, relative to the workspace or absolute inside it.",
};

/** Shows a text file. */
export const readTool: Tool = {
  name: "read",
  operation: "read",
  description: {
    name: "read",
    description: [
      "Reads a UTF-8 text file of the workspace. Each line is shown as its number, a tab, and its text; the number and the tab are not part of the file.",
      "Long files are shown as far as there is room, with the number of the next line at the end; use view_range to see a part.",
      "Binary files and folders are refused.",
    ].join(" "),
    inputSchema: {
      type: "object",
      properties: {
        file_path: FILE_PATH,
        view_range: {
          type: "array",
          items: { type: "integer" },
          minItems: 2,
          maxItems: 2,
          description:
            "First and last line to show, counted from 1; -1 as the last means the end of the file.",
        },
      },
      required: ["file_path"],
      additionalProperties: false,
    },
  },
  effectOf: () => "read_only",
  check: (input: Json) => problemOf(parseReadInput(input)),
};

/** Replaces or makes a whole file. */
export const writeTool: Tool = {
  name: "write",
  operation: "write",
  description: {
    name: "write",
    description: [
      "Writes a whole text file of the workspace: makes it, with the folders it needs, or replaces all of its content.",
      "To change parts of a file use edit.",
    ].join(" "),
    inputSchema: {
      type: "object",
      properties: {
        file_path: FILE_PATH,
        content: { type: "string", description: "The complete new content." },
      },
      required: ["file_path", "content"],
      additionalProperties: false,
    },
  },
  effectOf: () => "reconcilable",
  check: (input: Json) => problemOf(parseWriteInput(input)),
};

/** Replaces text in a file. */
export const editTool: Tool = {
  name: "edit",
  operation: "edit",
  description: {
    name: "edit",
    description: [
      "Replaces text in a UTF-8 file of the workspace. old_string must occur exactly as given, white space and indentation included, and exactly once, unless replace_all is true.",
      "Give enough of the surrounding lines to make it unique. The line numbers that read shows are not part of the file.",
    ].join(" "),
    inputSchema: {
      type: "object",
      properties: {
        file_path: FILE_PATH,
        old_string: { type: "string", description: "The text to replace." },
        new_string: { type: "string", description: "What takes its place; may be empty." },
        replace_all: { type: "boolean", description: "Replace every occurrence. Default: false." },
      },
      required: ["file_path", "old_string", "new_string"],
      additionalProperties: false,
    },
  },
  effectOf: () => "reconcilable",
  check: (input: Json) => problemOf(parseEditInput(input)),
};

function problemOf(
  parsed: { readonly ok: true } | { readonly ok: false; readonly problem: string },
): string | undefined {
  return parsed.ok ? undefined : parsed.problem;
}
