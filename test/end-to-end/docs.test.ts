import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { EXIT } from "../../src/cli/exit-codes.ts";
import { ERROR_CODES } from "../../src/core/errors.ts";
import { Place } from "./place.ts";

const OF_EVERY_COMMAND = new Set(["--help", "--version", "--state", "--directory", "--json"]);

let place: Place;
beforeAll(() => {
  place = new Place();
});
afterAll(() => place[Symbol.asyncDispose]());

describe("docs/errors.md", () => {
  /** The row that the page must have for a code. */
  function rowOf(code: string, { exit, hint }: { exit: number; hint: string }): string {
    return `| \`${code}\` | ${exit} | ${hint} |`;
  }

  test("has every code with its exit code and next step, and no other", () => {
    const rows = readFileSync("docs/errors.md", "utf8")
      .split("\n")
      .filter((line) => line.startsWith("| `E_"));
    expect(rows).toEqual(Object.entries(ERROR_CODES).map(([code, entry]) => rowOf(code, entry)));
  });
});

describe("docs/cli.md", () => {
  const page = readFileSync("docs/cli.md", "utf8");

  test("explains every command and every flag", { timeout: 120_000 }, async () => {
    const help = await place.run(["--help"]);
    const commands = [...help.stdout.matchAll(/^ {2}([a-z-]+)(?: \[options\])?(?: [<[].*)? {2,}/gm)]
      .map((match) => match[1] ?? "")
      .filter((name) => name !== "help");
    expect(commands.length).toBeGreaterThan(15);
    for (const command of commands) {
      expect(page, command).toMatch(new RegExp(`\`${command}[ \`]`));
      const { stdout } = await place.run([command, "--help"]);
      const flags = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map((match) => match[1] ?? "");
      for (const flag of flags.filter((name) => !OF_EVERY_COMMAND.has(name)))
        expect(page, `${command} ${flag}`).toContain(flag);
    }
  });

  test("explains every exit code", () => {
    const codes = [...page.matchAll(/^\| (\d+)(?:, (\d+))? \|/gm)].flatMap(([, one, other]) =>
      [one, other].filter((code) => code !== undefined).map(Number),
    );
    const known = new Set<number>(Object.values(EXIT));
    expect(new Set(codes)).toEqual(known);
    for (const { exit } of Object.values(ERROR_CODES)) expect(known).toContain(exit);
  });
});

describe("docs/config.md", () => {
  test("has every field of both files, in files that are valid", async () => {
    const { configSchema, projectSchema } = await import("../../src/runtime/config-schema.ts");
    const page = readFileSync("docs/config.md", "utf8");
    const [user = "", project = ""] = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text);
    const fields = (value: object): string[] => Object.keys(value).sort();
    expect(fields(configSchema.parse(parse(user)))).toEqual(fields(configSchema.shape));
    expect(fields(projectSchema.parse(parse(project)))).toEqual(fields(projectSchema.shape));
  });
});

describe("docs/contracts.md", () => {
  const page = readFileSync("docs/contracts.md", "utf8");

  test.each([
    ["json", "contract.json"],
    ["markdown", "plan.md"],
  ])("its example in %s makes a contract", async (language, name) => {
    const [, example = ""] = new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(page) ?? [];
    place.write(name, example);
    expect(await place.json(["assess", "--contract", name])).toMatchObject({ assessment: "fits" });
  });

  test("names everything that the linter says", () => {
    const source = readFileSync("src/core/contract/lint/complaint.ts", "utf8");
    const [, union = ""] = /type LintCode =([^;]+);/.exec(source) ?? [];
    const codes = [...union.matchAll(/"([a-z-]+)"/g)].map(([, code]) => `\`${code}\``);
    expect(codes.length).toBeGreaterThan(15);
    for (const code of codes) expect(page).toContain(code);
  });
});
