/** Published repositories with a seeded bug, each mended to verified through kills and lost sandboxes. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, symlinkSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { afterEach, expect, test } from "vitest";
import { removeTree } from "../../src/environment/store.ts";
import { Place } from "../end-to-end/place.ts";
import { missing } from "../environment/place.ts";
import { settingsOfClients, unpackProject, WheelIndex, writeRequirements } from "../projects/published.ts";
import { expectSame } from "./compare.ts";
import { STORIES, type Story } from "./table.ts";
import { applyChange, work } from "./worked.ts";

const KILLS = 10;
const LOST_SANDBOXES = 3;

const places: Place[] = [];
let index: WheelIndex | undefined;
afterEach(async () => {
  index?.close();
  index = undefined;
  for (const place of places.splice(0)) {
    removeTree(join(place.state, "layers"));
    await place[Symbol.asyncDispose]();
  }
});

async function begin(story: Story, place: Place): Promise<Record<string, string | undefined>> {
  const { project } = story;
  if (project === null) throw new Error(`${story.name} is not published`);
  await unpackProject(project, place.project);
  const isPython = project.source === "pip";
  index = isPython ? await WheelIndex.start(join(place.folder, "wheels"), true) : undefined;
  const clients = await settingsOfClients();
  if (index !== undefined) {
    writeRequirements(place.project, index);
    clients.PIP_INDEX_URL = index.url;
  }
  const bin = join(place.folder, "clients", "bin");
  mkdirSync(bin, { recursive: true });
  const pnpm = resolve("node_modules/pnpm/bin/pnpm.cjs");
  chmodSync(pnpm, 0o755);
  symlinkSync(pnpm, join(bin, "pnpm"));
  clients.PATH = [bin, process.env.PATH].join(delimiter);
  for (const [path, text] of Object.entries(story.files)) place.write(path, text);
  for (const change of story.bug) applyChange(place.project, change);
  const who = ["-c", "user.name=me", "-c", "user.email=me@example.org"];
  for (const words of [
    ["init", "-q"],
    ["add", "."],
    ["commit", "-qm", "As published, with a bug"],
  ])
    execFileSync("git", [...who, ...words], { cwd: place.project });
  return clients;
}

test.for(STORIES)("$name ($kind) is mended all the same", async (story, context) => {
  const reason = missing(...story.programs.filter((program) => program !== "pnpm"));
  if (reason !== undefined) context.skip(reason);
  const [one, other] = [new Place(), new Place()];
  places.push(one, other);
  let env: Record<string, string | undefined>;
  try {
    env = await begin(story, one);
  } catch (error) {
    return context.skip(`the packages cannot be fetched: ${String(error).split("\n")[0]}`);
  }
  cpSync(one.project, other.project, { recursive: true });
  const calm = await work({ place: one, story, env }, null);
  const disturbance = { kills: KILLS, lostSandboxes: LOST_SANDBOXES, seed: 11 };
  const disturbed = await work({ place: other, story, env }, disturbance);
  expectSame(calm, disturbed);
  expect(disturbed.lostSandboxes).toBe(LOST_SANDBOXES);
  console.log(
    `${story.name}: ${disturbed.kills} kills, ${disturbed.lostSandboxes} lost sandboxes, ${disturbed.events.length} events (${calm.events.length} undisturbed)`,
  );
  await other.expectSound();
});
