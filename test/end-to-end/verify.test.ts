/** `verify` and `export`, as a person uses them: on a session, on any commit, on a file that somebody sent. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, type TestContext, test } from "vitest";
import { chooseSandbox } from "../../src/runtime/registry.ts";
import { type JsonObject, Place } from "./place.ts";

let place: Place;
beforeEach(() => {
  place = new Place();
  place.write("add.mjs", "export const add = (a, b) => a - b;\n");
  const lines = [
    'import { test } from "node:test";',
    'import assert from "node:assert";',
    'import { add } from "./add.mjs";',
  ];
  place.write("add.test.mjs", `${lines.join("\n")}\ntest("adds", () => assert.equal(add(2, 2), 4));\n`);
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "one");
});
afterEach(() => place[Symbol.asyncDispose]());

function git(...words: readonly string[]): string {
  const who = ["-c", "user.name=me", "-c", "user.email=me@example.org"];
  return execFileSync("git", [...who, ...words], { cwd: place.project, encoding: "utf8" }).trim();
}

async function needsIsolation(context: TestContext): Promise<void> {
  const chosen = await chooseSandbox(process.env).catch(() => undefined);
  if (chosen !== "bubblewrap") context.skip("bubblewrap does not work on this machine");
}

/** A session whose agent has mended the code. */
async function verified(): Promise<string> {
  const content = "export const add = (a, b) => a + b;\n";
  const model = place.script(
    { turns: [{ tools: [{ name: "write", input: { file_path: "add.mjs", content } }] }, { text: "Done." }] },
    "../script.json",
  );
  const words = ["run", "mend it", "--check", "node --test", "--sandbox", "bubblewrap", "--model", model];
  const ending = await place.run(words);
  expect(ending.code, ending.stdout + ending.stderr).toBe(0);
  const { sessions } = (await place.json(["list"])) as { sessions: { session_id: string }[] };
  return sessions[0]?.session_id ?? "";
}

describe("a session whose work was verified", { timeout: 180_000 }, () => {
  test("any commit comes before the same referee again, and nothing is written to the log", async (context) => {
    await needsIsolation(context);
    const session = await verified();
    const before = await place.events(session);
    const again = await place.run(["verify"]);
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toContain("every criterion is met");
    const base = await place.run(["verify", session, "--commit", "HEAD", "--json"]);
    expect(base.code, base.stderr).toBe(1);
    expect(JSON.parse(base.stdout)).toMatchObject({
      verdict: { outcome: "unmet", commit: git("rev-parse", "HEAD") },
    });
    git("checkout", "-qb", "own");
    place.write("add.mjs", "export const add = (a, b) => b + a;\n");
    git("commit", "-qam", "mine");
    expect((await place.run(["verify", "own"])).code).toBe(0);
    expect(await place.events(session)).toEqual(before);
    const unknown = await place.run(["verify", session, "--commit", "no-such-thing"]);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain("no commit no-such-thing");
  });

  test("its evidence is one file, which holds offline, against a head, and when the checks run again", async (context) => {
    await needsIsolation(context);
    const session = await verified();
    const made = (await place.json(["export", session, "../evidence.tar"])) as { path: string; head: string };
    const twice = await place.run(["export", session, "../evidence.tar"]);
    expect(twice.code).toBe(2);
    expect(twice.stderr).toContain(`there is something at ${made.path} already`);
    expect((await place.run(["export", session, "missing/evidence.tar"])).code).toBe(2);
    // Somebody else, who has nothing but the file.
    const state = ["--state", join(place.folder, "elsewhere")];
    const looked = await place.run(["verify", made.path, ...state]);
    expect(looked.code, looked.stderr).toBe(0);
    expect(looked.stdout).toMatch(/sound: \d+ events, 1 verdict/);
    expect(looked.stderr).toContain("forgery not");
    const { stdout: report } = await place.run(["report", session, "--text"]);
    const [head = ""] = /\d+:[0-9a-f]{64}$/m.exec(report.slice(report.indexOf("NEXT"))) ?? [];
    expect(head).toBe(made.head);
    const words = ["verify", made.path, "--head", head, "--rerun", ...state];
    const again = (await place.json(words)) as JsonObject;
    expect(again).toMatchObject({
      sound: true,
      head_compared: true,
      verdict: { outcome: "met" },
      rerun: { outcome: "met" },
    });
    expect((again.rerun as JsonObject).tree_a).toBe((again.verdict as JsonObject).tree_a);
    const other = await place.run([
      "verify",
      made.path,
      "--head",
      made.head.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
      ...state,
    ]);
    expect(other.code).toBe(70);
    const bytes = readFileSync(made.path);
    const at = bytes.indexOf('"verdict.given"');
    bytes[at + 3] = (bytes[at + 3] ?? 0) ^ 1;
    writeFileSync(made.path, bytes);
    const damaged = await place.run(["verify", made.path, ...state]);
    expect(damaged.code).toBe(70);
    expect(damaged.stderr).toContain("E_BUNDLE_INVALID");
    const missing = await place.run(["verify", "nope.bundle", ...state]);
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining("no file here, no session")]);
  });
});
