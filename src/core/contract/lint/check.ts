/** What is wrong with a check's command itself, as far as its words tell. Runs nothing. */
import { checkText } from "../build.ts";
import type { Check } from "../contract.ts";
import { type ShellPiece, splitPieces } from "../shell-pieces.ts";

/** Something that a command does which a check must not. */
export interface CheckWeakness {
  readonly code: "cannot-fail" | "cannot-pass" | "never-ends" | "passes-without-tests" | "rewrites-snapshots";
  readonly severity: "refuse" | "warn";
  /** Goes on after "the check `…` ". */
  readonly message: string;
  readonly fix: string;
}

/** A command's possible endings, when they are known. */
type Ending = "always 0" | "never 0" | "open";

const NESTED_MAX = 8;

/** Programs that succeed whatever the files hold. */
const IDLE: ReadonlySet<string> = new Set(["true", ":", "echo", "printf", "sleep", "pwd", "date", "whoami"]);
/** At the end of a pipe these succeed, and nobody asks how what came before ended. */
const FILTERS: ReadonlySet<string> = new Set(
  "cat column cut fold head less more nl paste rev sed sort tail tee tr uniq wc".split(" "),
);
const WRAPPERS: ReadonlySet<string> = new Set(["builtin", "command", "env", "exec", "nice", "nohup", "time"]);
const SHELLS: ReadonlySet<string> = new Set(["ash", "bash", "dash", "ksh", "sh", "zsh"]);
/** Subcommands that only show something. */
const SHOWING: ReadonlySet<string> = new Set(["git status", "git log", "git branch", "npm run", "npm ls"]);

