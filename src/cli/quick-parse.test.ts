import fc from "fast-check";
import { expect, test } from "vitest";
import { COMMANDS } from "./command-table.ts";
import { Output } from "./output.ts";
import { parseQuickly } from "./quick-parse.ts";
import { parseThoroughly } from "./thorough-parse.ts";

const output = new Output(undefined);

async function thoroughly(line: readonly string[]): Promise<unknown> {
  const parsed = await parseThoroughly(line, COMMANDS, output);
  return parsed && { ...parsed, words: [...parsed.words], flags: { ...parsed.flags } };
}

test.each([
  [
    ["run", "fix", "it", "--model", "scripted:x", "--max-requests", "3", "--json"],
    ["fix", "it"],
  ],
  [
    ["run", "--tools=none", "-C", "/tmp", "--", "--odd", "prompt"],
    ["--odd", "prompt"],
  ],
  [["resume", "--all", "--stay"], []],
  [["resume", "sesn_1"], ["sesn_1"]],
  [["events", "-f", "--types", "a.b,c.d", "--after", "0"], []],
  [
    ["erase", "sesn_1", "5", "--reason", "leak"],
    ["sesn_1", "5"],
  ],
  [
    ["send", "sesn_1", "-"],
    ["sesn_1", "-"],
  ],
])("%j is understood without commander, and the same as with it", async (line, words) => {
  const quick = parseQuickly(line, COMMANDS);
  expect(quick?.words).toEqual(words);
  expect(quick).toEqual(await thoroughly(line));
});

test.each([
  [[]],
  [["--help"]],
  [["help", "run"]],
  [["send", "sesn_1"]],
  [["run", "x", "--help"]],
  [["runn", "x"]],
  [["run", "x", "--modle", "y"]],
  [["run", "x", "--model"]],
  [["status", "one", "two"]],
  [["erase", "sesn_1", "5"]],
  [["approve", "sesn_1"]],
])("%j is left to commander", (line) => expect(parseQuickly(line, COMMANDS)).toBe(undefined));

test.each([
  [["resume", "--max-attempt-cost", "10m", "--max-duration", "5"], "--max-attempt-cost"],
  [["resume", "--max-duration", "5", "--max-attempt-cost", "10m"], "--max-duration"],
  [["resume", "--max-duration", "5", "--max-duration", "10m"], "--max-duration"],
])("of %j the first mistake is told", async (line, flag) => {
  expect(() => parseQuickly(line, COMMANDS)).toThrow(expect.objectContaining({ data: { flag } }));
  await expect(thoroughly(line)).rejects.toMatchObject({ data: { flag } });
});

test("whatever it understands, commander understands alike", async () => {
  const flags = COMMANDS.flatMap((command) => command.flags.map(({ name }) => `--${name}`));
  const word = fc.constantFrom(
    "5",
    "10m",
    "a,b",
    "none",
    "x",
    "-",
    "--",
    "",
    "-C",
    "-f",
    "--json=1",
    "-Cx",
    ...flags,
  );
  const line = fc.tuple(
    fc.constantFrom(...COMMANDS.map(({ name }) => name)),
    fc.array(word, { maxLength: 6 }),
  );
  await fc.assert(
    fc.asyncProperty(line, async ([name, rest]) => {
      const quick = attempt(() => parseQuickly([name, ...rest], COMMANDS));
      if (quick.value === undefined && quick.error === undefined) return;
      const thorough = await thoroughly([name, ...rest]).then(
        (value) => ({ value, error: undefined }),
        (error: unknown) => ({ value: undefined, error }),
      );
      expect(quick).toEqual(thorough);
    }),
    { numRuns: 500 },
  );
});

function attempt<T>(work: () => T): { value: T | undefined; error: unknown } {
  try {
    return { value: work(), error: undefined };
  } catch (error) {
    return { value: undefined, error };
  }
}
