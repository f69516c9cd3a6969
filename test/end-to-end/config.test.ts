import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bodiesOf, Place } from "./place.ts";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place[Symbol.asyncDispose]());

function git(...words: readonly string[]): void {
  const who = ["-c", "user.name=someone", "-c", "user.email=someone@example.test"];
  execFileSync("git", [...who, ...words], { cwd: place.project });
}

/** A project with one failing test, and an agent that mends it. */
function project(): void {
  place.write("package.json", JSON.stringify({ type: "module", scripts: { test: "node --test" } }));
  place.write("add.js", "export const add = (a, b) => a - b;\n");
  place.write(
    "add.test.js",
    'import assert from "node:assert";\nimport { test } from "node:test";\nimport { add } from "./add.js";\n' +
      'test("adds", () => assert.equal(add(1, 2), 3));\n',
  );
  const turns = [
    { tools: [{ name: "bash", input: { command: "sed -i 's/a - b/a + b/' add.js" } }] },
    { text: "done" },
  ];
  place.write("../worker.json", JSON.stringify({ turns }));
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "base");
}

test("init finds the tests, writes the file once and trusts it; run then needs no flags", {
  timeout: 60_000,
}, async () => {
  project();
  expect(await place.json(["init"])).toMatchObject({ checks: ["npm test"], is_repository: true });
  const again = await place.run(["init"]);
  expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("nightshift trust") });
  const file = join(place.project, "nightshift.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace(/^setup:.*$/m, ""));
  const refused = await place.run([
    "run",
    "mend it",
    "--model",
    "scripted:../worker.json",
    "--dirty",
    "include",
  ]);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("E_CONFIG_UNTRUSTED") });
  expect((await place.run(["trust"])).code).toBe(4);
  expect(await place.json(["trust", "--yes"])).toMatchObject({ trusted: true, fields: ["check"] });
  const done = await place.run([
    "run",
    "mend it",
    "--model",
    "scripted:../worker.json",
    "--dirty",
    "include",
  ]);
  expect(done.code, done.stdout + done.stderr).toBe(0);
  expect(done.stdout).toContain("verified");
  expect((await place.run(["trust", "--remove"])).code).toBe(0);
  const without = ["run", "hello", "--ignore-project", "--model", "scripted:../worker.json"];
  const free = await place.run(without);
  expect(free.stdout).not.toContain("verified");
});

test("what a trusted file says of checks and caps holds for ralph, too", { timeout: 60_000 }, async () => {
  project();
  const caps = ["max_attempts: 1", "max_duration: 1h", "breaker: { no-progress: off }"];
  place.write("nightshift.yaml", ["check: node --test add.test.js", ...caps].join("\n"));
  git("add", ".");
  git("commit", "-qm", "how agents work here");
  expect((await place.run(["trust", "--yes"])).code).toBe(0);
  const { code, stdout, stderr } = await place.run(["ralph", "--", "true"]);
  expect(code, stdout + stderr).toBe(3);
  const events = await place.events(/sesn_\w+/.exec(stdout)?.[0] ?? "");
  expect(bodiesOf(events, "session.created")).toMatchObject([
    { limits: { attempts: 1, duration_ms: 3_600_000 }, policy: { breakers: { no_progress: "off" } } },
  ]);
  expect(bodiesOf(events, "contract.sealed")).toMatchObject([
    { contract: { criteria: [{ check: { argv: ["node", "--test", "add.test.js"] } }] } },
  ]);
});

test("init says what to do where there are no tests and no repository", async () => {
  const { code, stderr } = await place.run(["init"]);
  expect(code).toBe(0);
  expect(stderr).toContain("no test command was found");
  expect(stderr).toContain("git init");
});

test("init prints a JSON schema of the file", async () => {
  const { stdout } = await place.run(["init", "--schema"]);
  const schema = JSON.parse(stdout) as { properties: object; additionalProperties: boolean };
  expect(Object.keys(schema.properties)).toContain("check");
  expect(schema.additionalProperties).toBe(false);
});

test.each([
  [["help", "nope"], "there is no command 'nope'"],
  [["status", "--state", ""], "--state names no folder"],
])("%j is refused, and nothing is made", async (words, message) => {
  const { code, stderr } = await place.run(words);
  expect(stderr).toContain(`error[E_USAGE]: ${message}`);
  expect(code).toBe(2);
  expect(existsSync(join(place.project, "log.db"))).toBe(false);
});

test("completions name commands, flags and sessions", async () => {
  project();
  const session = await place
    .start(["run", "hello", "--model", "scripted:../worker.json"])
    .says(/session {2}(\S+)/);
  const { stdout: script } = await place.run(["completions", "bash"]);
  const complete = (...words: readonly string[]): string[] => {
    const ask = `${script}\nnightshift() { node ${join(process.cwd(), "bin/nightshift")} "$@"; }\n`;
    const line = `COMP_WORDS=(nightshift ${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length}; _nightshift; echo "\${COMPREPLY[@]}"`;
    const env = place.environment() as NodeJS.ProcessEnv;
    const output = execFileSync("bash", ["-c", ask + line], { cwd: place.project, env, encoding: "utf8" });
    return output.trim().split(" ");
  };
  expect(complete("res")).toEqual(["resume"]);
  expect(complete("run", "--max-cos")).toEqual(["--max-cost", "--max-cost-per-day"]);
  expect(complete("status", "sesn")).toEqual([session]);
  expect((await place.run(["completions", "fish"])).stdout).toContain("complete -c nightshift");
  expect((await place.run(["completions", "zsh"])).stdout).toContain("bashcompinit");
  expect((await place.run(["completions", "tcsh"])).code).toBe(2);
});