/** Everything that is wrong with it, the worst first. */
export function weaknessesOf(check: Check): readonly CheckWeakness[] {
  const ending = check.shell ? endingOfText(checkText(check), NESTED_MAX) : endingOf(check.argv, NESTED_MAX);
  const found: CheckWeakness[] = [];
  if (ending === "always 0") found.push(CANNOT_FAIL);
  if (ending === "never 0") found.push(CANNOT_PASS);
  const words = check.shell ? checkText(check).split(/[\s"']+/) : check.argv;
  return [...found, ...FLAGS.filter(({ has }) => has(words)).map(({ weakness }) => weakness)];
}

const CANNOT_FAIL: CheckWeakness = {
  code: "cannot-fail",
  severity: "refuse",
  message: "ends with 0 whatever the work is like",
  fix: "Name a command that fails while the work is not done; without `|| true`, and without a pipe behind it.",
};

const CANNOT_PASS: CheckWeakness = {
  code: "cannot-pass",
  severity: "refuse",
  message: "never ends with 0",
  fix: "Name a command that ends with 0 once the work is done.",
};

const FLAGS: readonly { has(words: readonly string[]): boolean; readonly weakness: CheckWeakness }[] = [
  {
    has: (words) => words.some((word) => /^--watch(All)?$/.test(word)) || isWatching(words),
    weakness: {
      code: "never-ends",
      severity: "refuse",
      message: "watches for changes and does not end by itself",
      fix: "Run it once: leave the watch flag out, for example `vitest run`.",
    },
  },
  {
    has: (words) => isServing(words),
    weakness: {
      code: "never-ends",
      severity: "warn",
      message: "looks like a server, which does not end by itself",
      fix: "Declare it as a service and check that it answers.",
    },
  },
  {
    has: (words) => words.some((word) => /^--(passWithNoTests|pass-with-no-tests|if-present)$/.test(word)),
    weakness: {
      code: "passes-without-tests",
      severity: "warn",
      message: "passes when there is nothing to test",
      fix: "Leave the flag out.",
    },
  },
  {
    has: (words) => words.some((word) => UPDATE_FLAG.test(word)) || isUpdatingRunner(words),
    weakness: {
      code: "rewrites-snapshots",
      severity: "warn",
      message: "rewrites the snapshots that it should compare with",
      fix: "Leave the flag out.",
    },
  },
];

const UPDATE_FLAG = /^--(update-?snapshots?|snapshot-update|test-update-snapshots|ci=false)$/i;

function isWatching(words: readonly string[]): boolean {
  return words.some(
    (word, index) => programName(word) === "vitest" && /^(watch|dev)$/.test(words[index + 1] ?? ""),
  );
}

function isServing(words: readonly string[]): boolean {
  return /^(npm|pnpm|yarn|bun)( run)? (start|dev|serve)$/.test(words.join(" "));
}

function isUpdatingRunner(words: readonly string[]): boolean {
  return words.includes("-u") && words.some((word) => /^(jest|vitest)$/.test(programName(word)));
}

/** A shell's text; `open` for whatever is cleverer than lists and pipes. */
function endingOfText(text: string, nestedLeft: number): Ending {
  const pieces = nestedLeft === 0 ? undefined : splitPieces(text);
  if (pieces === undefined || pieces.length === 0) return "open";
  // With this, what comes first counts as well; nobody writes it around commands that cannot fail.
  if (pieces.some(({ words }) => words[0] === "set")) return "open";
  return endingOfList(pieces, nestedLeft);
}

function endingOfList(pieces: readonly ShellPiece[], nestedLeft: number): Ending {
  let ending: Ending = "open";
  let joint: ShellPiece["after"] = ";";
  for (const [index, { words, after }] of pieces.entries()) {
    // The status of a pipe is that of its end.
    if (after === "|") continue;
    const isFiltered = pieces[index - 1]?.after === "|" && FILTERS.has(programName(words[0] ?? ""));
    ending = joined(ending, joint, isFiltered ? "always 0" : endingOf(words, nestedLeft));
    if (words[0] === "exit" && joint === ";") return ending;
    // What runs in the background is not waited for.
    if (after === "&") ending = "always 0";
    joint = after;
  }
  return ending;
}

function joined(before: Ending, joint: ShellPiece["after"], own: Ending): Ending {
  switch (joint) {
    case "&&":
      if (before === "never 0" || own === "never 0") return "never 0";
      return before === "always 0" ? own : "open";
    case "||":
      if (before === "always 0" || own === "always 0") return "always 0";
      return before === "never 0" ? own : "open";
    default:
      return own;
  }
}

function endingOf(argv: readonly string[], nestedLeft: number): Ending {
  const start = argv.findIndex((word) => !/^\w+=/.test(word) && !WRAPPERS.has(programName(word)));
  const words = start === -1 ? [] : argv.slice(start);
  const [first = "", second] = words;
  const name = programName(first);
  if (name === "") return "open";
  if (name === "!") return opposite(endingOf(words.slice(1), nestedLeft));
  if (IDLE.has(name) || SHOWING.has(words.join(" ")) || isShowingItself(name, words)) return "always 0";
  if (name === "false") return "never 0";
  if (name === "exit" && /^\d+$/.test(second ?? "")) return Number(second) === 0 ? "always 0" : "never 0";
  if (name === "git" && second === "diff") return endingOfDiff(words);
  if (SHELLS.has(name)) return endingOfShell(words, nestedLeft);
  return isEmptyProgram(name, words) ? "always 0" : "open";
}

function opposite(ending: Ending): Ending {
  if (ending === "open") return ending;
  return ending === "always 0" ? "never 0" : "always 0";
}

function isShowingItself(name: string, words: readonly string[]): boolean {
  if (words.length !== 2) return false;
  const flags = name === "node" || name === "npm" ? /^(-v|-h|--version|--help)$/ : /^(--version|--help)$/;
  return flags.test(words[1] ?? "");
}

function endingOfDiff(words: readonly string[]): Ending {
  return words.some((word) => ["--exit-code", "--quiet", "--check"].includes(word)) ? "open" : "always 0";
}

/** With any other option, such as `-o pipefail`, more can fail than its last command. */
function endingOfShell([, option = "", text]: readonly string[], nestedLeft: number): Ending {
  if (text === undefined || !/^-(c|lc|cl)$/.test(option)) return "open";
  return endingOfText(text, nestedLeft - 1);
}

/** `node -e ""`, `python -c pass`. */
function isEmptyProgram(name: string, words: readonly string[]): boolean {
  const flag = /^python[\d.]*$/.test(name) ? "-c" : name === "node" ? "-e" : undefined;
  return flag !== undefined && words[1] === flag && /^\s*(pass|0|1|true)?;?\s*$/i.test(words[2] ?? "x");
}

function programName(word: string): string {
  return word.slice(word.lastIndexOf("/") + 1);
}
