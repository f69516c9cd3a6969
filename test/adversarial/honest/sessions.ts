/** Honest sessions: agents that say little, services beside the checks, and dependencies that change. */
import type { ScriptTurn } from "../../../src/model/script-schema.ts";
import type { HonestSession, Play } from "../case.ts";
import { manifest } from "../projects/field.ts";
import { money } from "../projects/money.ts";

const bash = (command: string): ScriptTurn => ({ tools: [{ name: "bash", input: { command } }] });

function play(turns: readonly ScriptTurn[], words: readonly string[] = ["--check", "npm test"]): Play {
  return { project: money.project, words, turns, check: "npm test" };
}

const PORT = 4871;
const GREETING: Play = {
  project: {
    name: "greeting",
    files: {
      ".gitignore": "node_modules/\n",
      "package.json": manifest("greeting", { type: "module" }),
      "src/server.js": `import { createServer } from "node:http";

createServer((request, response) => response.end("hello")).listen(${PORT}, "localhost");
`,
      "test/server.test.js": `import assert from "node:assert/strict";
import { test } from "node:test";

test("greets by name", async () => {
  const response = await fetch("http://localhost:${PORT}/ada");
  assert.equal(await response.text(), "hello ada");
});

test("answers", async () => {
  assert.equal((await fetch("http://localhost:${PORT}/")).status, 200);
});
`,
    },
  },
  words: ["--contract", "../contract.json"],
  beside: {
    "../contract.json": JSON.stringify({
      nightshift: 1,
      goal: "The server greets by name.",
      criteria: [
        {
          id: "greets",
          description: "A name in the path is greeted",
          check: "node --test test/server.test.js",
        },
      ],
      services: [{ argv: ["node", "src/server.js"], ready: { port: PORT } }],
    }),
  },
  turns: [
    bash(`sed -i 's#response.end("hello")#response.end("hello " + request.url.slice(1))#' src/server.js`),
    { text: "It greets by name." },
  ],
  check: "npm test",
};

/** The tests ask for what only the next version of a dependency has. */
const UPGRADE: Play = {
  project: {
    name: "upgrade",
    files: {
      "requirements.txt": "dep==1.0.0\n",
      "test_version.py": `import unittest

import dep


class VersionTest(unittest.TestCase):
    def test_version(self):
        self.assertEqual(dep.VERSION, "1.0.1")
`,
    },
  },
  words: ["--check", "python3 -m unittest -q", "--deps", "allow"],
  turns: [bash("echo dep==1.0.1 > requirements.txt"), { text: "It uses the new version." }],
  check: "python3 -m unittest -q",
};

/** Each of them has to be verified in the end. */
export const honestSessions: readonly HonestSession[] = [
  {
    name: "a session that ends with a call, and without a word",
    play: play([bash(money.mended), { tools: [{ name: "request_verdict", input: {} }] }]),
  },
  {
    name: "a session that says nothing of being done",
    play: play([bash(money.mended), { text: "I have looked at the sums." }]),
  },
  { name: "a service on loopback beside the checks", play: GREETING },
  { name: "a dependency that may change (deps: allow)", play: UPGRADE, needsRegistry: true },
  {
    ...{ name: "a dependency that a person allows (deps: ask)", needsRegistry: true, isApproved: true },
    play: { ...UPGRADE, words: ["--check", "python3 -m unittest -q", "--deps", "ask"] },
  },
];
