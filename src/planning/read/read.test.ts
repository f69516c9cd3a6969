import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NightshiftError } from "../../core/errors.ts";
import { type ReadSource, readSource, readSourceFile } from "./read.ts";

function read(text: string, name: string): ReadSource {
  return readSource({ text, name });
}

function refusal(text: string, name = "plan.json"): NightshiftError {
  try {
    read(text, name);
  } catch (error) {
    expect(error).toBeInstanceOf(NightshiftError);
    return error as NightshiftError;
  }
  return expect.fail("it was read");
}

const CONTRACT = '{ "goal": "g", "criteria": [] }';
const story = (fields: string): string => `{\n"userStories": [\n{ "id": 1, "title": "t"${fields} }\n]\n}`;

describe("what does not fit is named by line and field", () => {
  test.each<[string, string, string]>([
    ["no JSON", '{ "goal": \n x }', "line 2: it is not JSON"],
    ["cut off", '{\n"userStories": [\n', "line 3: it is not JSON"],
    ["nothing known", "{}", "none of criteria, userStories and features"],
    ["a number", "12", "none of criteria"],
    ["null", "null", "none of criteria"],
    [
      "a key twice",
      '{ "criteria": [],\n "goal": "a",\n "goal": "b" }',
      'line 3: "goal" is there twice in the top level',
    ],
    [
      "a key twice by escape",
      '{ "criteria": [ { "id": "a", "description": "d", "\\u0069d": "b" } ] }',
      '"id" is there twice in criteria[0]',
    ],
    ["too deep", `{ "criteria": ${"[".repeat(70)}${"]".repeat(70)} }`, "nested deeper than 64"],
    [
      "an unknown field",
      '{ "goal": "g",\n "criterias": 1, "criteria": [] }',
      'Unrecognized key: "criterias"',
    ],
    [
      "a wrong kind",
      '{ "goal": "g",\n "criteria": [\n { "description": 3 } ] }',
      "line 3, criteria[0].description",
    ],
    ["a missing field", '{ "goal": "g",\n "criteria": [\n {} ] }', "line 3, criteria[0].description"],
    ["a newer form", '{ "nightshift": 2, "criteria": [] }', "newer Nightshift"],
    [
      "a check with two commands",
      '{ "criteria": [ { "description": "d",\n "check": { "command": "a", "argv": ["a"] } } ] }',
      "line 2, criteria[0].check: give either",
    ],
    [
      "a check without an end",
      '{ "criteria": [ { "description": "d",\n "check": "a \'b" } ] }',
      "line 2, criteria[0].check",
    ],
    ["a set-up for a shell", '{ "criteria": [], "setup": "a | b" }', "setup takes a command"],
    ["stories that are none", '{ "userStories": {} }', "userStories"],
    ["no stories", '{ "userStories": [] }', "there are no stories"],
    [
      "a story without words",
      '{ "userStories": [\n{ "id": 1 } ] }',
      "line 2, userStories[0]: it needs a title",
    ],
    [
      "criteria of a story that are a text",
      story(',\n"acceptanceCriteria": "x"'),
      "line 4, userStories[0].acceptanceCriteria",
    ],
    [
      "a misspelt field of a contract",
      '{ "nightshift": 1, "criteria": [\n{ "descripton": "x" }] }',
      'line 2, criteria[0].descripton: Unrecognized key: "descripton"',
    ],
    [
      "a misspelt field of a check",
      '{ "nightshift": 1, "criteria": [{ "description": "x",\n"check": { "comand": "npm test" } }] }',
      'line 2, criteria[0].check.comand: Unrecognized key: "comand"',
    ],
    [
      "a form of held-out files that is wrong otherwise",
      '{ "nightshift": 1, "criteria": [{ "description": "x", "check": { "command": "a", "held_out": { "digest": "b", "target": "c" } } }] }',
      "criteria[0].check.held_out.digest: must be a SHA-256",
    ],
    ["no features", "[]", "there are no features"],
    ["a feature without words", '[{ "description": " " }]', "[0].description: it is empty"],
  ])("%s", (_name, text, message) => {
    const error = refusal(text);
    expect(error.code).toBe("E_CONTRACT_FILE");
    expect(error.message).toContain("plan.json");
    expect(error.message).toContain(message);
  });

  test("Markdown without items", () => {
    expect(refusal("# Plan\n\nDo it well.\n", "plan.md")).toMatchObject({ code: "E_CONTRACT_FILE" });
  });
});

