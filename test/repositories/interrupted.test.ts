import { execFileSync } from "node:child_process";
import { cpSync } from "node:fs";
import { afterEach, expect, type TestContext, test } from "vitest";
import { chooseSandbox } from "../../src/runtime/registry.ts";
import { Place } from "../end-to-end/place.ts";
import { expectSame } from "./compare.ts";
import { SMALL, type Story } from "./table.ts";
import { applyChange, work } from "./worked.ts";

const places: Place[] = [];
afterEach(async () => {
  for (const place of places.splice(0)) await place[Symbol.asyncDispose]();
});

/** Two copies of one repository, each with a state folder of its own. */
function desks(story: Story): readonly [Place, Place] {
  const [calm, disturbed] = [new Place(), new Place()];
  places.push(calm, disturbed);
  for (const [path, text] of Object.entries(story.files)) calm.write(path, text);
  for (const change of story.bug) applyChange(calm.project, change);
  const who = ["-c", "user.name=me", "-c", "user.email=me@example.org"];
  const git = (...words: readonly string[]) => execFileSync("git", [...who, ...words], { cwd: calm.project });
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "As it was found");
  cpSync(calm.project, disturbed.project, { recursive: true });
  return [calm, disturbed];
}

async function needsIsolation(context: TestContext): Promise<void> {
  const chosen = await chooseSandbox(process.env).catch(() => undefined);
  if (chosen !== "bubblewrap") context.skip("bubblewrap does not work on this machine");
}

test("a session that is killed and loses its sandbox comes to the same branch, at the same cost", async (context) => {
  await needsIsolation(context);
  const [one, other] = desks(SMALL);
  const calm = await work({ place: one, story: SMALL, env: {} }, null);
  const disturbance = { kills: 3, lostSandboxes: 1, seed: 7 };
  const disturbed = await work({ place: other, story: SMALL, env: {} }, disturbance);
  expectSame(calm, disturbed);
  expect(disturbed.kills).toBe(3);
  const { stdout } = await other.run(["report", disturbed.session]);
  expect(stdout).toContain("2 claims of success: 1 not borne out, 1 borne out");
  await other.expectSound();
}, 900_000);
