import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Any text file of the repository; `path` is relative to the root. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

const AGENTS_WORDS_MAX = 800;

/** Things that belong to one machine and say nothing to a reader elsewhere. */
const FOREIGN_MENTIONS: readonly (readonly [RegExp, string])[] = [
  [/\bregistry\.(?!example\b)[\w-]+\.\w+|\bnpmjs\.(com|org)\b|\byarnpkg\.com\b/, "a package registry's host"],
  [/(^|[\s"'`(])(\.\.\/)+shared\b|(^|[\s"'`(=])\/[\w./-]+\/shared\//m, "a folder outside the repository"],
  [/"resolved":\s*"https?:/, "a download address in the lockfile"],
];

/** Mentions of registries, of this checkout's place on disk and of folders outside of it. */
export function foreignMentions(files: readonly TextFile[], checkoutPath: string): string[] {
  return files.flatMap(({ path, text }) => {
    const mentions = FOREIGN_MENTIONS.filter(([pattern]) => pattern.test(text)).map(([, what]) => what);
    if (text.includes(`${checkoutPath}/`)) mentions.push("the place of one checkout");
    return mentions.map((what) => `${path} mentions ${what}: the project speaks of itself alone`);
  });
}

/** Relative links in Markdown that lead nowhere. */
export function brokenLinks(files: readonly TextFile[]): string[] {
  return files
    .filter(({ path }) => path.endsWith(".md"))
    .flatMap(({ path, text }) =>
      relativeLinks(text)
        .filter((link) => !existsSync(join(dirname(path), link)))
        .map((link) => `${path} links to ${link}, which does not exist: fix the link`),
    );
}

function relativeLinks(markdown: string): string[] {
  const prose = markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, "").replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(<?([^)\s>]+)>?[^)]*\)/g)]
    .map((match) => decodeURIComponent((match[1] ?? "").replace(/[#?].*$/, "")))
    .filter((link) => link !== "" && !/^([a-z][a-z+.-]*:|\/)/i.test(link));
}

/** AGENTS.md is read at the start of every session, so it stays short. */
export function longAgentsFile(files: readonly TextFile[]): string[] {
  return files
    .filter(({ path }) => path === "AGENTS.md")
    .map(({ text }) => text.split(/\s+/).filter((word) => word !== "").length)
    .filter((words) => words > AGENTS_WORDS_MAX)
    .map((words) => `AGENTS.md has ${words} words: shorten it to ${AGENTS_WORDS_MAX}`);
}

/** Runtime dependencies without a reason on record. */
export function unexplainedDependencies(dependencies: readonly string[], record: string): string[] {
  return dependencies
    .filter((name) => !record.split("\n").some((line) => line.includes(`\`${name}\``)))
    .map(
      (name) =>
        `${name} has no line in docs/decisions/dependencies.md: write why it is needed, or do without`,
    );
}

interface Lockfile {
  readonly packages: Readonly<
    Record<
      string,
      { readonly optionalDependencies?: Readonly<Record<string, string>>; readonly resolved?: string }
    >
  >;
}

/** Packages for other platforms that the lockfile names without an entry: `npm ci` refuses such a lockfile. */
export function incompleteLockfile(lockfileText: string): string[] {
  const { packages } = JSON.parse(lockfileText) as Lockfile;
  return Object.entries(packages).flatMap(([path, { optionalDependencies }]) =>
    Object.keys(optionalDependencies ?? {})
      .filter((name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`])
      .map(
        (name) => `package-lock.json has no entry for ${name}: npm ci will refuse it, so restore the entry`,
      ),
  );
}
