/** Sorting that takes too long; the tests measure it. */
import { type Field, fieldOf, manifest, put } from "./field.ts";

const SLOW = `export function sorted(values) {
  const until = Date.now() + 600;
  while (Date.now() < until);
  return [...values].sort((left, right) => left - right);
}
`;

/** JavaScript with `node --test`. */
export const timed: Field = fieldOf(
  {
    name: "timed",
    files: {
      ".gitignore": "node_modules/\n",
      "package.json": manifest("timed", { type: "module", scripts: { test: "node --test test/*.test.js" } }),
      "src/sorted.js": SLOW,
      "test/sorted.test.js": `import assert from "node:assert/strict";
import { test } from "node:test";
import { sorted } from "../src/sorted.js";

test("sorts", () => assert.deepEqual(sorted([3, 1, 2]), [1, 2, 3]));
test("takes less than 300 ms", () => {
  const start = performance.now();
  sorted([3, 1, 2]);
  assert.ok(performance.now() - start < 300);
});
`,
    },
  },
  ["npm", "test"],
  "sed -i '/until/d' src/sorted.js\n",
);

/** Python with pytest. */
export const timedPython: Field = fieldOf(
  {
    name: "timed-python",
    files: {
      "ordered.py": "import time\n\n\ndef ordered(values):\n    time.sleep(0.6)\n    return sorted(values)\n",
      "tests/test_ordered.py": `import time

from ordered import ordered


def test_orders():
    assert ordered([3, 1, 2]) == [1, 2, 3]


def test_takes_less_than_300_ms():
    start = time.perf_counter()
    ordered([3, 1, 2])
    assert time.perf_counter() - start < 0.3
`,
    },
  },
  ["python3", "-m", "pytest", "-q"],
  put("ordered.py", "def ordered(values):\n    return sorted(values)"),
);
