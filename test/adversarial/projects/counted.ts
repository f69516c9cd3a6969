/** JavaScript whose tests are known by their number, or not at all. */
import { checkOf, contractOf } from "../terms.ts";
import { type Field, fieldOf, manifest } from "./field.ts";

const SCRIPTS = { type: "module", scripts: { test: "node --test test/*.test.js" } };

/** Named anew in each run, from cases of the source. Too much is not cut. */
export const unnamed: Field = fieldOf(
  {
    name: "unnamed",
    files: {
      ".gitignore": "node_modules/\n",
      "package.json": manifest("unnamed", SCRIPTS),
      "src/clamp.js": "export const clamp = (value) => Math.max(0, value);\n",
      "src/cases.json": "[[5, 5], [1, 1], [-1, 0], [99, 10]]\n",
      "test/clamp.test.js": `import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { clamp } from "../src/clamp.js";

for (const [value, expected] of JSON.parse(readFileSync("src/cases.json", "utf8")))
  test(\`\${randomUUID()} of \${value}\`, () => assert.equal(clamp(value), expected));
`,
    },
  },
  ["npm", "test"],
  "echo 'export const clamp = (value) => Math.min(10, Math.max(0, value));' > src/clamp.js\n",
);

/** None of which need pass; they do not run where there is nothing to ask. */
export const exempted: Field = {
  ...fieldOf(
    {
      name: "exempted",
      files: {
        ".gitignore": "node_modules/\n",
        "package.json": manifest("exempted", SCRIPTS),
        "src/rate.js": "export const isThere = true;\nexport const rate = () => 2;\n",
        "test/rate.test.js": `import assert from "node:assert/strict";
import { test } from "node:test";
import { isThere, rate } from "../src/rate.js";

test("net: is one", { skip: !isThere }, () => assert.equal(rate(), 1));
test("net: is a number", { skip: !isThere }, () => assert.equal(typeof rate(), "number"));
`,
      },
    },
    ["npm", "test"],
    "sed -i 's/2/1/' src/rate.js\n",
  ),
  terms: {
    contract: contractOf([{ id: "tests", check: { ...checkOf("npm", "test"), exempt: ["*net: *"] } }]),
  },
};
