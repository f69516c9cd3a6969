import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isNightshiftError } from "../../core/errors.ts";
import type { ExecId } from "../../core/ids.ts";
import type { ExecResult } from "../contract.ts";
import { JOURNAL_LIMITS, Journal, OUTPUT_DROPPED } from "./journal.ts";

const id = (text: string): ExecId => text as ExecId;

function result(output: string): ExecResult {
  return { ending: "exited", exitCode: 0, output, droppedBytes: 0, durationMs: 5 };
}

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-journal-"));
  path = join(folder, "journal");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Without the space that is written ahead. */
function content(): Buffer {
  const bytes = readFileSync(path);
  return bytes.subarray(0, bytes.lastIndexOf(10) + 1);
}

const open = (limits = JOURNAL_LIMITS): Journal => new Journal(path, limits);

/** A journal with a finished execution, an unfinished one, and an epoch. */
async function fill(journal: Journal): Promise<void> {
  await journal.begin("first", "boot-1");
  await journal.raiseEpoch(4);
  await journal.start(id("done"), "digest-1", "shell");
  journal.spawned(id("done"), { pid: 41, startTime: "17" });
  journal.finish(id("done"), result("ü\n"));
  await journal.start(id("cut"), "digest-2", "write", "/some/file.tmp");
  journal.spawned(id("cut"), { pid: 42, startTime: "18" });
}

