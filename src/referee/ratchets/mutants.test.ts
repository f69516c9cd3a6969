/**
 * Every token of a file of tests is taken out or put something before: whatever is not seen as a loss has to be the
 * same program, by the word of another parser.
 */
import { parseSync } from "oxc-parser";
import { expect, test } from "vitest";
import { compareTests, isNoLoss } from "./compare-tests.ts";
import { Source, visit } from "./syntax.ts";
import { testShapeOf } from "./test-shape.ts";

const SCRIPT = `import { expect, test, describe, beforeEach } from "vitest";
import { add, sub as minus } from "../src/add.js";
const rows = [[1, 2, 3], [2, 2, 4]];
let state;
beforeEach(() => { state = { a: 1 }; });
test("adds", async () => {
  const total = await add(1, 2);
  expect(total).toBe(3);
  expect(() => add("a")).toThrow(/not a number/);
  if (total > 2) expect(minus(3, 1)).toEqual(2); else expect(true).toBe(false);
});
describe("more", () => {
  test.each(rows)("of %s", (a, b, c) => { expect(add(a, b)).toMatchObject({ x: \`v\${a}\` }); });
  for (const row of rows) test("row " + row, () => { expect(row.length).toBeGreaterThan(2); });
});
`;
const PYTHON = `import pytest
from calc import add, sub as minus
ROWS = [(1, 2, 3), (2, 2, 4)]
@pytest.fixture
def state():
    return {"a": 1}
def test_add(state):
    total = add(1, 2)
    assert total == 3, "sum"
    with pytest.raises(TypeError, match="number"):
        add("a")
    if total > 2:
        assert minus(3, 1) == 2
    else:
        assert False
@pytest.mark.parametrize("a,b,c", ROWS)
def test_rows(a, b, c):
    for x in [a, b]:
        assert add(x, x) == pytest.approx(2 * x, abs=0.1)
class TestMore:
    def test_in(self):
        assert add(1, 1) is not None
`;
const PUT = {
  "a.test.js": ["return;", "return\n", "0&&", "!", "if(0)", "void ", ".skip", "?.", "//", "`", "=>0,", "/*"],
  "test_a.py": [
    "return\n",
    "not ",
    "pass;",
    "#",
    "0 and ",
    "\n",
    "return;",
    '"""',
    "lambda:",
    "None if 1 else ",
  ],
};

/** Of all mutants, each so many-th is tried. */
const STEP = 3;

/** The text with one change, as often as there are tokens and ways to change one. */
function* mutantsOf(path: keyof typeof PUT, text: string): Generator<string> {
  const tokens: { readonly from: number; readonly to: number }[] = [];
  visit(Source.parse(path, text)!.tree.topNode, ({ from, to, node }) => {
    if (node.firstChild === null && to > from) tokens.push({ from, to });
    return true;
  });
  for (const { from, to } of tokens) {
    yield text.slice(0, from) + text.slice(to);
    if (/^\w+$/.test(text.slice(from, to))) yield `${text.slice(0, from)}another${text.slice(to)}`;
    for (const put of PUT[path]) yield text.slice(0, from) + put + text.slice(from);
  }
}

/** Those in which nothing is seen to be lost. */
function unseen(
  path: keyof typeof PUT,
  text: string,
): { readonly count: number; readonly mutants: readonly string[] } {
  const base = testShapeOf(path, text)!;
  const all = [...mutantsOf(path, text)].filter((_, index) => index % STEP === 0);
  const mutants = all.filter((mutant) => {
    const shape = testShapeOf(path, mutant);
    return shape !== undefined && isNoLoss(compareTests(base, shape));
  });
  return { count: all.length, mutants };
}

function programOf(text: string): string {
  const { program, errors } = parseSync("a.test.js", text);
  const isPlace = (key: string): boolean => key === "start" || key === "end" || key === "range";
  return errors.length > 0
    ? ""
    : JSON.stringify(program, (key, value: unknown) => (isPlace(key) ? undefined : value));
}

test("of JavaScript, what is not seen is the same program", () => {
  const { count, mutants } = unseen("a.test.js", SCRIPT);
  expect(count).toBeGreaterThan(1000);
  const program = programOf(SCRIPT);
  expect(mutants.filter((mutant) => programOf(mutant) !== program)).toEqual([]);
});

test("of Python, what is not seen is an empty line or one that is broken within brackets", () => {
  const { count, mutants } = unseen("test_a.py", PYTHON);
  expect(count).toBeGreaterThan(500);
  const words = PYTHON.replace(/\s/g, "");
  expect(mutants.filter((mutant) => mutant.replace(/\s/g, "") !== words)).toEqual([]);
});
