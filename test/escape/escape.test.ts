import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/runtime/system.ts";
import { bubblewrapSubjects } from "../../src/sandbox/bubblewrap-subjects.ts";
import { processSubjects } from "../../src/sandbox/process-subjects.ts";
import { ATTEMPTS } from "./attempts.ts";
import { swaps } from "./swaps.ts";
import { EscapeWorld } from "./world.ts";

const isolated = [...bubblewrapSubjects(systemClock)];
const [unisolated] = processSubjects(systemClock);

describe.each(isolated)("in $kind", (subject) => {
  test.each(ATTEMPTS)("nobody $name", { timeout: 120_000 }, async ({ run }) => {
    await using world = await EscapeWorld.open(subject);
    expect(await run(world), "the attempt has succeeded").toBe(false);
    expect(await world.answers(), "the sandbox lives").toBe(true);
  });
});

/** An attempt that fails where nothing holds it back proves nothing where something does. */
describe("without isolation", () => {
  test.for(ATTEMPTS)("a command $name", { timeout: 120_000 }, async ({ run, moot }, { skip }) => {
    const reason = moot?.();
    if (reason !== undefined) skip(reason);
    if (unisolated === undefined) expect.fail("there is a backend without isolation");
    await using world = await EscapeWorld.open(unisolated);
    expect(await run(world), "the attempt has failed").toBe(true);
  });
});

/** The tools that work on files keep to the workspace by themselves: no isolation is needed for that. */
describe("without isolation, through the tools that work on files,", () => {
  if (unisolated === undefined) throw new Error("there is a backend without isolation");
  test.each(swaps)("nobody $name", { timeout: 120_000 }, async ({ run }) => {
    await using world = await EscapeWorld.open(unisolated);
    expect(await run(world), "the attempt has succeeded").toBe(false);
    expect(await world.answers(), "the sandbox lives").toBe(true);
  });
});
