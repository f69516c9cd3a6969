import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MUTANTS, type Recordings } from "./mutants.ts";
import { type Operation, parseTrace, whyNotRecordable } from "./record.ts";
import { crashRecording, type Recording, recordWorkload, scratchFolder } from "./suite.ts";

const STATES = 200;
const STATES_PER_MUTANT = 40;

const reason = whyNotRecordable();
const where = scratchFolder();
let recordings: Recordings & { readonly thread: Recording; readonly killed: Recording };

beforeAll(async () => {
  if (reason !== undefined) return;
  recordings = {
    synced: await recordWorkload({ writer: "inline", sync: "synced" }, where),
    thread: await recordWorkload({ writer: "thread", sync: "synced" }, where),
    killed: await recordWorkload({ writer: "inline", sync: "killed" }, where),
    unsynced: await recordWorkload({ writer: "inline", sync: "unsynced" }, where),
  };
});

afterAll(() => rmSync(where, { recursive: true, force: true }));

describe("power loss", () => {
  test.each(["synced", "thread"] as const)(
    "whatever was acknowledged is there: %s",
    async (name, ...rest) => {
      void rest;
      const tally = await crashRecording(recordings[name], { states: STATES, seed: "ci", where });
      expect(tally).toEqual({ states: STATES, whole: STATES, lost: 0, refused: 0, failures: [] });
    },
  );

  test.for(Object.entries(MUTANTS))("leaving out %s is caught", async ([, mutant], context) => {
    if (reason !== undefined) context.skip(reason);
    expect(await mutant(recordings, { states: STATES_PER_MUTANT, seed: "ci", where })).toBeGreaterThan(0);
  });

  test("the recordings hold what the suite is about", (context) => {
    if (reason !== undefined) context.skip(reason);
    const kinds = (operations: readonly Operation[]) =>
      new Set(operations.map((each) => ("name" in each ? `${each.kind} ${each.name}` : each.kind)));
    for (const { operations } of [recordings.synced, recordings.thread]) {
      for (const kind of ["sync log.db", "sync log.db-wal", "sync .", "unlink log.db-wal", "write heads"])
        expect(kinds(operations)).toContain(kind);
    }
  });
});

describe("reading a trace", () => {
  const hex = (text: string): string =>
    [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
  const file = `3<${hex("/state/log")}>`;

  test("calls that were interrupted by other threads are put together, with the time that they took", () => {
    const trace = [
      `1 openat(AT_FDCWD<${hex("/")}>, "${hex("/state/log")}", O_RDWR|O_CREAT, 0600) = ${file}`,
      `1 pwrite64(${file}, "${hex("abc")}", 3, 7 <unfinished ...>`,
      `2 fsync(${file}) = 0`,
      "1 <... pwrite64 resumed>)            = 2",
    ].join("\n");
    expect(parseTrace(trace, "/state")).toEqual([
      { kind: "create", name: "log", startedAt: 0, endedAt: 0 },
      { kind: "sync", name: "log", startedAt: 2, endedAt: 2 },
      { kind: "write", name: "log", offset: 7, bytes: Buffer.from("ab"), startedAt: 1, endedAt: 3 },
    ]);
  });

  test("what is not understood is refused, because every later state would be wrong", () => {
    expect(() => parseTrace(`1 fallocate(${file}, 0, 0, 4096) = 0`, "/state")).toThrow("not understood");
  });
});
