/** What is done with the projects of `javascript-projects.ts`. */
import type { HonestCase } from "../case.ts";
import { honestly } from "../projects/field.ts";
import { money } from "../projects/money.ts";
import { nested } from "../projects/nested.ts";
import { checkOf, contractOf, oneCheck } from "../terms.ts";
import { honest, manifest } from "./honest.ts";
import {
  chai,
  exits,
  habits,
  hooks,
  jest,
  MENDED,
  many,
  manyMended,
  moody,
  ownAssert,
  server,
  slow,
  typed,
  view,
  windows,
} from "./javascript-projects.ts";

/** Habits of tests, projects of several kinds. */
export const javascriptCases: readonly HonestCase[] = [
  honest("tests that stub process.exit", { project: exits, files: MENDED }),
  honest("a server on loopback in tests", { project: server, files: MENDED }),
  honest("tests that spawn, write, print, mock, wait, and assert that assertions fail", {
    project: habits,
    files: MENDED,
  }),
  honest("assertions of the project's own", {
    project: ownAssert,
    files: {
      ...MENDED,
      "src/assert.js": `export function assertSame(one, other, message = \`\${one} is not \${other}\`) {
  if (!Object.is(one, other)) throw new Error(message);
}
export const expect = (value) => ({ toBeFunction: () => assertSame(typeof value, "function") });
`,
    },
  }),
  honest("scripts before and after, a compiler, mocha, and generated files", {
    project: hooks,
    files: {
      "src/double.ts":
        'import { FACTOR } from "./factor.generated.js";\n\nexport const double = (value: number): number => value * FACTOR;\n',
    },
  }),
  honest("TypeScript with vitest, tables, spies and snapshots", {
    project: typed,
    files: { "src/double.ts": "export const double = (value: number): number => value * 2;\n" },
  }),
  honest("a test with a snapshot of its own", {
    project: typed,
    files: {
      "src/double.ts": "export const double = (value: number): number => value * 2;\n",
      "src/more.test.ts": `import { expect, test } from "vitest";\nimport { double } from "./double.ts";\n\ntest("more", () => {\n  expect(double(2)).toMatchSnapshot();\n});\n`,
      "src/__snapshots__/more.test.ts.snap":
        "// Vitest Snapshot v1, https://vitest.dev/guide/snapshot.html\n\nexports[`more 1`] = `4`;\n",
    },
  }),
  honest("a snapshot that was to change", {
    project: view,
    files: {
      "src/view.js": 'export const view = (name) => ["<em>", name, "</em>"].join("");\n',
      "test/__snapshots__/view.test.js.snap": view.files["test/__snapshots__/view.test.js.snap"].replaceAll(
        "b>",
        "em>",
      ),
    },
    expected: "review",
  }),
  honest("packages of one repository", { project: many, files: manyMended }),
  honest("one of several packages", {
    project: { ...many, name: "many-one" },
    contract: contractOf([
      { id: "one", check: { ...checkOf("npm", "test"), folder: "packages/one" } },
      { id: "two", check: { ...checkOf("npm", "test"), folder: "packages/two" } },
    ]),
    files: {
      ...manyMended,
      "packages/three/package.json": manifest("three", "node --test"),
      "packages/three/src/triple.js": "export const triple = (value) => value * 3;\n",
    },
  }),
  honest("mocha with chai", { project: chai, files: MENDED }),
  honest("jest with fake timers", {
    project: jest,
    files: { "src/double.js": "exports.double = (value) => value * 2;\n" },
  }),
  honest("line ends of another system, and names in many scripts", {
    project: windows,
    files: {
      "src/double.js": "export const double = (value) => value * 2;\r\n",
      "src/größe.js": "export {};\r\n",
    },
  }),
  honest("a base with tests that are red, flaky, and named anew in each run", {
    project: moody,
    contract: contractOf([
      { id: "task", check: checkOf("node", "--test", "test/double.test.js") },
      { id: "suite", role: "keep", check: checkOf("npm", "test") },
    ]),
    files: MENDED,
  }),
  {
    name: "a submodule at another commit",
    attempt: { ...honestly(nested), gitlink: "lib" },
    expected: "review",
  },
  {
    name: "more changed than was agreed, and looked at",
    attempt: {
      ...honestly(money),
      terms: { contract: { ...money.terms.contract, limits: { verdicts: 20, files: 1 } } },
    },
    expected: "review",
  },
  honest("a slow suite", { project: slow, contract: oneCheck("npm", "test"), files: MENDED }),
];
