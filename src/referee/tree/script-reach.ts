/**
 * Which scripts of a `package.json` a check comes to, so that the others are the worker's. What cannot be told by the
 * texts of the base counts as all of them.
 */
import { posix } from "node:path";
import type { Contract } from "../../core/contract/contract.ts";
import { splitPieces } from "../../core/contract/shell-pieces.ts";
import type { RunnerMatch } from "../contract.ts";
import { type Difference, folderOf, foldersOf, nameOf } from "./difference.ts";
import { matcherOf } from "./globs.ts";
import { reachOf } from "./script-programs.ts";

/** Does a check come to this script of this `package.json`? */
export type ScriptReach = (manifest: string, script: string) => boolean;

/** Run when dependencies are made ready, whatever the check is. */
export const LIFECYCLE: ReadonlySet<string> = new Set([
  ...["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"],
  ...["prepack", "postpack", "prepublishOnly", "dependencies"],
]);
/** What a file says that may come to a package script. */
const MAY_RUN = /\b(?:npm|pnpm|yarn|bunx?|npx|run-[sp]|npm-run-all2?|lerna|turbo|nx|wireit|package\.json)\b/;
/** A name that is put together where it is used. */
const MADE_UP = /\b(?:npm|pnpm|yarn|bun)\b[^\n]*(?:\$[\w{(]|`\s*\+|["']\s*\+|%s|\bf["'][^\n]*\{)/;
const NAME_CHARACTER = /[\w:.@/-]/;
const ENDINGS: readonly string[] = [
  "",
  ".js",
  ".cjs",
  ".mjs",
  ".ts",
  ".mts",
  ".cts",
  "/index.js",
  "/index.ts",
];
const DEPTH_MAX = 16;
const TEXTS_MAX = 1000;
const FILES_MAX = 5000;

/** Reads both trees. */
export async function scriptReach(
  contract: Contract,
  matches: readonly RunnerMatch[],
  difference: Difference,
): Promise<ScriptReach> {
  const walk = new Walk(difference);
  for (const { check } of contract.criteria) {
    if (check !== null) await walk.text(textOf(check.argv, check.shell), check.folder);
  }
  for (const { argv, ready } of contract.services) {
    await walk.text(textOf(argv, false), "");
    if ("argv" in ready) await walk.text(textOf(ready.argv, false), "");
  }
  const manifests = difference.changes
    .map(({ path }) => path)
    .filter((path) => nameOf(path) === "package.json");
  for (const manifest of manifests) await walk.lifecycle(manifest);
  await walk.files([...matches.flatMap(({ protects }) => protects), ...contract.protect]);
  return (manifest, script) => walk.reaches(manifest, script);
}

function textOf(argv: readonly string[], isShell: boolean): string {
  return isShell ? argv.join(" ") : argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

class Walk {
  readonly #difference: Difference;
  #isLost = false;
  /** Manifests of which nobody can tell what installing them comes to. */
  readonly #lost = new Set<string>();
  /** By manifest: texts that name scripts of it. */
  readonly #texts = new Map<string, string[]>();
  /** Texts of files that may name scripts of any. */
  readonly #everywhere: string[] = [];
  readonly #seen = new Set<string>();

  constructor(difference: Difference) {
    this.#difference = difference;
  }

  reaches(manifest: string, script: string): boolean {
    if (this.#isLost || this.#lost.has(manifest) || LIFECYCLE.has(script)) return true;
    const texts = this.#texts.get(manifest) ?? [];
    return [script, hookedBy(script)].some(
      (name) =>
        texts.some((text) => mentions(text, name) || matchesPattern(text, name)) ||
        this.#everywhere.some((text) => mentions(text, name)),
    );
  }

  /** Of a command, called in this folder. */
  async text(text: string, folder: string, depth = 0): Promise<void> {
    if (this.#isLost) return;
    const key = JSON.stringify([text, folder]);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const pieces = depth > DEPTH_MAX || this.#seen.size > TEXTS_MAX ? undefined : splitPieces(text);
    if (pieces === undefined) return this.#lose();
    for (const { words } of pieces) await this.#command(words, folder, depth);
  }

  /** What installing comes to, beside what is always run then. */
  async lifecycle(manifest: string): Promise<void> {
    const scripts = await this.#scriptsIn(manifest);
    const wasLost = this.#isLost;
    for (const name of LIFECYCLE) {
      const text = scripts.get(name);
      if (text !== undefined) await this.text(text, folderOf(manifest));
    }
    if (!wasLost && this.#isLost) {
      this.#isLost = false;
      this.#lost.add(manifest);
    }
  }

  /** Tests and what sets them up may start anything. */
  async files(globs: readonly string[]): Promise<void> {
    const isMeant = matcherOf(globs);
    const paths = [...this.#difference.base.keys()].filter(
      (path) => nameOf(path) !== "package.json" && !path.includes("node_modules/") && isMeant(path),
    );
    if (paths.length > FILES_MAX) return this.#lose();
    for (const path of paths) {
      const text = (await this.#difference.text("base", path)) ?? "";
      if (!MAY_RUN.test(text)) continue;
      if (MADE_UP.test(text)) return this.#lose();
      this.#everywhere.push(text);
    }
  }

  #lose(): void {
    this.#isLost = true;
  }

  async #command(words: readonly string[], folder: string, depth: number): Promise<void> {
    const manifest = this.#manifestOf(folder);
    const scripts = await this.#scriptsIn(manifest);
    const reach = reachOf(words, (name) => scripts.has(name));
    switch (reach.kind) {
      case "nothing":
        return;
      case "unknown":
        return this.#lose();
      case "command":
        return depth > DEPTH_MAX ? this.#lose() : this.#command(reach.words, folder, depth + 1);
      case "text":
        return this.text(reach.text, folder, depth + 1);
      case "files":
        return this.#programs(reach.words, folder);
      case "names":
        return this.#names(words.join(" "), manifest, scripts, depth);
    }
  }

  async #names(
    text: string,
    manifest: string,
    scripts: ReadonlyMap<string, string>,
    depth: number,
  ): Promise<void> {
    if (/[$`{}?[\]!]/.test(text)) return this.#lose();
    const named = withLongNames(text);
    this.#texts.set(manifest, [...(this.#texts.get(manifest) ?? []), named]);
    for (const [name, script] of scripts) {
      const isNamed = [name, hookedBy(name)].some(
        (each) => mentions(named, each) || matchesPattern(named, each),
      );
      if (isNamed) await this.text(script, folderOf(manifest), depth + 1);
    }
  }

  /** Programs of the project: what they say they may do, too. */
  async #programs(words: readonly string[], folder: string): Promise<void> {
    const paths = words
      .flatMap((word) => ENDINGS.map((ending) => posix.join(folder, word) + ending))
      .filter((path) => this.#difference.base.has(path));
    if (paths.length === 0) return this.#lose();
    for (const path of paths) {
      const text = await this.#difference.text("base", path);
      if (text === undefined || MAY_RUN.test(text)) return this.#lose();
    }
  }

  /** Of the nearest package, as its manager looks for it. */
  #manifestOf(folder: string): string {
    const normal = posix.normalize(folder).replace(/\/$/, "");
    const places = normal === "." ? [""] : [normal, ...foldersOf(normal), ""];
    const paths = places.map((place) => posix.join(place, "package.json"));
    return paths.find((path) => this.#difference.base.has(path)) ?? "package.json";
  }

  async #scriptsIn(manifest: string): Promise<ReadonlyMap<string, string>> {
    try {
      const parsed: unknown = JSON.parse(
        ((await this.#difference.text("base", manifest)) ?? "").replace(/^\ufeff/, ""),
      );
      const { scripts = {} } = parsed as { readonly scripts?: object };
      return new Map(
        Object.entries(scripts).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
      );
    } catch {
      return new Map();
    }
  }
}

/** Some scripts have short names, and `restart` is two more. */
function withLongNames(text: string): string {
  return /\b(?:t|tst|it|cit|install-test)\b/.test(text)
    ? `${text} test`
    : /\brestart\b/.test(text)
      ? `${text} stop start`
      : text;
}

/** The script that another one runs before or after; itself for one that is no hook. */
function hookedBy(name: string): string {
  return /^(?:pre|post)(.+)$/.exec(name)?.[1] ?? name;
}

/** Is this name in the text? */
function mentions(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + 1)) {
    const [before = "", after = ""] = [text[at - 1], text[at + name.length]];
    const isApart =
      !NAME_CHARACTER.test(before) || /(?:^|[^\w])(?:npm|pnpm|yarn|bun):$/.test(text.slice(0, at));
    if (isApart && !NAME_CHARACTER.test(after)) return true;
  }
  return false;
}

function matchesPattern(text: string, name: string): boolean {
  return text
    .split(/[\s"']+/)
    .filter((word) => word.includes("*"))
    .some((word) => patternOf(word.replace(/^(?:npm|pnpm|yarn|bun):/, "")).test(name));
}

function patternOf(word: string): RegExp {
  const parts = word.split(/\*+/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s");
}
