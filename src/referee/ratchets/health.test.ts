import { describe, expect, test } from "vitest";
import { healthOf } from "./health.ts";

const code = (count: number, name = "step"): string =>
  Array.from({ length: count }, (_, index) => `  ${name}(${index});`).join("\n");
const told = (...pairs: readonly (readonly [path: string, before: string, after: string])[]): string[] =>
  healthOf(pairs.map(([path, before, after]) => ({ path, before, after }))).map(
    ({ effect, gate, path, detail }) => `${effect} ${gate} ${path}: ${detail}`,
  );

describe("files that grow", () => {
  test("are named when they are long, and have grown by much", () => {
    expect(told(["a.ts", code(300), code(900)])).toEqual([
      "note health a.ts: has grown from 300 to 900 lines",
    ]);
    expect(told(["a.py", "", code(900)])).toEqual(["note health a.py: has grown from 0 to 900 lines"]);
  });

  test.each([
    ["short ones", "a.ts", 10, 790],
    ["a little", "a.ts", 900, 1000],
    ["a little, for their length", "a.ts", 2000, 2300],
    ["shorter ones", "a.ts", 2000, 900],
    ["texts", "a.md", 0, 2000],
  ])("not %s", (_what, path, before, after) => {
    expect(told([path, code(before), code(after)])).toEqual([]);
  });
});

describe("code that is there twice", () => {
  const body = code(15, "work");

  test("is named where it was repeated", () => {
    expect(told(["a.ts", body, body], ["b.ts", "", `first();\n${body}\nlast();`])).toEqual([
      "note health b.ts: has 12 lines and more that are in a.ts, too",
    ]);
    expect(told(["a.ts", body, `${body}\n${code(3)}\n${body}`])).toEqual([
      "note health a.ts: has 12 lines and more that are in itself, too",
    ]);
  });

  test("is not named when it moves, was there twice before, or is short, or says nothing", () => {
    expect(told(["a.ts", body, ""], ["b.ts", "", body])).toEqual([]);
    expect(told(["a.ts", body, `x();\n${body}`], ["b.ts", body, `${body}\ny();`])).toEqual([]);
    expect(told(["a.ts", "", code(11)], ["b.ts", "", code(11)])).toEqual([]);
    const much = `${body}\n${code(100_000)}`;
    expect(told(["a.ts", "", much], ["b.ts", "", much]).join("\n")).not.toContain("and more that are in");
    const same = "  push(0);\n".repeat(40);
    expect(told(["a.ts", "", same], ["b.ts", "", same])).toEqual([]);
    const imports = Array.from({ length: 30 }, (_, index) => `import { a${index} } from "./a.js";`).join(
      "\n",
    );
    expect(told(["a.ts", "", imports], ["b.ts", "", imports])).toEqual([]);
  });
});
