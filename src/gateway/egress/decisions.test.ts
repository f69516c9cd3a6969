import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ManualClock } from "../../../test/support/manual-clock.ts";
import { isNightshiftError } from "../../core/errors.ts";
import { EGRESS_LIMITS, type EgressLimits, type EgressLine } from "./contract.ts";
import { DECISIONS_FILE, type Deciding, DecisionLog, readDecisions } from "./decisions.ts";

let folder: string;
let clock: ManualClock;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-decisions-"));
  clock = new ManualClock();
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (limits: Partial<EgressLimits> = {}): DecisionLog =>
  new DecisionLog(folder, { ...EGRESS_LIMITS, ...limits }, clock);

function about(host: string, verdict: "allowed" | "refused" = "refused"): Deciding {
  return { host, port: 443, method: "CONNECT", path: "", verdict, reason: "because" };
}

function all(): readonly EgressLine[] {
  return readDecisions(folder, 0).lines;
}

test("every line is read exactly once by someone who keeps the offset", async () => {
  const log = open();
  await log.decide(about("one.test"));
  const first = readDecisions(folder, 0);
  expect(first.lines).toMatchObject([{ kind: "decision", host: "one.test" }]);
  expect(readDecisions(folder, first.nextOffset)).toEqual({ lines: [], nextOffset: first.nextOffset });
  const decided = await log.decide(about("two.test", "allowed"));
  decided.end({ sentBytes: 1, receivedBytes: 2, status: 200, cut: null });
  const second = readDecisions(folder, first.nextOffset);
  expect(second.lines).toMatchObject([
    { kind: "decision", host: "two.test" },
    { kind: "transfer", sentBytes: 1 },
  ]);
  const [decision, transfer] = second.lines;
  expect("number" in transfer! && transfer.number).toBe("number" in decision! && decision.number);
  await log.close();
});

test("half a line is never read, and cut off before the next one is written", async () => {
  const log = open();
  await log.decide(about("one.test"));
  await log.close();
  const { nextOffset } = readDecisions(folder, 0);
  appendFileSync(join(folder, DECISIONS_FILE), '{"kind":"decis');
  expect(readDecisions(folder, nextOffset)).toEqual({ lines: [], nextOffset });
  const next = open();
  await next.decide(about("two.test"));
  await next.close();
  expect(readDecisions(folder, nextOffset).lines).toMatchObject([{ host: "two.test" }]);
  const numbers = all().map((line) => ("number" in line ? line.number : 0));
  expect(new Set(numbers).size).toBe(numbers.length);
});

test("a flood is counted instead of written", async () => {
  const log = open({ decisionsPerWindow: 3, windowMs: 1000 });
  for (let index = 0; index < 50; index++) await log.decide(about("flood.test"));
  await log.decide(about("calm.test"));
  expect(all()).toHaveLength(4);
  await clock.pass(1000);
  log.flush({ all: false });
  expect(all().at(-1)).toMatchObject({ kind: "repetition", host: "flood.test", count: 47 });
  const decided = await log.decide(about("flood.test", "allowed"));
  decided.end({ sentBytes: 5, receivedBytes: 6, status: null, cut: null });
  await log.close();
  expect(all().at(-1)).toMatchObject({ kind: "transfer", sentBytes: 5 });
});

test("bytes of counted decisions are counted too, also when they come late", async () => {
  const log = open({ decisionsPerWindow: 0, windowMs: 1000 });
  const early = await log.decide(about("flood.test", "allowed"));
  const late = await log.decide(about("flood.test", "allowed"));
  early.end({ sentBytes: 1, receivedBytes: 10, status: 200, cut: null });
  await clock.pass(1000);
  log.flush({ all: false });
  late.end({ sentBytes: 2, receivedBytes: 20, status: 200, cut: null });
  await log.close();
  expect(all()).toMatchObject([
    { kind: "repetition", count: 2, sentBytes: 1, receivedBytes: 10 },
    { kind: "repetition", count: 0, sentBytes: 2, receivedBytes: 20 },
  ]);
});

test("many hosts cost little", async () => {
  const log = open({ decisionsPerWindow: 1, windowMs: 1000 });
  for (let index = 0; index < 2000; index++) await log.decide(about(`host${index}.test`));
  await log.close();
  expect(all().length).toBeLessThan(520);
  const counted = all().reduce((sum, line) => sum + (line.kind === "repetition" ? line.count : 1), 0);
  expect(counted).toBe(2000);
});

test("when the file is full, it says so and does not grow", async () => {
  const decisionBytes = 80 * 1024;
  const log = open({ decisionBytes, decisionsPerWindow: 100_000 });
  expect(log.hasRoom).toBe(true);
  for (let index = 0; log.hasRoom && index < 1000; index++) await log.decide(about("long.test"));
  expect(log.hasRoom).toBe(false);
  await log.close();
  expect(statSync(join(folder, DECISIONS_FILE)).size).toBeLessThanOrEqual(decisionBytes);
});

test("long names are shortened, and nobody else can read the file", async () => {
  const log = open();
  await log.decide({ ...about("long.test"), path: "x".repeat(100_000) });
  await log.close();
  expect(readFileSync(join(folder, DECISIONS_FILE)).length).toBeLessThan(1500);
  expect(statSync(join(folder, DECISIONS_FILE)).mode & 0o777).toBe(0o600);
});

test("an offset beyond the file is another file's", () => {
  expect(readDecisions(folder, 0)).toEqual({ lines: [], nextOffset: 0 });
  expect(() => readDecisions(folder, 7)).toThrow(
    expect.toSatisfy((error) => isNightshiftError(error, "E_EGRESS_UNAVAILABLE")),
  );
});
