/** How each runner is started by the harness, with what it is granted. */
import { posix } from "node:path";
import type { RunnerMatch } from "../contract.ts";
import { parseNodeTest } from "./node-options.ts";
import { quote } from "./shell.ts";

/** One runner's program. */
export interface Program {
  /** For the shell, with the key open as descriptor 3. */
  readonly command: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Which part of the reporters takes the grant, and what it is told besides the key. */
  readonly role: string;
  readonly options: object;
}

/** @param tools - the reporters' folder, inside */
export function programOf(match: RunnerMatch, tools: string): Program {
  const { variables, words } = withoutVariables(match.argv);
  switch (match.kind) {
    case "node-test":
      return nodeProgram(
        tools,
        "node-test-main",
        words[0] ?? "node",
        variables,
        parseNodeTest(words.slice(1)),
      );
    case "vitest":
      return nodeProgram(tools, "vitest-main", "node", variables, { words: programWords(words) });
    case "pytest":
      return pytestProgram(tools, variables, words);
    default:
      throw new Error(`there is no program for ${match.kind}`);
  }
}

/** Arguments of a runner's program, which may have been given to node by its path. */
function programWords(words: readonly string[]): readonly string[] {
  const at =
    posix.basename(words[0] ?? "") === "node"
      ? words.findIndex((word, index) => index > 0 && !word.startsWith("-"))
      : 0;
  return words.slice(at + 1);
}

function withoutVariables(argv: readonly string[]): {
  readonly variables: Readonly<Record<string, string>>;
  readonly words: readonly string[];
} {
  if (argv[0] !== "env") return { variables: {}, words: argv };
  const count = argv.findIndex((word, index) => index > 0 && !/^[A-Za-z_]\w*=/.test(word));
  const entries = argv.slice(1, count).map((word) => word.split(/=(.*)/s) as [string, string]);
  return { variables: Object.fromEntries(entries), words: argv.slice(count) };
}

/**
 * A runner for JavaScript. Its own options for node come after the harness's module, so they are not given in the
 * environment, which node would go by first; processes below get them there.
 */
function nodeProgram(
  tools: string,
  role: string,
  node: string,
  variables: Readonly<Record<string, string>>,
  options: object,
): Program {
  const { NODE_OPTIONS = "", ...environment } = variables;
  const argv = [
    ...[node, "--require", posix.join(tools, "node/guard.cjs")],
    ...NODE_OPTIONS.split(" ").filter((word) => word !== ""),
    posix.join(tools, "node/main.cjs"),
  ];
  return {
    command: `unset NODE_OPTIONS; exec ${argv.map(quote).join(" ")}`,
    environment: { ...environment, NIGHTSHIFT_GRANT: "3" },
    role,
    options: { ...options, ...(NODE_OPTIONS === "" ? {} : { childOptions: NODE_OPTIONS }) },
  };
}

/**
 * Isolated from the project until the harness's part has begun: no variables of python's, no folder of the project on
 * the path, no `usercustomize`.
 */
function pytestProgram(
  tools: string,
  variables: Readonly<Record<string, string>>,
  words: readonly string[],
): Program {
  const at = words.indexOf("-m");
  const isModule = /^python[\d.]*$/.test(posix.basename(words[0] ?? "")) && at > 0;
  const argv = ["-I", posix.join(tools, "python/pytest_main.py")].map(quote).join(" ");
  // The interpreter that the program pytest belongs to lies beside it.
  const beside = `"$(dirname -- "$(command -v ${quote(words[0] ?? "")})")"`;
  const choose = `python=${beside}/python3; [ -x "$python" ] || python=python3`;
  return {
    command: isModule ? `exec ${quote(words[0] ?? "")} ${argv}` : `{ ${choose}; exec "$python" ${argv}; }`,
    environment: { ...variables, NIGHTSHIFT_GRANT: "3" },
    role: "pytest",
    options: { words: words.slice(isModule ? at + 2 : 1), hasFolder: isModule },
  };
}
