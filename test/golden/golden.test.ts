import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isNightshiftError } from "../../src/core/errors.ts";
import { EVENT_VERSIONS } from "../../src/core/events/index.ts";
import { foldEvents } from "../../src/core/reduce.ts";
import { UPCASTERS } from "../../src/core/upcast.ts";
import { loadGolden } from "./load.ts";

const folder = import.meta.dirname;
const isUpdate = process.env.UPDATE_GOLDEN === "1";

/** Every log of every release, as `v1/plain-turn`. */
function namesOf(kind: string): string[] {
  const releases = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return releases.flatMap(({ name: release }) =>
    readdirSync(join(folder, release, kind))
      .filter((file) => file.endsWith(".jsonl"))
      .map((file) => join(release, kind, file.replace(/\.jsonl$/, "")))
      .sort(),
  );
}

function read(name: string): string {
  return readFileSync(join(folder, `${name}.jsonl`), "utf8");
}

function expectedState(name: string, actual: unknown): unknown {
  const path = join(folder, `${name}.state.json`);
  if (isUpdate) writeFileSync(path, `${JSON.stringify(actual, null, 2)}\n`);
  return JSON.parse(readFileSync(path, "utf8"));
}

describe("golden logs", () => {
  const names = namesOf("");

  test.each(names)("%s loads and folds as it did when it was written", (name) => {
    const golden = loadGolden(read(name), isUpdate ? "filled in" : "given");
    if (isUpdate) writeFileSync(join(folder, `${name}.jsonl`), golden.text);
    const state = foldEvents(golden.sessionId, golden.events);
    expect(state).toEqual(expectedState(name, state));
  });

  test.each(names)("%s folds in two parts as at once", (name) => {
    const { sessionId, events } = loadGolden(read(name), "given");
    const whole = foldEvents(sessionId, events);
    for (let cut = 0; cut <= events.length; cut++) {
      const snapshot = JSON.parse(JSON.stringify(foldEvents(sessionId, events.slice(0, cut))));
      expect(foldEvents(sessionId, events.slice(cut), snapshot)).toEqual(whole);
    }
  });

  test("there is an event of every type in every version that was ever written", () => {
    const present = new Set(names.flatMap((name) => loadGolden(read(name), "given").stored));
    const known = Object.entries(EVENT_VERSIONS).map(([type, v]) => `${type}@${v}`);
    const missing = [...known, ...Object.keys(UPCASTERS)].filter((each) => !present.has(each));
    expect(missing).toEqual([]);
  });
});

describe("logs that must be refused", () => {
  test.each(namesOf("negative"))("%s", (name) => {
    const title = JSON.parse(read(name).split("\n")[0] ?? "") as { refused: string; because: string };
    try {
      loadGolden(read(name), "given");
    } catch (error) {
      expect(isNightshiftError(error) ? error.code : error).toBe(title.refused);
      expect((error as Error).message).toContain(title.because);
      return;
    }
    expect.fail(`${name} was not refused`);
  });
});
