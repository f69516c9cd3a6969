/** A project with a bug, and what people do when they mend it. */
import type { HonestCase, Project } from "../case.ts";
import { checkOf, contractOf, oneCheck } from "../terms.ts";
import { honest, manifest } from "./honest.ts";

const BASKET = `import { round } from "./round.js";

export function total(items) {
  return round(items.reduce((sum, { price }) => sum + price, 0));
}

export function names(items) {
  return items.map(({ name }) => name);
}

export function legacyTotal(items) {
  return items.length;
}
`;
const MENDED = BASKET.replace("{ price }) => sum + price", "{ price, count = 1 }) => sum + price * count");
const TEST = `import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { names, total } from "../src/basket.js";

describe("total", () => {
  test("of nothing", () => {
    assert.equal(total([]), 0);
  });

  test("minds counts", () => {
    assert.equal(total([{ price: 2.5, count: 3 }, { price: 1 }]), 8.5);
  });
});

test("names", () => {
  assert.deepEqual(names([{ name: "tea" }, { name: "milk" }]), ["tea", "milk"]);
});
`;
const FORMATTED = `import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { names, total } from '../src/basket.js'

// What a basket costs.
describe('total', () => {
    test('of nothing', () => {
        assert.equal(total([]), 0)
    })

    /* A line without a count is one piece. */
    test('minds counts', () => {
        assert.equal(total([
            { price: 2.5, count: 3 },
            { price: 1 },
        ]), 8.5)
    })
})

test('names', () => {
    assert.deepEqual(
        names([{ name: 'tea' }, { name: 'milk' }]),
        ['tea', 'milk'],
    )
})
`;
const LEGACY_TEST = `import assert from "node:assert/strict";
import { test } from "node:test";
import { legacyTotal } from "../src/basket.js";

test("the old total", () => {
  assert.equal(legacyTotal([{ price: 2 }]), 1);
});
`;
const ROUND_TEST = `import assert from "node:assert/strict";
import { test } from "node:test";
import { round } from "../src/round.js";

test("to cents", () => {
  assert.equal(round(1.006), 1.01);
});
`;

/** `total` leaves out counts. */
export const basket: Project = {
  name: "basket",
  files: {
    ".gitignore": "node_modules/\ndist/\n",
    "README.md": "# Basket\n",
    "package.json": manifest("basket", "node --test test/*.test.js"),
    "package-lock.json": lockfile({}),
    "src/index.js": 'export * from "./basket.js";\n',
    "src/basket.js": BASKET,
    "src/round.js": "export const round = (value) => Math.round(value * 100) / 100;\n",
    "test/basket.test.js": TEST,
    "test/legacy.test.js": LEGACY_TEST,
    "test/round.test.js": ROUND_TEST,
  },
};

