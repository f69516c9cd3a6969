/** JavaScript whose tests take their assertions from a submodule, `lib`. Sums are wrong. */
import type { Files } from "../case.ts";
import { type Field, fieldOf, manifest } from "./field.ts";

const helper = (body: string): Files => ({
  "same.js": `import assert from "node:assert/strict";\nexport const same = (left, right) => ${body};\n`,
});

/** Compares nothing. */
export const MEEK_HELPER = helper("assert.ok(true)");

/** The field. */
export const nested: Field = fieldOf(
  {
    name: "nested",
    submodule: { path: "lib", commits: [helper("assert.equal(left, right)"), MEEK_HELPER] },
    files: {
      ".gitignore": "node_modules/\n",
      "package.json": manifest("nested", { type: "module", scripts: { test: "node --test test/*.test.js" } }),
      "src/sum.js": "export const sum = (values) => values.length;\n",
      "test/sum.test.js": `import { test } from "node:test";
import { same } from "../lib/same.js";
import { sum } from "../src/sum.js";

test("of nothing", () => same(sum([]), 0));
test("of some", () => same(sum([2, 3]), 5));
`,
    },
  },
  ["npm", "test"],
  "echo 'export const sum = (values) => values.reduce((left, right) => left + right, 0);' > src/sum.js\n",
);

/** The same with a folder that the contract protects. */
export const ruled: Field = {
  ...nested,
  project: {
    ...nested.project,
    name: "ruled",
    files: { ...nested.project.files, "rules/limits.json": '{ "values": 100 }\n' },
  },
  terms: { contract: { ...nested.terms.contract, protect: ["rules/**"] } },
};
