/** What a check runs in the end: looks through `npm test`, package scripts and wrappers down to a program. */
import { posix } from "node:path";
import type { Check } from "../../core/contract/contract.ts";
import type { TreeReader } from "../contract.ts";
import { type ScriptCommand, splitScript } from "./script-text.ts";

/** One command, with the variables that it is given. */
export type Step = ScriptCommand;

const DEPTH_MAX = 8;
const SHELLS: ReadonlySet<string> = new Set(["sh", "bash", "/bin/sh", "/bin/bash"]);
/** Run what follows as it is, with the project's programs on the path. */
const WRAPPERS: readonly (readonly string[])[] = [
  ["npx"],
  ["npx", "--no-install"],
  ["npx", "--no"],
  ["npm", "exec", "--"],
  ["pnpm", "exec"],
  ["yarn", "exec"],
  ["uv", "run"],
  ["poetry", "run"],
  ["pipenv", "run"],
  ["hatch", "run"],
];

/** The steps of a check in their order; undefined when one of them takes a shell, or somebody else's program, to tell. */
export async function stepsOf(check: Check, tree: TreeReader): Promise<readonly Step[] | undefined> {
  const first = check.shell ? splitScript(check.argv.join(" ")) : [stepOf(check.argv)];
  return first && expandAll(first, await scriptsIn(check.folder, tree), 0);
}

function stepOf(words: readonly string[], variables: readonly string[] = []): Step {
  return { words, variables, hasPatterns: false };
}

type Scripts = Readonly<Record<string, string>>;

/** The scripts of the package whose folder this is. */
async function scriptsIn(folder: string, tree: TreeReader): Promise<Scripts> {
  const text = await tree.read(posix.join(folder, "package.json"));
  if (text === undefined) return {};
  try {
    const manifest = JSON.parse(text.toString("utf8")) as { readonly scripts?: unknown } | null;
    const entries = Object.entries(manifest?.scripts ?? {});
    return Object.fromEntries(
      entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
  } catch {
    return {};
  }
}

function expandAll(steps: readonly Step[], scripts: Scripts, depth: number): readonly Step[] | undefined {
  if (depth > DEPTH_MAX) return undefined;
  const expanded: Step[] = [];
  for (const step of steps) {
    const inner = innerSteps(step, scripts);
    const all = inner === "as it is" ? [step] : inner && expandAll(inner, scripts, depth + 1);
    if (all === undefined) return undefined;
    expanded.push(...all);
  }
  return expanded;
}

/** What a step stands for; undefined: nobody can tell. */
function innerSteps(step: Step, scripts: Scripts): readonly Step[] | "as it is" | undefined {
  const variables = environmentOf(step);
  if (variables !== undefined) return [variables];
  const [program = "", flag, text] = step.words;
  if (SHELLS.has(program) && flag === "-c" && text !== undefined && step.words.length === 3)
    return splitScript(text)?.map((inner) => withVariables(inner, step.variables));
  const wrapped = wrappedWords(step.words);
  if (wrapped !== undefined) return [{ ...step, words: wrapped }];
  const call = scriptCall(step.words, scripts);
  return call === undefined ? "as it is" : stepsOfScript(call, step, scripts);
}

/** What a wrapper runs. Coverage is left out, unless the wrapper itself is to fail for it. */
function wrappedWords(words: readonly string[]): readonly string[] | undefined {
  const wrapper = WRAPPERS.find((each) => each.every((word, index) => words[index] === word));
  if (wrapper !== undefined && isProgram(words[wrapper.length])) return words.slice(wrapper.length);
  if (words[0] !== "c8" && words[0] !== "nyc") return undefined;
  const at = words.findIndex((word, index) => index > 0 && isProgram(word));
  return at < 0 || words.slice(0, at).some((word) => word.includes("check-coverage"))
    ? undefined
    : words.slice(at);
}

function isProgram(word: string | undefined): boolean {
  return word !== undefined && !word.startsWith("-");
}

function withVariables(step: Step, variables: readonly string[]): Step {
  return { ...step, variables: [...variables, ...step.variables] };
}

/** `env A=b program` and `cross-env A=b program` set variables too. */
function environmentOf(step: Step): Step | undefined {
  const [program, ...rest] = step.words;
  if (program !== "env" && program !== "cross-env") return undefined;
  const count = rest.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
  if (count < 0 || !isProgram(rest[count])) return undefined;
  return { ...step, words: rest.slice(count), variables: [...step.variables, ...rest.slice(0, count)] };
}

interface ScriptCall {
  readonly name: string;
  readonly more: readonly string[];
}

/** A call of a script of the package, by any of the package managers. */
function scriptCall(words: readonly string[], scripts: Scripts): ScriptCall | undefined {
  const [manager = "", ...all] = words;
  if (!["npm", "pnpm", "yarn"].includes(manager)) return undefined;
  const quiet = new Set(["--silent", "-s", "--quiet"]);
  const rest = all.filter(
    (word, index) =>
      !(quiet.has(word) && all.slice(0, index + 1).every((each) => quiet.has(each) || each === "run")),
  );
  const isRun = rest[0] === "run" || rest[0] === "run-script";
  const [name, ...more] = isRun ? rest.slice(1) : rest;
  const short = ["t", "tst"].includes(name ?? "") && !isRun ? "test" : name;
  if (short === undefined || !(short in scripts)) return undefined;
  if (manager === "npm" && !isRun && short !== "test") return undefined;
  // To npm, what comes before `--` is its own.
  if (manager === "npm" && more.length > 0 && more[0] !== "--") return undefined;
  return { name: short, more: more[0] === "--" ? more.slice(1) : more };
}

/** With what runs before and after it. */
function stepsOfScript(
  { name, more }: ScriptCall,
  step: Step,
  scripts: Scripts,
): readonly Step[] | undefined {
  const own = splitScript(scripts[name] ?? "");
  const last = own?.at(-1);
  if (own === undefined || last === undefined) return undefined;
  const called = [...own.slice(0, -1), { ...last, words: [...last.words, ...more] }];
  const before = scripts[`pre${name}`];
  const after = scripts[`post${name}`];
  const parts = [
    before === undefined ? [] : splitScript(before),
    called,
    after === undefined ? [] : splitScript(after),
  ];
  if (parts.includes(undefined)) return undefined;
  return parts.flatMap((part) => part ?? []).map((inner) => withVariables(inner, step.variables));
}
