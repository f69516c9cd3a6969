import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { programInCheckout, unseenFiles } from "./program-place.ts";

let folder = "";
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-program-")));
  for (const name of ["objects", "refs", "HEAD"])
    mkdirSync(join(folder, "project/.git", name), { recursive: true });
  mkdirSync(join(folder, "project/web"));
  for (const path of ["agent.py", "project/agent.py"]) writeFileSync(join(folder, path), "");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const whole = (word: string): string => word.replace("$", folder);

test.each([
  ["claude", "project/web", true, "claude"],
  ["./agent.sh", "project", true, "./agent.sh"],
  ["./agent.sh", "project/web", true, "./web/agent.sh"],
  ["../agent.sh", "project/web", false, "./agent.sh"],
  ["../agent.sh", "project", true, "$/agent.sh"],
  ["$/project/agent.sh", "project/web", true, "./agent.sh"],
  ["$/project/agent.sh", "project", false, "$/project/agent.sh"],
  ["$/agent.sh", "project", true, "$/agent.sh"],
])("%s in %s (isolated: %s) is %s", (program, place, isIsolated, found) => {
  expect(programInCheckout(whole(program), join(folder, place), isIsolated)).toBe(whole(found));
});

test.each([
  ["$/agent.py", [], /cannot see .*: --mount \S+ shows its folder/],
  ["$/agent.py", ["$"], null],
  ["$/project/agent.py", [], /in its sandbox it is agent\.py, if it is committed$/],
  ["$/nowhere.py", [], null],
  ["/usr/bin/env", [], null],
  ["agent.py", [], null],
])("python3 %s with %j mounted", (word, mounted, said) => {
  const mounts = mounted.map((target) => ({ target: whole(target) }));
  const [note = null] = unseenFiles(["python3", whole(word)], join(folder, "project"), mounts);
  if (said === null) expect(note).toBe(null);
  else expect(note).toMatch(said);
});
