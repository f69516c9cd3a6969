import { describe, expect, test } from "vitest";
import { type ReadSource, readSource } from "./read.ts";

function read(text: string, name: string): ReadSource {
  return readSource({ text, name });
}

const PLAN: readonly string[] = [
  "---",
  "# Faster **search**",
  "",
  "Searching takes too long.",
  "",
  "## Validation Commands",
  "- `npm test`",
  "- `npm run lint` passes",
  "- look at it",
  "",
  "## Work ##",
  "Prose that is no item.",
  "- [ ] Add an **index** for [titles](docs/titles.md)",
  "  that is kept up to date",
  "  - a query of 3 words takes less than 50 ms",
  "  1. open the page",
  "  2. type a word",
  "  - Check: `npm test -- index`",
  "  Verify: `GET /search?q=a` has 10 results",
  "- [x] Remove the old scan. Check: `! grep -rn scan src`",
  "* [X] Three",
  "Check: `npm run three`",
  "",
  "```md",
  "- [ ] an example",
  "```",
  "<!-- - [ ] not now -->",
  "### A section",
  "Verify: the page of settings has a switch",
  "### Another section",
  "1. a list",
  "2. without a box",
];

describe("Markdown", () => {
  const items = (text: string): unknown => {
    const source = read(text, "plan.md");
    return source.kind === "plan" ? source.plan.items : [];
  };

  test("a whole plan", () => {
    const source = read(PLAN.join("\r\n"), "plan.md");
    expect(source).toEqual({
      kind: "plan",
      plan: {
        form: "a plan in Markdown",
        goal: "Faster search\n\nSearching takes too long.",
        checks: ["npm test", "npm run lint"],
        items: [
          {
            id: undefined,
            description: "Add an index for titles that is kept up to date",
            steps: ["open the page", "type a word"],
            checks: ["npm test -- index"],
            rubric: ["a query of 3 words takes less than 50 ms", "`GET /search?q=a` has 10 results"],
            needs: [],
            isMarked: false,
          },
          {
            id: undefined,
            description: "Remove the old scan",
            steps: [],
            checks: ["! grep -rn scan src"],
            rubric: [],
            needs: [],
            isMarked: true,
          },
          {
            id: undefined,
            description: "Three",
            steps: [],
            checks: ["npm run three"],
            rubric: [],
            needs: [],
            isMarked: true,
          },
          {
            id: undefined,
            description: "A section",
            steps: [],
            checks: [],
            rubric: ["the page of settings has a switch"],
            needs: [],
            isMarked: false,
          },
        ],
      },
    });
  });

  test("commands in a fence below their heading", () => {
    const source = read(
      "## Checks\n```sh\n# all of them\n$ npm test\nnpm run lint\n```\n- [ ] one thing",
      "plan.md",
    );
    expect(source).toMatchObject({ plan: { checks: ["npm test", "npm run lint"] } });
  });

  test("boxes within an item are part of it", () => {
    expect(items("- [ ] outer\n    - [x] first\n    - [ ] second\n- [ ] next")).toMatchObject([
      { description: "outer", rubric: ["first", "second"], isMarked: false },
      { description: "next" },
    ]);
  });

  test("numbered boxes, and tabs", () => {
    expect(items("1. [ ] one\n\t- seen by `a`\n2) [x] two")).toMatchObject([
      { description: "one", rubric: ["seen by `a`"] },
      { description: "two", isMarked: true },
    ]);
  });
});
