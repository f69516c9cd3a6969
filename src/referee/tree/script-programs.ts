/** What single commands of a script have to do with the scripts of a package. Pure. */
import { posix } from "node:path";

/** What one command does, as far as package scripts are concerned. */
export type Reach =
  /** It runs scripts whose names are in its text. */
  | { readonly kind: "names" }
  /** It runs what is in one of these files of the project. */
  | { readonly kind: "files"; readonly words: readonly string[] }
  /** It runs this text. */
  | { readonly kind: "text"; readonly text: string }
  /** Another command is behind it. */
  | { readonly kind: "command"; readonly words: readonly string[] }
  | { readonly kind: "nothing" }
  /** Nobody can tell by its text. */
  | { readonly kind: "unknown" };

const NOTHING: Reach = { kind: "nothing" };
const UNKNOWN: Reach = { kind: "unknown" };

/** Programs that run none of a package's scripts. */
const QUIET: ReadonlySet<string> = new Set(
  [
    ": [ cat cp diff echo exit false find git grep head ls mkdir mv printf rm sed sleep sort tail tee test touch true",
    "vitest jest mocha _mocha tape tap ava c8 nyc pytest py.test go cargo tap-spec tap-dot faucet",
    "tsc vue-tsc tsd eslint prettier biome oxlint xo standard stylelint markdownlint ruff mypy pyright",
    "babel esbuild rollup swc tsup vite webpack rimraf del-cli shx cpy copyfiles publint attw knip depcheck",
    "husky simple-git-hooks lefthook patch-package lint-staged",
  ]
    .join(" ")
    .split(" "),
);
const MANAGERS: ReadonlySet<string> = new Set(["npm", "pnpm", "yarn", "bun"]);
/** Run scripts that they are given by name or pattern. */
const SEQUENCES: ReadonlySet<string> = new Set(["run-s", "run-p", "npm-run-all", "npm-run-all2"]);
/** Words by which a manager leaves the package that it is called in. */
const ELSEWHERE =
  /^(?:--workspaces?|-ws?|-r|--recursive|--filter|-F|-C|--prefix|--dir|--cwd|--include-workspace-root|--iwr|--stream|workspaces?|foreach|recursive|multi|m)(?:=|$)/;
/** Of managers; anything else is a script, or a program. */
const OWN_WORDS: ReadonlySet<string> = new Set(
  "run run-script rum urn test t tst start stop restart install i ci it cit install-test rebuild ls pack".split(
    " ",
  ),
);
const SHELLS: ReadonlySet<string> = new Set(["sh", "bash", "dash", "zsh", "ksh"]);
const INTERPRETERS: ReadonlySet<string> = new Set([
  ...SHELLS,
  ...["node", "tsx", "ts-node", "deno", "python", "python3", "ruby", "perl", "pwsh"],
]);
/** Run what follows as it is. */
const WRAPPERS: readonly (readonly string[])[] = [
  ["npm", "exec"],
  ["npm", "x"],
  ["pnpm", "exec"],
  ["yarn", "exec"],
  ["bun", "x"],
  ["uv", "run"],
  ["poetry", "run"],
  ["pipenv", "run"],
  ...["npx", "bunx", "pnpx", "env", "cross-env", "cross-env-shell", "c8", "nyc", "exec", "command"].map(
    (name) => [name],
  ),
  ...["time", "nice"].map((name) => [name]),
];
/** Where programs that have files of commands find them. */
const COMMAND_FILES: Readonly<Record<string, readonly string[]>> = {
  make: ["GNUmakefile", "makefile", "Makefile"],
  just: ["justfile", "Justfile", ".justfile"],
  task: ["Taskfile.yml", "Taskfile.yaml"],
};
const ASSIGNMENT = /^[A-Za-z_]\w*=/;
const PYTHON_MODULES = /^(?:pytest|unittest|mypy|ruff|compileall|build)$/;

/** @param words - of one command @param isScript - is there such a script in its package? */
export function reachOf(words: readonly string[], isScript: (name: string) => boolean): Reach {
  const [first = "", ...rest] = words;
  if (first === "") return NOTHING;
  if (ASSIGNMENT.test(first)) return { kind: "command", words: rest };
  const program = posix.basename(first);
  const inner = wrapped(words);
  if (inner !== undefined) return inner.length === 0 ? UNKNOWN : { kind: "command", words: inner };
  if (MANAGERS.has(first)) return ofManager(rest, isScript);
  if (SEQUENCES.has(program) || /^(?:npm|pnpm|yarn|bun):/.test(first)) return { kind: "names" };
  if (program === "concurrently")
    return { kind: "text", text: rest.filter((word) => !word.startsWith("-")).join(" ; ") };
  if (INTERPRETERS.has(program)) return ofInterpreter(program, rest);
  if (Object.hasOwn(COMMAND_FILES, program)) return { kind: "files", words: COMMAND_FILES[program] ?? [] };
  if (first.includes("/") && !/(?:^|\/)node_modules\//.test(first) && !first.startsWith("/"))
    return { kind: "files", words: [first] };
  return QUIET.has(program) ? NOTHING : UNKNOWN;
}

/** What a wrapper runs; undefined for anything else. */
function wrapped(words: readonly string[]): readonly string[] | undefined {
  const wrapper = WRAPPERS.find((each) => each.every((word, index) => words[index] === word));
  if (wrapper === undefined) return undefined;
  const rest = words.slice(wrapper.length);
  const at = rest.findIndex((word) => !word.startsWith("-") && !ASSIGNMENT.test(word));
  return at < 0 ? [] : rest.slice(at);
}

function ofManager(all: readonly string[], isScript: (name: string) => boolean): Reach {
  const words = all.includes("--") ? all.slice(0, all.indexOf("--")) : all;
  if (words.some((word) => ELSEWHERE.test(word))) return UNKNOWN;
  const at = words.findIndex((word) => !word.startsWith("-") && word !== "run" && word !== "run-script");
  const name = words[at];
  if (name === undefined || OWN_WORDS.has(name) || isScript(name) || name.includes("*"))
    return { kind: "names" };
  if (/[./]/.test(name)) return { kind: "files", words: [name] };
  // No script: to some managers it is a program then, and a script that is missing to others.
  return words[0] === "run" ? { kind: "names" } : { kind: "command", words: words.slice(at) };
}

function ofInterpreter(program: string, rest: readonly string[]): Reach {
  if (program === "node" && rest.includes("--test")) return NOTHING;
  const [flag = "", text] = rest;
  if (SHELLS.has(program) && /^-\w*c$/.test(flag))
    return text === undefined ? UNKNOWN : { kind: "text", text };
  if (flag === "-m") return PYTHON_MODULES.test(text ?? "") ? NOTHING : UNKNOWN;
  const files = rest.filter((word) => !word.startsWith("-"));
  return files.length === 0 ? UNKNOWN : { kind: "files", words: files };
}
