/** Repositories with a bug, and how an agent goes about it: looks, takes a wrong turn, claims too much, and mends it. */
import { type Change, PROJECTS, type Project } from "../projects/table.ts";

/** One repository and its story. */
export interface Story {
  readonly name: string;
  readonly kind: string;
  /** How it is fetched; null for one that is written here. */
  readonly project: Project | null;
  /** Files that are written beside what was fetched. */
  readonly files: Readonly<Record<string, string>>;
  readonly programs: readonly string[];
  readonly check: string;
  /** Applied before the first commit. */
  readonly bug: readonly Change[];
  /** What the agent tries first; the tests stay red. */
  readonly wrong: Change;
  /** Takes the wrong turn back and mends the bug. */
  readonly fix: readonly Change[];
}

function project(name: string): Project {
  const found = PROJECTS.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no project ${name}`);
  return found;
}

const inverse = ({ path, before, after }: Change): Change => ({ path, before: after, after: before });

/** @param about - `before`: what the repository has besides, of which the agent mends nothing */
function story(
  about: Omit<Story, "fix" | "bug"> & { readonly bug: Change; readonly before?: readonly Change[] },
): Story {
  return {
    ...about,
    bug: [...(about.before ?? []), about.bug],
    fix: [inverse(about.wrong), inverse(about.bug)],
  };
}

const DUPLEXIFY = project("duplexify");
const TOOLZ = project("toolz");
const OPTIMISM = project("optimism");

/** As their authors published them, each with one line wrong. */
export const STORIES: readonly Story[] = [
  story({
    name: "duplexify",
    kind: "JavaScript, tape",
    project: DUPLEXIFY,
    files: {},
    programs: ["npm"],
    check: "npm test",
    // Of what fails, nothing may be there only when it fails: tape names such assertions as it goes.
    bug: {
      path: "index.js",
      before: "if (ondrain) ondrain(err)\n    else",
      after: "if (ondrain) ondrain()\n    else",
    },
    wrong: {
      path: "index.js",
      before: "module.exports = Duplexify",
      after: "// It ended too early.\nmodule.exports = Duplexify",
    },
  }),
  story({
    name: "toolz",
    kind: "Python, pytest",
    project: TOOLZ,
    files: { ".gitignore": "__pycache__/\n.pytest_cache/\n" },
    programs: ["python3"],
    check: "python3 -m pytest -q toolz/tests/test_itertoolz.py",
    bug: TOOLZ.bad.change,
    wrong: {
      path: "toolz/itertoolz.py",
      before: "def remove(predicate, seq):",
      after: "# Keeps what it should not.\ndef remove(predicate, seq):",
    },
  }),
  story({
    name: "optimism",
    kind: "TypeScript, mocha",
    project: OPTIMISM,
    files: { ".gitignore": "lib/\nnode_modules/\n" },
    programs: ["npm", "pnpm"],
    check: "pnpm run verify",
    before: [
      {
        path: "package.json",
        before: '"build": "npm run clean',
        after: '"verify": "npm run build && npm run test:esm",\n    "build": "npm run clean',
      },
    ],
    // Without a report to parents, a test of the whole graph would fail by printing all of it, for many minutes.
    bug: {
      path: "src/entry.ts",
      before: "this.value.length === 1 && !mightBeDirty(this)",
      after: "this.value.length === 1 && !this.dirty",
    },
    wrong: {
      path: "src/entry.ts",
      before: "  public dispose() {",
      after: "  // Parents are told too late.\n  public dispose() {",
    },
  }),
];

/** Small enough for every run of the tests. */
export const SMALL: Story = story({
  name: "ledger",
  kind: "JavaScript, node:test",
  project: null,
  files: {
    "ledger.mjs":
      "/** Sums up, in cents. */\nexport function total(entries) {\n  return entries.reduce((sum, { cents }) => sum + cents, 0);\n}\n",
    "ledger.test.mjs":
      'import assert from "node:assert";\nimport { test } from "node:test";\nimport { total } from "./ledger.mjs";\n\n' +
      'test("sums up", () => assert.equal(total([{ cents: 1 }, { cents: 2 }]), 3));\ntest("of nothing", () => assert.equal(total([]), 0));\n',
  },
  programs: [],
  check: "node --test",
  bug: { path: "ledger.mjs", before: "sum + cents, 0", after: "sum - cents, 0" },
  wrong: { path: "ledger.mjs", before: "in cents.", after: "in whole cents." },
});
