import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ReadSource, readSource } from "./read.ts";

function read(text: string, name: string): ReadSource {
  return readSource({ text, name });
}

describe("hostile texts", () => {
  const names = fc.constantFrom("x.json", "x.md", "x");
  const expectReadOrRefused = (source: string, name: string): void => {
    try {
      read(source, name);
    } catch (error) {
      expect(error, String(error)).toMatchObject({ code: "E_CONTRACT_FILE" });
    }
  };

  test("any text is read or refused", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), names, expectReadOrRefused));
  });

  test("any JSON is read or refused", () => {
    const fields = fc.constantFrom(
      "criteria userStories features goal id title description acceptanceCriteria steps check command argv passes priority rubric needs role setup services ready limits protect nightshift __proto__ constructor".split(
        " ",
      ),
    );
    const key = fields.chain((all) => fc.constantFrom(...all));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom("", "a", "npm test", "a 'b", "keep", true, false, null, 0, 1, -1, 1e300),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.array(fc.tuple(key, tie("value")), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
      ),
    }));
    fc.assert(
      fc.property(value, names, (json, name) => expectReadOrRefused(JSON.stringify(json), name)),
      { numRuns: 1000 },
    );
  });

  test("any Markdown is read or refused", () => {
    const pieces = fc.constantFrom(
      ..."- [ ] |- [x] |# |## |  |\t|\n|\r\n|`|```|~~~|Check: |Verify: |<!--|-->|**|[|](|)|1. |* |Checks|a|npm test|'|\u2028".split(
        "|",
      ),
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (parts) =>
        expectReadOrRefused(parts.join(""), "x.md"),
      ),
      { numRuns: 1000 },
    );
  });

  test.each([
    ["brackets", "[".repeat(1_000_000)],
    ["nested lists", "[".repeat(500_000) + "]".repeat(500_000)],
    ["one long key", `{"userStories":[{"${"a".repeat(500_000)}":${"[".repeat(60)}${"]".repeat(60)}}]}`],
    ["one long text", `{"userStories":[{"title":"${"\\n".repeat(500_000)}"}]}`],
    ["many lines", "\n".repeat(1_000_000)],
    ["many boxes", "- [ ] a\n".repeat(100_000)],
    ["many marks", "# ".repeat(500_000)],
    ["stars", "*".repeat(1_000_000)],
    ["comments", "<!--".repeat(250_000)],
    ["spaces", `- [ ] ${" ".repeat(1_000_000)}x`],
    ["dashes", `- [ ] ${"-".repeat(1_000_000)}x`],
    ["links", `- [ ] ${"[a](".repeat(250_000)}`],
    ["checks", `- [ ] ${"check: `a".repeat(100_000)}`],
  ])("%s take no time", (_name, source) => {
    expectReadOrRefused(source, "x.json");
    expectReadOrRefused(source, "x.md");
  });
});
