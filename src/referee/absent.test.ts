import { expect, test } from "vitest";
import type { Check } from "../core/contract/contract.ts";
import { absentFrom } from "./absent.ts";
import type { TreeReader } from "./contract.ts";

const FILES: Readonly<Record<string, string>> = {
  "package.json": '{ "scripts": { "test": "true" } }',
  "src/main.js": "",
  "packages/web/package.json": "{}",
};

const tree: TreeReader = {
  commit: "0".repeat(40),
  list: async () => Object.keys(FILES).map((path) => ({ path, mode: "100644", object: "0".repeat(40) })),
  read: async (path) => (FILES[path] === undefined ? undefined : Buffer.from(FILES[path])),
} as TreeReader;

const shell = (text: string): Check => ({ argv: [text], folder: "", shell: true });
const words = (...argv: readonly string[]): Check => ({ argv: [...argv], folder: "", shell: false });
const held_out = { digest: "0".repeat(64), target: "unseen" };

test.each<[string, Check, string | undefined]>([
  ["a file", words("node", "check.js"), "check.js"],
  ["a file without its ending", words("node", "src/main"), undefined],
  ["a folder", { ...words("npm", "test"), folder: "packages/api" }, "packages/api"],
  ["a folder that is entered", shell("cd packages/api && npm test"), "packages/api"],
  ["a script", words("npm", "run", "lint"), "package.json"],
  ["a script of a package", shell("cd packages/web && npm test"), "packages/web/package.json"],
  ["a script that is there", words("npm", "test"), undefined],
  ["behind a variable", shell("CI=1 sh check.sh"), "check.sh"],
  ["what a shell makes up", shell("sh $NAME"), undefined],
  ["after a folder that is made up", shell("cd $NAME && sh check.sh"), undefined],
  ["what the command before it makes", shell("npm test && node dist/check.js"), undefined],
  ["a folder that is made before", shell("npm test && cd dist && npm run lint"), undefined],
  ["a script after another command", shell("npm test && npm run lint"), "package.json"],
  ["flags that say what to run", words("node", "-e", "1"), undefined],
  ["a program of the machine", words("/usr/bin/true"), undefined],
  ["held-out files", { ...words("node", "unseen/check.js"), held_out }, undefined],
])("%s", async (_, check, path) => {
  expect((await absentFrom(check, tree))?.path).toBe(path);
});
