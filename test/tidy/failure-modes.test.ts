/** `docs/failure-modes.md` names tests; each of them has to be there. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const text = readFileSync("docs/failure-modes.md", "utf8");
const rows = text.split("\n").filter((line) => /^\| \d/.test(line));

/** The numbers of a row: "26, 28, 29" and "64–66, 68" are several. */
function numbersOf(row: string): number[] {
  const [, cell = ""] = row.split("|");
  return cell.split(",").flatMap((part) => {
    const [first = 0, last = first] = part.split("–").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

test("every known failure mode has a row, and none has two", () => {
  expect(rows.flatMap(numbersOf).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 86 }, (_, index) => index + 1),
  );
});

test.each(rows.map((row) => ({ row, modes: numbersOf(row).join(", ") })))(
  "mode $modes is shown by a test that there is",
  ({ row }) => {
    const [, , , holds = "", shown = ""] = row.split("|");
    const named = /^ `(?<path>[^`]+)` "(?<title>.+)" $/.exec(shown)?.groups;
    if (named === undefined) {
      expect(holds).toContain("there is nothing for these yet");
      return;
    }
    const { path = "", title = "" } = named;
    expect(existsSync(path), path).toBe(true);
    expect(readFileSync(path, "utf8").includes(title), `${path} has "${title}"`).toBe(true);
  },
);
