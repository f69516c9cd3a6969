import { describe, expect, test } from "vitest";
import { compareTests, describeLosses } from "./compare-tests.ts";
import { Source } from "./syntax.ts";
import { testShapeOf } from "./test-shape.ts";

/** What is lost, for people; empty for nothing. */
function lost(path: string, before: string, after: string): string {
  const [old, now] = [testShapeOf(path, before), testShapeOf(path, after)];
  if (old === undefined || now === undefined) return "not to be read";
  return describeLosses(compareTests(old, now));
}

const normalised = (path: string, text: string): string => {
  const source = Source.parse(path, text);
  return source === undefined ? "" : source.normalised(source.tree.topNode);
};

describe("formatting changes nothing", () => {
  test.each([
    ["a.js", "f('a', b => [1, 2])", 'f(\n  "a",\n  (b) => [\n1,\n2,\n],\n);'],
    ["a.js", "const x = 'it\\'s'", 'const x = "it\'s";'],
    ["a.ts", "let x: number // why", "/* so */ let x: number;"],
    ["a.tsx", "const a = <B c='d'>\n  e\n</B>", 'const a = <B c="d">\n  e\n</B>;'],
    ["a.py", "f('a', [1, 2])  # why", 'f(\n    "a",\n    [\n        1,\n        2,\n    ],\n)'],
    ["a.py", "if x:\n  y()\n", "if x:\n\n    y()\n"],
  ])("%s: %s", (path, one, other) => {
    expect(normalised(path, one)).toBe(normalised(path, other));
  });
});

describe("what looks like formatting and is more", () => {
  test.each([
    ["a.js", "f((a, b) => c)", "f(a, b => c)"],
    ["a.js", "function f() { return expect(1) }", "function f() { return\nexpect(1) }"],
    ["a.js", "f([,])", "f([])"],
    ["a.js", "f(`a b`)", "f(`a  b`)"],
    ["a.js", "f('a b')", "f('a  b')"],
    ["a.js", "for (;a;) b()", "for (a;;) b()"],
    ["a.js", "f(/a b/)", "f(/a  b/)"],
    ["a.js", "f('\\'\\\\')", "f('\\\\\\'')"],
    ["a.py", "f((1,))", "f((1))"],
    ["a.py", "if x:\n  y()\n  z()", "if x:\n  y()\nz()"],
    ["a.py", "f('a')", "f(r'a')"],
    ["a.py", 'f("""a\n b""")', 'f("""a\nb""")'],
  ])("%s: %s", (path, one, other) => {
    expect(normalised(path, one)).not.toBe(normalised(path, other));
  });
});

describe("assertions", () => {
  const js = (text: string): string => `test("t", () => { ${text} });`;
  const py = (text: string): string => `def test_t():\n    ${text}\n`;
  test.each([
    [js("expect(f()).toBe(1)"), js("expect(f()).toBeDefined()"), "weakened"],
    [js("expect(f()).toEqual([1])"), js("expect(f()).toBeTruthy()"), "weakened"],
    [js("expect(f()).toBe(1)"), js("expect(f()).not.toBe(1)"), "weakened"],
    [js("expect(f()).toBe(1)"), js("expect(f()).toBe(2)"), "expects something else"],
    [js("expect(f()).toBe(1)"), js("expect(f()).toBeCloseTo(1, 0)"), "tolerates more"],
    [js("expect(f()).toBe(1)"), js("f()"), "removed"],
    [js("assert.equal(f(), 1)"), js("assert.ok(f())"), "weakened"],
    [js("assert.strictEqual(f(), 1)"), js("assert.strictEqual(f(), f())"), "expects something else"],
    [js("expect(f()).to.be.true"), js(""), "removed"],
    [js("f().should.equal(1)"), js("f()"), "removed"],
  ])("%s → %s", (before, after, expected) => {
    expect(lost("a.test.ts", before, after)).toContain(expected);
  });
  test.each([
    [py("assert f() == 1"), py("assert f()"), "weakened"],
    [py("assert f() == 1"), py("assert f() is not None"), "weakened"],
    [py("assert f() == 1"), py("assert f() == 2"), "expects something else"],
    [py("assert f() == 1"), py("assert f() == pytest.approx(1, abs=9)"), "tolerates more"],
    [py("self.assertEqual(f(), 1)"), py("self.assertTrue(f())"), "weakened"],
    [py("with pytest.raises(ValueError): f()"), py("f()"), "removed"],
  ])("%s → %s", (before, after, expected) => {
    expect(lost("test_a.py", before, after)).toContain(expected);
  });
});

describe("Go and Rust", () => {
  const go = `package a\n\nimport (\n\t"testing"\n)\n\nfunc TestA(t *testing.T) {\n\tif f() != 1 {\n\t\tt.Fatal("no")\n\t}\n}\n`;
  const rust = `use a::f;\n\n#[test]\nfn one() {\n    assert_eq!(f(), 1);\n}\n`;
  test.each([
    [
      "a_test.go",
      go,
      go
        .replace('"testing"', '"os"\n\t"testing"')
        .concat("\n// why\nfunc TestB(t *testing.T) {\n\tos.Exit(0)\n}\n"),
    ],
    ["tests/a.rs", rust, `${rust}\nuse a::g;\n\n#[test]\nfn two() {\n    g();\n}\n`],
  ])("%s: a new case is welcome", (path, before, after) => {
    expect(lost(path, before, after)).toBe("");
  });
  test.each([
    [
      "a_test.go",
      go,
      go.replace("func", "func TestMain(m *testing.M) {\n\tos.Exit(0)\n}\n\nfunc"),
      "new, outside of tests",
    ],
    ["a_test.go", go, `//go:build never\n${go}`, "new, outside of tests: //go:build never"],
    ["a_test.go", go, go.replace("\tif f", "\tt.Skip()\n\tif f"), "tests not run any more: TestA (skip)"],
    ["a_test.go", go, go.replace("func", "/*\nfunc").concat("*/\n"), "not to be read"],
    ["a_test.go", go, go.replace("func", "var x = `\nfunc").concat("`\n"), "new, outside of tests"],
    ["tests/a.rs", rust, rust.replace("#[test]", "#[ignore]\n#[test]"), "tests not run any more: one (skip)"],
    ["tests/a.rs", rust, `#![cfg(never)]\n${rust}`, "changed"],
    ["tests/a.rs", rust, `#[cfg(never)]\nmod x {\n${rust}}\n`, "one"],
    ["tests/a.rs", rust, rust.replace("assert_eq!(f(), 1)", "f()"), "removed"],
  ])("%s: %#", (path, before, after, expected) => {
    expect(lost(path, before, after)).toContain(expected);
  });
});

test("a suite in its own words keeps its cases, and a new hook in an old one is seen", () => {
  const before = 'describe("s", () => { it("a", f); describe("t", () => { it("b", g); }); });';
  const added = before.replace('it("b", g);', 'it("b", g); it("c", h);');
  expect(lost("a.test.js", before, added)).toBe("");
  expect(lost("a.test.js", before, before.replace('it("b"', 'beforeEach(i); it("b"'))).toContain(
    "beforeEach ( i )",
  );
  expect(lost("a.test.js", before, before.replace('describe("t"', 'describe.skip("t"'))).toContain(
    "s › t (skip)",
  );
  expect(lost("a.test.js", before, before.replace('it("b", g);', ""))).toBe("tests removed: s › t › b");
});
