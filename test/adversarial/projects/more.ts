/** Projects whose runner is set up by their manifest, that mock, that count, and that are typed. */
import { checkOf, contractOf } from "../terms.ts";
import { type Field, fieldOf, manifest, put } from "./field.ts";

const IGNORED = "node_modules/\n";

const STACK_TEST = `const { expect } = require("chai");
const { last } = require("../src/last.js");

describe("last", () => {
  it("is set up", () => {
    expect(globalThis.isSetUp).to.equal(true);
  });

  it("gives the last item", () => {
    expect(last([1, 2, 3])).to.equal(3);
  });
});
`;

/** Mocha, set up by what its manifest names; the entry of the package is the module at fault. */
export const lasts: Field = fieldOf(
  {
    name: "lasts",
    files: {
      ".gitignore": IGNORED,
      "package.json": manifest("lasts", {
        main: "src/last.js",
        exports: { ".": "./src/last.js" },
        scripts: { test: "mocha" },
        mocha: { spec: ["test/**/*.spec.js"], require: ["./tools/set-up"] },
      }),
      "tools/set-up.js": "globalThis.isSetUp = true;\n",
      "src/last.js": "exports.last = (items) => items[0];\n",
      "test/last.spec.js": STACK_TEST,
    },
  },
  ["npm", "test"],
  put("src/last.js", "exports.last = (items) => items.at(-1);"),
);

/** Jest, set up by a file that its manifest names; compiled by its own settings. */
export const caps: Field = fieldOf(
  {
    name: "caps",
    files: {
      ".gitignore": IGNORED,
      "package.json": manifest("caps", {
        scripts: { test: "jest" },
        jest: { testEnvironment: "node", setupFilesAfterEnv: ["<rootDir>/tools/ready.js"] },
      }),
      "tools/ready.js": "expect.extend({});\n",
      "src/caps.js": "exports.caps = (text) => text;\n",
      "test/caps.test.js": `const { caps } = require("../src/caps.js");

test("makes capitals", () => {
  expect(caps("abc")).toBe("ABC");
});

test("of nothing", () => {
  expect(caps("")).toBe("");
});
`,
    },
  },
  ["npm", "test"],
  put("src/caps.js", "exports.caps = (text) => text.toUpperCase();"),
);

/** Node, whose tests come in by the package's own name, as users do. */
const named: Field = fieldOf(
  {
    name: "named",
    files: {
      ".gitignore": IGNORED,
      "package.json": manifest("named", {
        type: "module",
        exports: "./src/area.js",
        scripts: { test: "node --test test/*.test.js" },
      }),
      "src/area.js": "export const area = (width, height) => width + height;\n",
      "test/area.test.js": `import assert from "node:assert/strict";
import { test } from "node:test";
import { area } from "named";

test("of a field", () => {
  assert.equal(area(3, 4), 12);
});

test("of nothing", () => {
  assert.equal(area(0, 0), 0);
});
`,
    },
  },
  ["npm", "test"],
  "sed -i 's/width + height/width * height/' src/area.js\n",
);

/** The same with checks that the worker never sees. */
export const namedHeldOut: Field = {
  ...named,
  terms: {
    ...named.terms,
    heldOut: {
      files: {
        "area.mjs":
          'import { area } from "named";\nif (area(7, 8) !== 56 || area(1, 9) !== 9) process.exitCode = 1;\n',
      },
      argv: ["node", "unseen/area.mjs"],
      target: "unseen",
    },
  },
};

/** Vitest, with a stand-in for the rates; `inEuro` divides where it has to multiply. */
export const rates: Field = fieldOf(
  {
    name: "rates",
    files: {
      ".gitignore": IGNORED,
      "package.json": manifest("rates", { type: "module", scripts: { test: "vitest run" } }),
      "vite.config.js": "export default { test: { include: ['test/**/*.test.js'] } };\n",
      "src/rates.js": "export const rateOf = () => { throw new Error('offline'); };\n",
      "src/__mocks__/rates.js": "export const rateOf = (currency) => ({ usd: 0.5, gbp: 2 })[currency];\n",
      "src/euro.js":
        'import { rateOf } from "./rates.js";\n\nexport const inEuro = (sum, currency) => sum / rateOf(currency);\n',
      "test/euro.test.js": `import { expect, test, vi } from "vitest";
import { inEuro } from "../src/euro.js";

vi.mock("../src/rates.js");

test("of dollars", () => {
  expect(inEuro(10, "usd")).toBe(5);
});

test("of pounds", () => {
  expect(inEuro(10, "gbp")).toBe(20);
});
`,
    },
  },
  ["npm", "test"],
  "sed -i 's#sum / rateOf#sum * rateOf#' src/euro.js\n",
);

