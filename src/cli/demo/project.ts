/** The project of the demonstration: small, real, a git repository, and with two bugs that its tests show. */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { NightshiftError } from "../../core/errors.ts";
import type { Environment } from "../../runtime/config.ts";

/** What the second test says, word by word: an agent that has taken it out puts it back. */
export const CURRENCY_TEST: string = `import assert from "node:assert/strict";
import { test } from "node:test";
import { shown } from "../src/currency.js";

test("amounts have two digits behind the point", () => {
  assert.match(shown(1000), /10\\.00/);
});
`;

const FILES: { readonly [path: string]: string } = {
  "package.json": `${JSON.stringify({ name: "invoices", private: true, type: "module", scripts: { test: "node --test" } }, null, 2)}\n`,
  "src/invoice.js": `// Prices are in cents. A discount is a whole number of percent.
export function total(items, discount = 0) {
  const sum = items.reduce((cents, item) => cents + item.price, 0);
  return Math.round(sum * (1 - discount / 100));
}
`,
  "src/currency.js": `// An amount in cents, as people read it.
export const shown = (cents) => String(cents / 100);
`,
  "test/invoice.test.js": `import assert from "node:assert/strict";
import { test } from "node:test";
import { total } from "../src/invoice.js";

test("prices add up", () => {
  assert.equal(total([{ price: 100 }, { price: 250 }]), 350);
});

test("a discount is taken off", () => {
  assert.equal(total([{ price: 200 }], 25), 150);
});

test("quantities count", () => {
  assert.equal(total([{ price: 250, quantity: 4 }]), 1000);
});
`,
  "test/currency.test.js": CURRENCY_TEST,
};

/** Writes the project into a new folder and commits it. @throws NightshiftError `E_WORKSPACE_GIT` without git */
export function writeProject(folder: string, environment: Environment): void {
  for (const [path, text] of Object.entries(FILES)) {
    const target = join(folder, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
  git(folder, environment, "init", "-q");
  git(folder, environment, "add", ".");
  git(folder, environment, "commit", "-q", "-m", "A project with two failing tests");
}

/** Does the folder still have exactly what was committed, on the branch that was checked out? */
export function isUntouched(folder: string, environment: Environment): boolean {
  return git(folder, environment, "status", "--porcelain") === "";
}

/** Without the settings of whoever watches: no hooks, no signatures. */
function git(folder: string, environment: Environment, ...words: readonly string[]): string {
  const who = ["-c", "user.name=demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false"];
  const own = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  const run = spawnSync("git", [...who, "-C", folder, ...words], {
    env: { PATH: environment.PATH, HOME: folder, ...own },
    encoding: "utf8",
  });
  if (run.status === 0) return run.stdout;
  throw new NightshiftError("E_WORKSPACE_GIT", `git ${words[0]} failed: ${run.error?.message ?? run.stderr}`);
}
