/** Small projects in JavaScript, each with a bug, tests that fail for it, and tests that pass. */
import type { Project } from "../case.ts";

const IGNORED = "node_modules/\ncoverage/\n";

function manifest(name: string, test: string, more: object = {}): string {
  return `${JSON.stringify({ name, version: "1.0.0", private: true, type: "module", scripts: { test }, ...more }, null, 2)}\n`;
}

/** `median` is wrong for an even count, and `parsePrice` for cents. */
export const money: Project = {
  name: "money",
  files: {
    ".gitignore": IGNORED,
    "package.json": manifest("money", "node --test test/*.test.js"),
    "src/median.js": `export function median(values) {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)];
}
`,
    "src/price.js": `export function parsePrice(text) {
  const [, whole, cents = "0"] = /^(\\d+)(?:\\.(\\d{2}))?$/.exec(text) ?? [];
  if (whole === undefined) throw new RangeError(\`no price: \${text}\`);
  return Number(whole) * 100 + Number(cents) * 10;
}
`,
    "test/median.test.js": `import assert from "node:assert/strict";
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
`,
    "test/price.test.js": `import assert from "node:assert/strict";
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
`,
  },
};

/** What is wrong in {@link money}, mended. */
export const moneyMended: string = `cat > src/median.js <<'END'
export function median(values) {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
END
sed -i 's/Number(cents) \\* 10/Number(cents)/' src/price.js
`;
