/** How each runner is started by the harness, with what it is granted. */
import { posix } from "node:path";
import { NightshiftError } from "../../core/errors.ts";
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
  const { kind } = match;
  switch (kind) {
    case "node-test": {
      const { NODE_OPTIONS, ...others } = variables;
      const options = parseNodeTest([...wordsOf(NODE_OPTIONS), ...words.slice(1)]);
      return nodeProgram(tools, kind, words[0] ?? "node", others, { ...options, nodeOptions: NODE_OPTIONS });
    }
    case "vitest":
    case "jest":
      return nodeProgram(tools, kind, "node", variables, { words: programWords(words) });
    case "mocha":
      return nodeProgram(tools, kind, "node", variables, { words: withoutReporter(programWords(words)) });
    case "pytest":
      return pytestProgram(tools, variables, words);
    default:
      throw new NightshiftError("E_INTERNAL", `there is no reporter for the runner ${kind}`);
  }
}

function wordsOf(options = ""): readonly string[] {
  return options.split(" ").filter((word) => word !== "");
}

/** The last one would win, but its options are not for another. */
function withoutReporter(words: readonly string[]): readonly string[] {
  const named = /^(?:--reporter|-R|--reporter-options?|-O|--parallel|-p)(?:=|$)/;
  const isValue = (at: number): boolean =>
    at > 0 && /^(?:--reporter|-R|--reporter-options?|-O)$/.test(words[at - 1] ?? "");
  return words.filter((word, at) => !named.test(word) && !isValue(at));
}

/** Arguments of a runner's program, which may have been given to node by its path. */
function programWords(words: readonly string[]): readonly string[] {
  const at =
    posix.basename(words[0] ?? "") === "node"
      ? words.findIndex((word, index) => index > 0 && !word.startsWith("-"))
      : 0;
  return words.slice(at + 1);
}

/** The variables that a command sets with `env`, and the rest of it. */
export function withoutVariables(argv: readonly string[]): {
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
  kind: RunnerMatch["kind"],
  node: string,
  variables: Readonly<Record<string, string>>,
  options: object,
): Program {
  const { NODE_OPTIONS, ...environment } = variables;
  const argv = [
    ...[node, "--require", posix.join(tools, "node/guard.cjs")],
    ...wordsOf(NODE_OPTIONS),
    posix.join(tools, "node/main.cjs"),
  ];
  return {
    command: `unset NODE_OPTIONS; exec ${argv.map(quote).join(" ")}`,
    environment: { ...environment, NIGHTSHIFT_GRANT: "3" },
    role: `${kind}-main`,
    options: { nodeOptions: NODE_OPTIONS, ...options },
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
