/** Files that dependencies are taken from, by their names: what a set-up may read, and a little more. */
import type { Json } from "./text.ts";

const SET_UP_FILE =
  /^(package\.json|npm-shrinkwrap\.json|.*\.(lock|txt|in|patch)|.*-lock\.(json|yaml)|pnpm-workspace\.yaml|\.pnpmfile\.cjs|\.npmrc|\.yarnrc(\.yml)?|pyproject\.toml|(Cargo|config)\.toml|config|rust-toolchain.*|go\.(mod|sum|work)|go\.work\.sum|\.(node|python|ruby|go)-version|\.nvmrc|\.tool-versions)$/;
/** Names that mean something else more often than not. */
const VAGUE = /(^|\/)(config(\.toml)?|(?!requirements)[^/]*\.(in|patch|txt))$/;
const MANAGERS: ReadonlySet<string> = new Set("npm pnpm yarn pip pip3 uv poetry cargo go".split(" "));
/** What one tells them to change dependencies. */
const VERBS: ReadonlySet<string> = new Set(
  "add ci dedupe get i install lock remove rm sync tidy uninstall up update upgrade".split(" "),
);
/** A longer text is no command that somebody typed; what it changes is seen at the next checkpoint. */
const COMMAND_LENGTH_MAX = 4000;

/** Might a file of this name be read by a set-up? Only then is it worth a closer look. */
export function isSetUpFile(path: string): boolean {
  return SET_UP_FILE.test(path.slice(path.lastIndexOf("/") + 1));
}

/** Might a call with this input change what dependencies there are? A look too many costs one checkpoint. */
export function namesSetUp(input: Json): boolean {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return false;
  const { file_path: path, command } = input as { readonly [key: string]: Json | undefined };
  if (typeof path === "string") return isSetUpFile(path);
  if (typeof command !== "string" || command.length > COMMAND_LENGTH_MAX) return false;
  return command.split(/[;&|\n]/).some((part) => changesDependencies(part.split(/[\s'"`=:()<>]+/)));
}

function changesDependencies(words: readonly string[]): boolean {
  const manager = words.findIndex((word) => MANAGERS.has(word));
  const isAsked = manager !== -1 && words.slice(manager).some((word) => VERBS.has(word));
  return isAsked || words.some((word) => isSetUpFile(word) && !VAGUE.test(word));
}
