/**
 * Any byte flipped, any file cut: the store and fsck give a coded error, or the log exactly as it was acknowledged.
 * Never a silent loss, never an exception without a code, and the damaged original stays as it is under fsck.
 */
import { hash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isNightshiftError } from "../../src/core/errors.ts";
import type { SessionId } from "../../src/core/ids.ts";
import type { StoreCheck } from "../../src/store/contract.ts";
import { createSqliteIntegrity } from "../../src/store/sqlite/integrity.ts";
import {
  contents,
  crashCopy,
  DATABASE,
  HEADS,
  openStore,
  readLog,
  temporaryFolder,
  WAL,
  writeSession,
} from "./sample.ts";
import { AT } from "./sample-events.ts";

const FILES = [DATABASE, WAL, HEADS];

/** Bytes of a crashed store with 60 acknowledged commits of logs, half of them in the WAL only, and its logs. */
interface Sample {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly logs: ReadonlyMap<SessionId, string>;
}

/** What became of one damaged state. */
type Outcome = "identical" | `coded ${string}`;

async function makeSample(): Promise<Sample> {
  const folder = temporaryFolder();
  const first = await openStore(folder);
  const ids = [await writeSession(first, "firstsession", 14), await writeSession(first, "othersession", 10)];
  // Closing moves the WAL into the database.
  await first.close();
  const second = await openStore(folder);
  ids.push(await writeSession(second, "thirdsession", 12), await writeSession(second, "fourthsession", 8));
  const copy = crashCopy(folder);
  const logs = new Map<SessionId, string>();
  for (const id of ids) logs.set(id, JSON.stringify(await readLog(second, id)));
  await second.close();
  const bytes = contents(copy);
  return {
    files: new Map(FILES.map((name, index) => [name, Buffer.from(bytes[index] ?? "", "latin1")])),
    logs,
  };
}

/** Numbers that look random and are the same each time. */
function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}

/** Writes a state folder with one file replaced, or missing. */
function writeState(folder: string, sample: Sample, name: string, damaged: Buffer | undefined): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [each, bytes] of sample.files) {
    const content = each === name ? damaged : bytes;
    if (content !== undefined) writeFileSync(join(folder, each), content);
  }
}

/** Opens the store and reads everything in every way. @throws on a silent loss and on errors without a code */
async function readAll(folder: string, sample: Sample): Promise<Outcome> {
  try {
    const store = await openStore(folder);
    try {
      const listed = await store.listSessions({ limit: 100 });
      for (const [id, log] of sample.logs) {
        expect(await store.getSession(id), `${id} is not there any more`).toBeDefined();
        expect(JSON.stringify(await readLog(store, id))).toBe(log);
        await store.getEvents(id, { limit: 5, backwards: true });
        await store.getEvents(id, { limit: 5, types: ["agent.message"] });
      }
      expect(listed.map((each) => each.sessionId).sort()).toEqual([...sample.logs.keys()].sort());
      await store.listDue({ now: AT * 2, limit: 100 });
      return "identical";
    } finally {
      await store.close();
    }
  } catch (error) {
    if (isNightshiftError(error)) return `coded ${error.code}`;
    throw error;
  }
}

/** Names and content of everything in the folder. */
function fingerprint(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .map((name) => `${name} ${hash("sha256", readFileSync(join(folder, name)), "hex")}`);
}

/** @throws when fsck changes a byte, or fails without a code */
async function checkAll(folder: string): Promise<StoreCheck | string> {
  const before = fingerprint(folder);
  try {
    return await createSqliteIntegrity(folder).check();
  } catch (error) {
    if (isNightshiftError(error)) return error.code;
    throw error;
  } finally {
    expect(fingerprint(folder)).toEqual(before);
  }
}

function isClean(report: StoreCheck | string): boolean {
  if (typeof report === "string") return false;
  return report.problems.length === 0 && report.sessions.every((each) => each.problems.length === 0);
}

/** Both looks at one damaged state; a clean bill from fsck must mean an identical log. */
async function examine(folder: string, sample: Sample): Promise<Outcome> {
  const report = await checkAll(folder);
  const outcome = await readAll(folder, sample);
  if (isClean(report)) expect(outcome, "fsck found nothing").toBe("identical");
  return outcome;
}