test("what was written is read back", async () => {
  await fill(open());
  const journal = open();
  expect(journal.epoch).toBe(4);
  expect(journal.isDamaged).toBe(false);
  expect(journal.entriesOf("other")).toBeUndefined();
  const entries = journal.entriesOf("first");
  const done = entries?.get(id("done"));
  expect(done).toMatchObject({ digest: "digest-1", operation: "shell" });
  expect(done && journal.resultOf(done)).toEqual(result("ü\n"));
  expect(journal.unfinished()).toMatchObject([
    {
      boot: "boot-1",
      entry: { exec: "cut", temporary: "/some/file.tmp", process: { pid: 42, startTime: "18" } },
    },
  ]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("ids belong to their incarnation", async () => {
  const journal = open();
  await journal.begin("first", "boot-1");
  await journal.start(id("same"), "digest-1", "shell");
  await journal.begin("second", "boot-1");
  await journal.start(id("same"), "digest-1", "shell");
  journal.finish(id("same"), result("second"));
  const [first, second] = ["first", "second"].map((each) => journal.entriesOf(each)?.get(id("same")));
  expect(first?.finish).toBeUndefined();
  expect(second && journal.resultOf(second)).toEqual(result("second"));
});

test("a torn end is cut off at every length, and what was before it stays", async () => {
  await fill(open());
  const whole = content();
  const lastLine = whole.lastIndexOf(10, whole.length - 2) + 1;
  for (let length = lastLine; length < whole.length; length += 7) {
    writeFileSync(path, whole.subarray(0, length));
    const journal = open();
    expect(journal.entriesOf("first")?.size).toBe(2);
    expect(journal.isDamaged).toBe(false);
    await journal.begin("next", "boot-1");
    expect(open().entriesOf("next")?.size, "writing goes on after it").toBe(0);
  }
});

test("at every length there is a prefix of the truth, and never an error", async () => {
  await fill(open());
  const whole = content();
  for (let length = 0; length <= whole.length; length += 11) {
    writeFileSync(path, whole.subarray(0, length));
    const journal = open();
    const entries = journal.entriesOf("first") ?? new Map();
    expect([...entries.keys()]).toEqual(["done", "cut"].slice(0, entries.size));
    journal.close();
  }
});

test("an unreadable line in the middle is damage, for ever", async () => {
  await fill(open());
  const bytes = readFileSync(path);
  bytes[bytes.indexOf("digest-1")] = 88;
  writeFileSync(path, bytes);
  const journal = open({ ...JOURNAL_LIMITS, bytesMax: 10 });
  expect(journal.isDamaged).toBe(true);
  expect([...(journal.entriesOf("first")?.keys() ?? [])]).toEqual(["cut"]);
  await journal.begin("second", "boot-1");
  expect(open().isDamaged, "a rewrite does not wash it off").toBe(true);
});

test("bytes that are no journal at all do not stop it", async () => {
  appendFileSync(path, Buffer.from([0, 1, 2, 255, 10, 10, 10]));
  const journal = open();
  await journal.begin("first", "boot-1");
  expect(open().entriesOf("first")?.size).toBe(0);
});

describe("beyond its limit", () => {
  const limits = { bytesMax: 20_000, resultBytesMax: 6000, incarnationsMax: 3 };

  test("it is rewritten: all starts and endings stay, the oldest outputs go", async () => {
    const journal = open(limits);
    await journal.begin("first", "boot-1");
    await journal.raiseEpoch(9);
    const names = Array.from({ length: 60 }, (_, index) => id(`exec-${index}`));
    for (const name of names) {
      await journal.start(name, `digest ${name}`, "shell");
      journal.finish(name, result(name.padEnd(1000, ".")));
    }
    await journal.start(id("cut"), "digest", "shell");
    expect(content().length).toBeLessThan(40_000);
    for (const each of [journal, open(limits)]) {
      const entries = each.entriesOf("first");
      expect(entries?.size).toBe(61);
      expect(each.epoch).toBe(9);
      const outputs = names.map((name) => {
        const entry = entries?.get(name);
        expect(entry?.digest).toBe(`digest ${name}`);
        return entry && each.resultOf(entry)?.output;
      });
      expect(outputs[0]).toBe(OUTPUT_DROPPED);
      expect(outputs[59]).toBe("exec-59".padEnd(1000, "."));
      expect(entries?.get(id("cut"))?.finish).toBeUndefined();
    }
  });

  test("what is dropped is counted", async () => {
    const journal = open({ ...limits, bytesMax: 10, resultBytesMax: 0 });
    await journal.begin("first", "boot-1");
    await journal.start(id("a"), "digest", "shell");
    journal.finish(id("a"), { ...result("12345"), droppedBytes: 7, exitCode: 3 });
    await journal.start(id("b"), "digest", "shell");
    const entry = journal.entriesOf("first")?.get(id("a"));
    expect(entry && journal.resultOf(entry)).toEqual({
      ...result(OUTPUT_DROPPED),
      droppedBytes: 12,
      exitCode: 3,
    });
  });

  test("the oldest incarnations are forgotten", async () => {
    const journal = open(limits);
    for (const name of ["a", "b", "c", "d"]) await journal.begin(name, "boot-1");
    const known = ["a", "b", "c", "d"].map((name) => journal.entriesOf(name) !== undefined);
    expect(known).toEqual([false, true, true, true]);
  });
});

test("space is written ahead, and is no content", async () => {
  await fill(open());
  expect(statSync(path).size).toBeGreaterThan(content().length + 100_000);
  expect(
    readFileSync(path)
      .subarray(content().length)
      .every((byte) => byte === 0),
  ).toBe(true);
  const journal = open();
  expect(journal.isDamaged).toBe(false);
  await journal.start(id("large"), "x".repeat(600_000), "shell");
  await journal.start(id("after"), "digest", "shell");
  expect([...(open().entriesOf("first")?.keys() ?? [])]).toEqual(["done", "cut", "large", "after"]);
});

test("many at once share their syncs and all are on disk", async () => {
  const journal = open();
  await journal.begin("first", "boot-1");
  const names = Array.from({ length: 200 }, (_, index) => id(`exec-${index}`));
  await Promise.all(names.map((name) => journal.start(name, "digest", "shell")));
  expect([...(open().entriesOf("first")?.keys() ?? [])]).toEqual(names);
});

test("a journal that cannot be written says so, and never acknowledges again", async () => {
  const journal = open();
  await journal.begin("first", "boot-1");
  journal.close();
  for (const name of ["a", "b"]) {
    const error = await journal.start(id(name), "digest", "shell").catch((reason: unknown) => reason);
    expect(isNightshiftError(error, "E_SANDBOX_UNAVAILABLE"), String(error)).toBe(true);
  }
});

test("a result that was damaged behind its back is not made up", async () => {
  const journal = open();
  await fill(journal);
  truncateSync(path, 100);
  const entry = journal.entriesOf("first")?.get(id("done"));
  expect(entry && journal.resultOf(entry)).toBeUndefined();
});
