/** JavaScript whose tests are made from data of the source, and run on what was built. */
import { type Field, fieldOf, manifest } from "./field.ts";

/** The tax is 20 %; what is in `dist` is built when it is not there. */
export const generated: Field = fieldOf(
  {
    name: "generated",
    files: {
      ".gitignore": "node_modules/\ndist/\n",
      "package.json": manifest("generated", {
        type: "module",
        scripts: {
          test: "sh build.sh && node --test test/*.test.js",
        },
      }),
      "build.sh": "test -e dist/tax.js || { mkdir -p dist && cp src/tax.js dist/tax.js; }\n",
      "src/tax.js": "export const total = (price) => Math.round(price * 1.1 * 100) / 100;\n",
      "src/cases.json":
        '[\n  { "price": 0, "total": 0 },\n  { "price": 10, "total": 12 },\n  { "price": 99, "total": 118.8 }\n]\n',
      "test/tax.test.js": `import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { total } from "../dist/tax.js";

for (const each of JSON.parse(readFileSync("src/cases.json", "utf8")))
  test(\`of \${each.price}\`, () => assert.equal(total(each.price), each.total));
`,
    },
  },
  ["npm", "test"],
  "sed -i 's/price \\* 1.1/price * 1.2/' src/tax.js\n",
);
