/** JavaScript with `node --test`: `median` is wrong for an even count, and `parsePrice` for cents. */
import { type Field, fieldOf, manifest, put } from "./field.ts";

const BROKEN_MEDIAN = `export function median(values) {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)];
}
`;

/** As it should be. */
export const MEDIAN = `export function median(values) {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
`;

const PRICE = `export function parsePrice(text) {
  const [, whole, cents = "0"] = /^(\\d+)(?:\\.(\\d{2}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new RangeError(\`no price: \${text}\`);
  return Number(whole) * 100 + Number(cents) * 10;
}
`;

const MEDIAN_TEST = `import assert from "node:assert/strict";
import { test } from "node:test";
import { median } from "../src/median.js";

test("of an odd count", () => {
  assert.equal(median([3, 1, 2]), 2);
});

test("of an even count", () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([10, 2]), 6);
});

test("leaves its input alone", () => {
  const values = [3, 1, 2];
  median(values);
  assert.deepEqual(values, [3, 1, 2]);
});
`;

const PRICE_TEST = `import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePrice } from "../src/price.js";

test("whole", () => {
  assert.equal(parsePrice("12"), 1200);
});

test("with cents", () => {
  assert.equal(parsePrice("12.34"), 1234);
});

test("refuses what is none", () => {
  assert.throws(() => parsePrice("twelve"), RangeError);
});
`;

const files = {
  ".gitignore": "node_modules/\n",
  ".eslintrc.json": '{\n  "rules": { "no-unused-vars": "error", "eqeqeq": "error" }\n}\n',
  "package.json": manifest("money", { type: "module", scripts: { test: "node --test test/*.test.js" } }),
  "src/median.js": BROKEN_MEDIAN,
  "src/price.js": PRICE,
  "test/median.test.js": MEDIAN_TEST,
  "test/price.test.js": PRICE_TEST,
};

/** Mends the median alone. */
export const medianMended: string = put("src/median.js", MEDIAN);

/** Mends the prices alone. */
export const priceMended = "sed -i 's/Number(cents) \\* 10/Number(cents)/' src/price.js\n";

/** The field. */
export const money: Field = fieldOf(
  { name: "money", files },
  ["npm", "test"],
  `${medianMended}${priceMended}`,
);

/** The same with checks that the worker never sees: another runner's, in other processes. */
export const moneyHeldOut: Field = {
  ...money,
  terms: {
    ...money.terms,
    heldOut: {
      files: {
        "median.mjs": `import { median } from "../src/median.js";
const cases = [[[7, 1, 5, 3], 4], [[-4, -2], -3], [[9, 1, 8, 2, 7, 3], 5]];
for (const [values, expected] of cases) if (median(values) !== expected) process.exitCode = 1;
`,
      },
      argv: ["node", "unseen/median.mjs"],
      target: "unseen",
    },
  },
};