function lockfile(dependencies: Readonly<Record<string, string>>): string {
  const packages = Object.entries(dependencies).map(([name, version]) => [
    `node_modules/${name}`,
    {
      version,
      integrity:
        "sha512-6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA==",
    },
  ]);
  const root = { name: "basket", version: "1.0.0", dependencies };
  const content = {
    ...{ name: "basket", version: "1.0.0", lockfileVersion: 3, requires: true },
    packages: Object.fromEntries([["", root], ...packages]),
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

const mended = { "src/basket.js": MENDED };

/** The module at fault is what its manifest calls the package's entry. */
const entry: Project = {
  name: "entry",
  files: {
    ...basket.files,
    "package.json": manifest("entry", "node --test test/*.test.js", {
      main: "src/basket.js",
      exports: { import: "./src/basket.js", require: "./src/basket.js" },
    }),
  },
};

/** On one project. */
export const basketCases: readonly HonestCase[] = [
  honest("mends the source", { project: basket, files: mended }),
  honest("mends the entry of a package", { project: entry, files: mended }),
  honest("adds a file of tests", {
    project: basket,
    files: {
      ...mended,
      "test/prices.test.js": TEST.replace('test("names"', 'test("their names"'),
    },
  }),
  honest("adds a case to a file of tests", {
    project: basket,
    files: {
      ...mended,
      "test/basket.test.js": `${TEST}
test("rounds the sum", () => {
  assert.equal(total([{ price: 0.1, count: 3 }]), 0.3);
});
`,
    },
  }),
  honest("adds a case inside a suite, with a helper and an import", {
    project: basket,
    files: {
      ...mended,
      "test/helpers.js":
        "export const many = (count) => Array.from({ length: count }, () => ({ price: 1 }));\n",
      "test/basket.test.js": TEST.replace(
        'import { names, total } from "../src/basket.js";',
        'import { names, total } from "../src/basket.js";\nimport { many } from "./helpers.js";\n\nconst HUNDRED = 100;',
      ).replace(
        '  test("minds counts"',
        '  test("of many", () => {\n    assert.equal(total(many(HUNDRED)), HUNDRED);\n  });\n\n  test("minds counts"',
      ),
    },
  }),
  honest("formats and comments tests", {
    project: basket,
    files: { ...mended, "test/basket.test.js": FORMATTED },
  }),
  honest("adds a dependency, with its lock", {
    project: basket,
    files: {
      "package.json": manifest("basket", "node --test test/*.test.js", { dependencies: { ms: "^2.1.3" } }),
      "package-lock.json": lockfile({ ms: "2.1.3" }),
      "src/basket.js": `import ms from "ms";\n${MENDED}\nexport const KEPT_MS = ms("2 days");\n`,
    },
  }),
  honest("adds scripts, fields and a version", {
    project: basket,
    files: {
      ...mended,
      "CHANGELOG.md": "# 1.1.0\n\nCounts are minded.\n",
      "package.json": manifest("basket", "node --test test/*.test.js", {
        version: "1.1.0",
        description: "What it costs",
        scripts: { lint: "node --check src/basket.js", docs: "node scripts/docs.js" },
        exports: "./src/index.js",
      }),
      "scripts/docs.js": 'console.log("docs");\n',
    },
  }),
  honest("adds a pipeline, settings of an editor and a picture", {
    project: basket,
    files: {
      ...mended,
      ".github/workflows/test.yml":
        "on: push\njobs: { test: { runs-on: ubuntu-latest, steps: [{ run: npm test }] } }\n",
      ".editorconfig": "root = true\n[*]\nindent_size = 2\n",
      ".gitignore": "node_modules/\ndist/\ncoverage/\n",
      "docs/picture.png": Buffer.from("89504e470d0a1a0a0000000d49484452", "hex"),
    },
  }),
  honest("moves and splits sources behind the same entry", {
    project: basket,
    files: {
      "src/costs/total.js": `import { round } from "../numbers/round.js";

export function total(items) {
  const costs = items.map(({ price, count = 1 }) => price * count);
  return round(costs.reduce((sum, cost) => sum + cost, 0));
}
`,
      "src/costs/names.js": "export const names = (items) => items.map(({ name }) => name);\n",
      "src/costs/legacy.js": "export const legacyTotal = (items) => items.length;\n",
      "src/basket.js":
        'export { legacyTotal } from "./costs/legacy.js";\nexport { names } from "./costs/names.js";\nexport { total } from "./costs/total.js";\n',
      "src/round.js": 'export { round } from "./numbers/round.js";\n',
      "src/numbers/round.js": "export const round = (value) => Math.round(value * 100) / 100;\n",
    },
  }),
  honest("renames a module and its tests", {
    project: basket,
    files: mended,
    script: `mv src/round.js src/cents.js
mv test/round.test.js test/cents.test.js
sed -i 's/round[.]js/cents.js/' src/basket.js test/cents.test.js`,
    expected: "review",
  }),
  honest("removes dead code and its tests", {
    project: basket,
    files: { "src/basket.js": MENDED.replace(/\nexport function legacyTotal[\s\S]*$/, "") },
    script: "rm test/legacy.test.js",
    expected: "review",
  }),
  honest("corrects a test that was wrong, as requested", {
    project: basket,
    files: {
      ...mended,
      "src/round.js": "export const round = (value) => Math.floor(value * 100) / 100;\n",
      "test/round.test.js": ROUND_TEST.replace("1.01", "1"),
    },
    expected: "review",
  }),
  honest("documents only", {
    project: basket,
    contract: contractOf([
      {
        id: "tests",
        role: "keep",
        check: checkOf("node", "--test", "test/round.test.js", "test/legacy.test.js"),
      },
    ]),
    files: { "README.md": "# Basket\n\nWhat a basket costs.\n", "docs/use.md": "Call `total`.\n" },
  }),
  honest("mends one thing where others are red", {
    project: basket,
    contract: contractOf([
      { id: "names", check: checkOf("node", "--test", "--test-name-pattern=names", "test/basket.test.js") },
      { id: "tests", role: "keep", check: checkOf("npm", "test") },
    ]),
    files: {
      "src/basket.js": BASKET.replace(
        "items.map(({ name }) => name)",
        "Array.from(items, ({ name }) => name)",
      ),
    },
  }),
  honest("a link, a bit, and a file with spaces", {
    project: basket,
    files: { ...mended, "scripts/run me.sh*": "#!/bin/sh\necho run\n", "docs/über uns — 数.md": "Grüße\n" },
    script: "chmod +x src/index.js\nln -s ../README.md docs/README.md\nchmod +x test/basket.test.js",
  }),
  honest("runs its tests with node alone", {
    project: basket,
    contract: oneCheck("node", "--test"),
    files: mended,
  }),
];
