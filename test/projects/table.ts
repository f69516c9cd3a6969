/** Published packages that ship their tests, each pinned, and what a session does with it. */

/** A piece of a file, and what takes its place. */
export interface Change {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** A project as its authors published it; files that they left out of the package are in `fixtures`. */
export interface Project {
  readonly name: string;
  readonly kind: string;
  readonly programs: readonly string[];
  /** Packages by the folder that they become; the root is empty. */
  readonly packages: Readonly<Record<string, string>>;
  readonly source: "npm" | "pip";
  /** For `--setup`. */
  readonly setup: string;
  /** Harmless; `command` builds and tests the project, shows the change, and its output has all of `says`. */
  readonly good: { readonly change: Change; readonly command: string; readonly says: readonly RegExp[] };
  /** Harmful; `command` fails, and its output says why. */
  readonly bad: { readonly change: Change; readonly command: string; readonly says: readonly RegExp[] };
}

const TRIE = "packages/trie/src/index.ts";

/** See the top of the file. */
export const PROJECTS: readonly Project[] = [
  {
    name: "duplexify",
    kind: "JavaScript with npm",
    programs: ["npm"],
    packages: { "": "duplexify@4.1.3" },
    source: "npm",
    setup: "npm test",
    good: {
      change: {
        path: "index.js",
        before: "module.exports = Duplexify",
        after: "Duplexify.answer = 'forty-two'\n\nmodule.exports = Duplexify",
      },
      command: `npm test && node -p 'require(".").answer'`,
      says: [/# pass +\d\d/, /# ok/, /^forty-two$/m],
    },
    bad: {
      change: { path: "index.js", before: "prefinished = true", after: "prefinished = false" },
      command: "npm test",
      says: [/^not ok \d+ only prefinish once$/m, /# fail +1$/m],
    },
  },
  {
    name: "optimism",
    kind: "TypeScript with pnpm",
    programs: ["npm", "pnpm"],
    packages: { "": "optimism@0.18.1" },
    source: "npm",
    setup: "pnpm test",
    good: {
      change: {
        path: "src/index.ts",
        before: 'import { Trie } from "@wry/trie";',
        after: 'import { Trie } from "@wry/trie";\n\nexport const answer: string = "forty-two";',
      },
      command: `pnpm run build && pnpm run test:esm && node -p 'require(".").answer'`,
      says: [/4\d passing/, /^forty-two$/m],
    },
    bad: {
      change: {
        path: "src/index.ts",
        before: 'import { Trie } from "@wry/trie";',
        after: 'import { Trie } from "@wry/trie";\n\nexport const answer: string = 42;',
      },
      command: "pnpm exec tsc --noEmit",
      says: [/TS2322/],
    },
  },
  {
    name: "toolz",
    kind: "Python with pip",
    programs: ["python3"],
    packages: { "": "toolz==1.1.0" },
    source: "pip",
    setup: "python3 -m pytest",
    good: {
      change: {
        path: "toolz/itertoolz.py",
        before: "def remove(predicate, seq):",
        after: 'def answer():\n    return "forty-two"\n\n\ndef remove(predicate, seq):',
      },
      command: `python3 -m pytest -q && python3 -c 'from toolz import itertoolz; print(itertoolz.answer())'`,
      says: [/18\d passed/, /^forty-two$/m],
    },
    bad: {
      change: {
        path: "toolz/itertoolz.py",
        before: "return filterfalse(predicate, seq)",
        after: "return filter(predicate, seq)",
      },
      command: "python3 -m pytest -q toolz/tests/test_itertoolz.py",
      says: [/FAILED toolz\/tests\/test_itertoolz\.py::test_remove/],
    },
  },
  {
    name: "wryware",
    kind: "a monorepo with npm's workspaces",
    programs: ["npm"],
    packages: { "packages/context": "@wry/context@0.7.4", "packages/trie": "@wry/trie@0.5.0" },
    source: "npm",
    setup: "npm test",
    good: {
      change: {
        path: TRIE,
        before: "export class Trie<Data> {",
        after: 'export const answer: string = "forty-two";\n\nexport class Trie<Data> {',
      },
      command: `npm run build && npm test && node -p 'require("@wry/trie").answer'`,
      says: [/13 passing[\s\S]*1\d passing|1\d passing[\s\S]*13 passing/, /^forty-two$/m],
    },
    bad: {
      change: {
        path: TRIE,
        before: "export class Trie<Data> {",
        after: "export const answer: string = 42;\n\nexport class Trie<Data> {",
      },
      command: "npm run tsc:esm --workspace @wry/trie",
      says: [/TS2322/],
    },
  },
];