describe("prd.json", () => {
  test("stories in the order of priority, whatever they say of themselves", () => {
    const plan = read(
      JSON.stringify({
        project: "Shop",
        branchName: "ralph/shop",
        description: "Sell things",
        userStories: [
          {
            id: "US-002",
            title: "Pay",
            description: "As a buyer I pay",
            acceptanceCriteria: [
              "A paid order shows `paid`",
              "Typecheck passes",
              "Running `npm run e2e` exits with 0.",
            ],
            priority: 2,
            passes: true,
            dependencies: ["US-001"],
            notes: "Use the gateway",
          },
          {
            id: "US-001",
            title: "Basket",
            acceptanceCriteria: null,
            priority: 1,
            passes: false,
            more: { deep: [1] },
          },
          { id: 7, title: "Last", passes: "yes" },
        ],
      }),
      "prd.json",
    );
    expect(plan).toEqual({
      kind: "plan",
      plan: {
        form: "user stories",
        goal: "Sell things",
        checks: [],
        items: [
          {
            id: "US-001",
            description: "Basket",
            steps: [],
            checks: [],
            rubric: [],
            needs: [],
            isMarked: false,
          },
          {
            id: "US-002",
            description: "Pay\nAs a buyer I pay\nUse the gateway",
            steps: [],
            checks: ["npm run e2e"],
            rubric: ["A paid order shows `paid`", "Typecheck passes"],
            needs: ["US-001"],
            isMarked: true,
          },
          { id: "7", description: "Last", steps: [], checks: [], rubric: [], needs: [], isMarked: false },
        ],
      },
    });
  });
});

describe("feature_list.json", () => {
  const feature = {
    category: "functional",
    description: "New chat button makes a conversation",
    steps: ["Open the page", "Click New Chat", "Verify a conversation is there", "2. Check that it is empty"],
    passes: true,
  };

  test.each([
    ["a list", [feature]],
    ["an object", { features: [feature] }],
  ])("%s: steps that look are what is graded", (_name, value) => {
    expect(read(JSON.stringify(value), "feature_list.json")).toMatchObject({
      plan: {
        goal: undefined,
        items: [
          {
            id: undefined,
            description: feature.description,
            steps: feature.steps,
            rubric: ["Verify a conversation is there", "2. Check that it is empty"],
            isMarked: true,
          },
        ],
      },
    });
  });
});
describe("files", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "nightshift-read-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("a byte order mark is left out", async () => {
    writeFileSync(join(folder, "x.json"), `\ufeff${CONTRACT}`);
    const source = await readSourceFile(join(folder, "x.json"), "x.json");
    expect(source).toEqual({ name: "x.json", text: CONTRACT });
    expect(readSource(source).kind).toBe("contract");
  });

  test("a link to a file is that file", async () => {
    writeFileSync(join(folder, "x.json"), CONTRACT);
    symlinkSync("x.json", join(folder, "y.json"));
    await expect(readSourceFile(join(folder, "y.json"), "y.json")).resolves.toMatchObject({ text: CONTRACT });
  });

  test.each<[string, (path: string) => void, string]>([
    ["nothing", () => undefined, "does not exist"],
    ["a folder", (path) => execFileSync("mkdir", [path]), "is not a file"],
    ["a pipe", (path) => execFileSync("mkfifo", [path]), "is not a file"],
    ["a device", (path) => symlinkSync("/dev/zero", path), "is not a file"],
    ["a circle", (path) => symlinkSync(path, path), "cannot be read"],
    ["an empty file", (path) => writeFileSync(path, " \n"), "is empty"],
    ["UTF-16", (path) => writeFileSync(path, Buffer.from("\ufeff{}", "utf16le")), "is UTF-16"],
    ["Latin-1", (path) => writeFileSync(path, Buffer.from("caf\u00e9", "latin1")), "is not UTF-8"],
    ["a program", (path) => writeFileSync(path, "a\nb\0c"), "line 2 has a zero byte"],
    ["a large file", (path) => largeFile(path), "are the limit"],
  ])("%s", async (_name, make, message) => {
    const path = join(folder, "x.json");
    make(path);
    const reading = readSourceFile(path, "x.json");
    await expect(reading).rejects.toMatchObject({
      code: "E_CONTRACT_FILE",
      message: expect.stringContaining(message),
    });
    await expect(reading).rejects.toThrow("x.json");
  });

  function largeFile(path: string): void {
    writeFileSync(path, "");
    truncateSync(path, 2 * 1024 * 1024 + 1);
  }
});
