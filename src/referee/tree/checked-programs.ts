/** What a check runs besides test runners, and the files by which such programs go: those decide, too. */
import { posix } from "node:path";
import type { Check, Contract } from "../../core/contract/contract.ts";
import type { Difference } from "./difference.ts";

/** Configuration of programs that are recognised by their name in a command. Globs. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  eslint: ["eslint.config.*", ".eslintrc", ".eslintrc.*", ".eslintignore"],
  tsc: ["tsconfig*.json"],
  "vue-tsc": ["tsconfig*.json"],
  biome: ["biome.json", "biome.jsonc"],
  prettier: [".prettierrc", ".prettierrc.*", "prettier.config.*", ".prettierignore"],
  oxlint: [".oxlintrc.json"],
  c8: [".c8rc", ".c8rc.json"],
  nyc: [".nycrc", ".nycrc.*", "nyc.config.*"],
  ava: ["ava.config.*"],
  karma: ["karma.conf.*"],
  playwright: ["playwright.config.*"],
  cypress: ["cypress.config.*"],
  turbo: ["turbo.json"],
  nx: ["nx.json", "project.json"],
  lerna: ["lerna.json"],
  ruff: ["ruff.toml", ".ruff.toml"],
  mypy: ["mypy.ini", ".mypy.ini"],
  pyright: ["pyrightconfig.json"],
  flake8: [".flake8"],
  pylint: [".pylintrc", "pylintrc"],
  coverage: [".coveragerc"],
  nox: ["noxfile.py"],
  "golangci-lint": [".golangci.*"],
  clippy: ["clippy.toml", ".clippy.toml"],
  rspec: [".rspec", "spec_helper.rb"],
  rake: ["Rakefile"],
  phpunit: ["phpunit.xml", "phpunit.xml.dist"],
  deno: ["deno.json", "deno.jsonc"],
  bun: ["bunfig.toml"],
  bats: ["*.bats", "*.bash"],
  make: ["GNUmakefile", "makefile", "Makefile", "*.mk"],
  just: ["justfile", "Justfile", ".justfile"],
  task: ["Taskfile.yml", "Taskfile.yaml"],
};
/** Scripts that are there to check; others that a command names may be what is checked. */
const SCRIPT = /\.(sh|bash|zsh|ps1)$|(^|[/_.-])(tests?|specs?|checks?|verify|ci)([/_.-]|$)/i;
const MANAGER = /^(npm|pnpm|yarn|bun)$/;
const TEXTS_MAX = 200;

/** Globs of files that the checks' programs go by, and those of the base that the checks name themselves. */
export async function protectedByPrograms(contract: Contract, difference: Difference): Promise<string[]> {
  const found = await Promise.all(
    contract.criteria.map(async ({ check }) => (check === null ? [] : protectedBy(check, difference))),
  );
  return found.flat();
}

async function protectedBy(check: Check, difference: Difference): Promise<string[]> {
  const texts = [check.argv.join(" "), ...(await scriptsRunBy(check, difference))];
  const words = texts.flatMap((text) => text.split(/[\s;&|()<>"'`=]+/)).filter((word) => word !== "");
  const globs = words.flatMap((word) => PROGRAMS[posix.basename(word).replace(/^gmake$/, "make")] ?? []);
  const named = words
    .filter((word) => SCRIPT.test(word))
    .map((word) => posix.join(check.folder, word))
    .filter((path) => difference.base.has(path));
  return [...globs, ...named.map((path) => `/${path.replace(/[\\*?[\]{}]/g, "\\$&")}`)];
}

/** Texts of the package scripts that a check comes to, with those before and after them. */
async function scriptsRunBy({ argv, folder, shell }: Check, difference: Difference): Promise<string[]> {
  const words = shell ? argv.join(" ").split(/[\s;&|()]+/) : argv;
  if (!words.some((word) => MANAGER.test(word))) return [];
  const scripts = scriptsIn((await difference.text("base", posix.join(folder, "package.json"))) ?? "");
  const open = words.filter((word) => word in scripts);
  const seen = new Set<string>();
  for (let name = open.pop(); name !== undefined && seen.size < TEXTS_MAX; name = open.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const inside = (scripts[name] ?? "").split(/[\s;&|()"']+/).filter((word) => word in scripts);
    open.push(...inside, ...[`pre${name}`, `post${name}`].filter((each) => each in scripts));
  }
  return [...seen].map((name) => scripts[name] ?? "");
}

function scriptsIn(manifest: string): Readonly<Record<string, string>> {
  try {
    const { scripts = {} } = JSON.parse(manifest) as { readonly scripts?: Record<string, unknown> };
    const texts = Object.entries(scripts).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    );
    return Object.assign(Object.create(null), Object.fromEntries(texts)) as Record<string, string>;
  } catch {
    return {};
  }
}