/** Pytest, with the answers in a file beside the tests. */
export const scores: Field = fieldOf(
  {
    name: "scores",
    files: {
      ".gitignore": "__pycache__/\n.pytest_cache/\n",
      "setup.cfg": "[tool:pytest]\ntestpaths = tests\npythonpath = .\n",
      "scores.py": "def score(hits, misses):\n    return hits - misses\n",
      "tests/data/scores.json": "[[5, 1, 9], [3, 0, 6], [0, 4, -4]]\n",
      "tests/test_scores.py": `import json
from pathlib import Path

from scores import score

ROWS = json.loads((Path(__file__).parent / "data" / "scores.json").read_text())


def test_every_row():
    for hits, misses, expected in ROWS:
        assert score(hits, misses) == expected


def test_of_nothing():
    assert score(0, 0) == 0
`,
    },
  },
  ["python3", "-m", "pytest", "-q"],
  "sed -i 's/hits - misses/2 * hits - misses/' scores.py\n",
);

/** Sorting must not compare more than it needs; it counts by itself. */
const merged = `let compared = 0;

export function sorted(values, before) {
  compared = 0;
  return merge(values, (one, other) => {
    compared += 1;
    return before(one, other);
  });
}

export const comparisons = () => compared;

function merge(values, before) {
  if (values.length < 2) return [...values];
  const middle = values.length >> 1;
  const [left, right] = [merge(values.slice(0, middle), before), merge(values.slice(middle), before)];
  const result = [];
  while (left.length > 0 && right.length > 0)
    result.push(before(right[0], left[0]) ? right.shift() : left.shift());
  return [...result, ...left, ...right];
}
`;
const sorting: Field = {
  ...fieldOf(
    {
      name: "sorting",
      files: {
        ".gitignore": IGNORED,
        "package.json": manifest("sorting", {
          type: "module",
          scripts: { test: "node --test test/*.test.js" },
        }),
        "src/sorted.js": `let compared = 0;

export function sorted(values, before) {
  compared = 0;
  const result = [];
  for (const value of values) {
    let at = 0;
    while (at < result.length && (compared++, !before(value, result[at]))) at++;
    result.splice(at, 0, value);
  }
  return result;
}

export const comparisons = () => compared;
`,
        "test/sorted.test.js": `import assert from "node:assert/strict";
import { test } from "node:test";
import { comparisons, sorted } from "../src/sorted.js";

const values = Array.from({ length: 256 }, (_, at) => (at * 97) % 256);
const before = (one, other) => one < other;

test("sorts", () => {
  assert.deepEqual(sorted([3, 1, 2], before), [1, 2, 3]);
});

test("compares little", () => {
  sorted(values, before);
  assert.ok(comparisons() < 2500, String(comparisons()));
});
`,
      },
    },
    ["npm", "test"],
    put("src/sorted.js", merged),
  ),
};

/** The same, counted by those who never show themselves. */
export const sortingHeldOut: Field = {
  ...sorting,
  terms: {
    ...sorting.terms,
    heldOut: {
      files: {
        "count.mjs": `import { sorted } from "../src/sorted.js";
const values = Array.from({ length: 512 }, (_, at) => (at * 197) % 512);
let count = 0;
const result = sorted(values, (one, other) => { count += 1; return one < other; });
if (count > 5500 || result.some((value, at) => value !== at)) process.exitCode = 1;
`,
      },
      argv: ["node", "unseen/count.mjs"],
      target: "unseen",
    },
  },
};

/** TypeScript, whose check is the compiler. */
export const typed: Field = fieldOf(
  {
    name: "typed-names",
    files: {
      ".gitignore": IGNORED,
      "package.json": manifest("typed-names", { type: "module", scripts: { check: "tsc -p ." } }),
      "tsconfig.json":
        '{\n  "compilerOptions": { "strict": true, "noEmit": true, "module": "nodenext", "types": [] },\n  "include": ["src"]\n}\n',
      "src/names.ts": `export function first(names: readonly string[]): string {
  const found: string | undefined = names.find((name) => name !== "");
  return found;
}
`,
    },
  },
  ["npm", "run", "check"],
  "sed -i 's/return found;/return found ?? \"\";/' src/names.ts\n",
);

/** The data of the source has the answers; the contract protects it. */
export function protecting(field: Field, ...paths: readonly string[]): Field {
  const { contract } = field.terms;
  return { ...field, terms: { ...field.terms, contract: { ...contract, protect: [...paths] } } };
}

/** Two items of `money`, each with a check of its own. */
export function items(field: Field): Field {
  const contract = contractOf([
    { id: "prices", check: checkOf("node", "--test", "test/price.test.js") },
    { id: "medians", check: checkOf("node", "--test", "test/median.test.js") },
  ]);
  return { ...field, terms: { contract } };
}