let made: Promise<Sample> | undefined;

function sharedSample(): Promise<Sample> {
  made ??= makeSample();
  return made;
}

/** One position in each of `count` equal parts of what is used of a file, so that no region is left out. */
function positions(bytes: Buffer, count: number, random: (below: number) => number): number[] {
  const used = bytes.findLastIndex((byte) => byte !== 0) + 1;
  const part = used / count;
  return Array.from({ length: count }, (_, index) => Math.floor(index * part) + random(Math.ceil(part)));
}

/** Examines each damaged state and counts what came of them; a failure names the damage. */
async function examineAll(
  name: string,
  damages: readonly { readonly what: string; readonly bytes: Buffer | undefined }[],
): Promise<Map<Outcome, number>> {
  const sample = await sharedSample();
  const folder = join(temporaryFolder("memory"), "state");
  const outcomes = new Map<Outcome, number>();
  for (const { what, bytes } of damages) {
    writeState(folder, sample, name, bytes);
    const outcome = await examine(folder, sample).catch((error: unknown) => {
      throw new Error(`${name}, ${what}: ${String(error)}`, { cause: error });
    });
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  return outcomes;
}

async function bytesOf(name: string): Promise<Buffer> {
  return (await sharedSample()).files.get(name) ?? expect.fail(`the sample has no ${name}`);
}

/** The same bytes with one bit turned. */
function flipped(bytes: Buffer, position: number, bit: number): { what: string; bytes: Buffer } {
  const copy = Buffer.from(bytes);
  copy[position] = (copy[position] ?? 0) ^ (1 << bit);
  return { what: `bit ${bit} of byte ${position} flipped`, bytes: copy };
}

function total(outcomes: ReadonlyMap<Outcome, number>): number {
  return [...outcomes.values()].reduce((sum, count) => sum + count, 0);
}

describe("damage", () => {
  test("the undamaged crash state is read whole", async () => {
    const [outcome] = (await examineAll("", [{ what: "nothing", bytes: undefined }])).keys();
    expect(outcome).toBe("identical");
  });

  test.each([
    [DATABASE, 900, 11],
    [WAL, 900, 12],
    [HEADS, 320, 13],
  ])("a flipped bit in %s, at %i places", async (name, count, seed) => {
    const bytes = await bytesOf(name);
    const random = sequence(seed);
    const damages = positions(bytes, count, random).map((position) => flipped(bytes, position, random(8)));
    const outcomes = await examineAll(name, damages);
    expect(total(outcomes)).toBe(count);
    expect(outcomes.get("identical"), "some damage hits nothing that matters").toBeGreaterThan(0);
  });

  test.each([
    [DATABASE, 80, 21],
    [WAL, 80, 22],
    [HEADS, 20, 23],
  ])("%s cut, at %i places", async (name, count, seed) => {
    const bytes = await bytesOf(name);
    const damages = positions(bytes, count, sequence(seed)).map((length) => ({
      what: `cut to ${length} bytes`,
      bytes: bytes.subarray(0, length),
    }));
    const outcomes = await examineAll(name, damages);
    expect(total(outcomes)).toBe(count);
  });

  test.each([
    ["the heads file lost: less protection, no loss", HEADS, "identical"],
    ["the WAL lost", WAL, "coded E_LOG_LOST"],
    ["the database lost", DATABASE, "coded E_LOG_LOST"],
  ])("%s", async (_what, name, outcome) => {
    const outcomes = await examineAll(name, [{ what: "gone", bytes: undefined }]);
    expect([...outcomes.keys()]).toEqual([outcome]);
  });

  test("these checks can fail: without a heads file, a damaged WAL is a silent loss", async () => {
    const sample = await sharedSample();
    const headless = { ...sample, files: new Map([...sample.files].filter(([name]) => name !== HEADS)) };
    const folder = join(temporaryFolder("memory"), "state");
    const bytes = await bytesOf(WAL);
    let losses = 0;
    for (const position of positions(bytes, 20, sequence(31))) {
      writeState(folder, headless, WAL, flipped(bytes, position, 3).bytes);
      await readAll(folder, sample).catch(() => losses++);
    }
    expect(losses).toBeGreaterThan(10);
  });
});
