import { describe, expect, test } from "vitest";
import { type PlainReport, parseCargo, parseGo, parseJunit, parseTap } from "./plain.ts";

function statuses({ tests }: PlainReport): Record<string, string> {
  return Object.fromEntries(
    tests.map(({ file, path, status }) => [[file, ...path].filter(Boolean).join("/"), status]),
  );
}

describe("TAP", () => {
  const text = `TAP version 13
# first
ok 1 should be equal
not ok 2 should be equal too
  ---
    operator: equal
  ...
# second
ok 3 fine # SKIP not here
ok 4 later # TODO
# Subtest: outer
    # Subtest: inner
        ok 1 - deep
        1..1
    ok 1 - inner
    1..1
ok 5 - outer
1..5
# tests 5
`;

  test("groups, subtests, skips", () => {
    const report = parseTap(text);
    expect(report).toMatchObject({ isComplete: true, problems: [] });
    expect(statuses(report)).toEqual({
      "first/should be equal": "passed",
      "first/should be equal too": "failed",
      "second/fine": "skipped",
      "second/later": "skipped",
      "outer/inner/deep": "passed",
      "outer/inner": "passed",
      outer: "passed",
    });
  });

  test.each([
    ["cut off", text.slice(0, text.indexOf("1..5"))],
    ["with a test too few", text.replace("1..5", "1..6")],
    ["that bailed out", text.replace("# second", "Bail out!")],
    ["of nothing", ""],
  ])("a report %s is not complete", (_how, report) => {
    expect(parseTap(report).isComplete).toBe(false);
  });
});

describe("go", () => {
  const lines = [
    { Action: "start", Package: "a" },
    { Action: "run", Package: "a", Test: "TestX" },
    { Action: "run", Package: "a", Test: "TestX/sub" },
    { Action: "pass", Package: "a", Test: "TestX/sub" },
    { Action: "pass", Package: "a", Test: "TestX" },
    { Action: "skip", Package: "a", Test: "TestY" },
    { Action: "pass", Package: "a" },
    { Action: "start", Package: "b" },
    { Action: "fail", Package: "b" },
  ].map((line) => JSON.stringify(line));

  test("tests, and packages that fail without one", () => {
    const report = parseGo([...lines, "not json", "{"].join("\n"));
    expect(report.isComplete).toBe(true);
    expect(statuses(report)).toEqual({
      "a/TestX": "passed",
      "a/TestX/sub": "passed",
      "a/TestY": "skipped",
      b: "failed",
    });
  });

  test("a package without its end is not complete", () => {
    expect(parseGo(lines.slice(0, -1).join("\n")).isComplete).toBe(false);
    expect(parseGo("").isComplete).toBe(false);
  });
});

describe("cargo", () => {
  const text = `   Compiling demo v0.1.0
     Running unittests src/lib.rs (target/debug/deps/demo-0a1b)

running 3 tests
test tests::adds ... ok
test tests::breaks - should panic ... FAILED
test tests::slow ... ignored

failures:

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

   Doc-tests demo

running 1 test
test src/lib.rs - add (line 3) ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s
`;

  test("units and examples in documentation", () => {
    const report = parseCargo(text);
    expect(report.isComplete).toBe(true);
    expect(statuses(report)).toEqual({
      "src/lib.rs/tests/adds": "passed",
      "src/lib.rs/tests/breaks": "failed",
      "src/lib.rs/tests/slow": "skipped",
      "demo/src/lib.rs - add (line 3)": "passed",
    });
  });

  test.each([
    ["a summary", text.slice(0, text.lastIndexOf("test result"))],
    ["a test", text.replace("test tests::adds ... ok\n", "")],
    ["everything", ""],
  ])("without %s it is not complete", (_what, report) => {
    expect(parseCargo(report).isComplete).toBe(false);
  });
});

describe("JUnit", () => {
  test("suites in suites", () => {
    const report = parseJunit(`<?xml version="1.0"?><testsuites><testsuite name="all"><testsuite name="Adds">
      <testcase name="adds" classname="Adds" file="tests/AddTest.php"/>
      <testcase name="fails"><failure>no</failure></testcase>
      <testcase name="breaks"><error/></testcase>
      <testcase name="waits"><skipped/></testcase>
    </testsuite></testsuite></testsuites>`);
    expect(report).toMatchObject({ isComplete: true, problems: [] });
    expect(statuses(report)).toEqual({
      "tests/AddTest.php/all/Adds/adds": "passed",
      "all/Adds/fails": "failed",
      "all/Adds/breaks": "failed",
      "all/Adds/waits": "skipped",
    });
  });

  test.each(["", "<testsuites>", "<testsuites/>", "no xml", "<testsuite name='a'><testcase"])(
    "%j shows nothing",
    (text) => {
      expect(parseJunit(text)).toMatchObject({ tests: [], isComplete: false });
    },
  );
});
