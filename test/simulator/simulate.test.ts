/** Keeps the simulator alive in `npm test`; the real runs are `npm run simulate` and its `--mutants`. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Coverage } from "./coverage.ts";
import { MUTANTS } from "./mutant-table.ts";
import { tryMutant } from "./mutants.ts";
import { EXCLUDED_PAIRS, FAULTS, PAIRS, POINTS } from "./pairs.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import { runSeedsHere, type SeedReport } from "./seeds.ts";

describe("the simulator", () => {
  test("keeps every promise in a few seeds, and each seed tells the same story twice", async () => {
    const coverage = new Coverage();
    await runSeedsHere({ firstSeed: 1, seeds: 30, runsPerSeed: 2, keepsTraces: false }, (report) =>
      coverage.add(report),
    );
    expect(coverage.failures.map(({ seed, violation }) => ({ seed, violation }))).toEqual([]);
    const { events, crashes, strikes } = coverage.summary({ firstSeed: 1, runsPerSeed: 2, seconds: 1 });
    expect(events).toBeGreaterThan(1000);
    expect(crashes).toBeGreaterThan(5);
    expect(strikes).toBeGreaterThan(100);
  });

  test.each([
    [433_318, "a branch that was moved while another one was wanted"],
    [446_556, "a reservation for an attempt that is over"],
  ])("seed %i keeps every promise: %s", async (firstSeed) => {
    const reports: SeedReport[] = [];
    const keep = (report: SeedReport): void => void reports.push(report);
    await runSeedsHere({ firstSeed, seeds: 1, runsPerSeed: 1, keepsTraces: false }, keep);
    expect(reports.map(({ violation }) => violation)).toEqual([null]);
  });

  test("tells different stories for different seeds", async () => {
    const traces: (string | null)[] = [];
    const keep = ({ trace }: SeedReport): void => void traces.push(trace);
    await runSeedsHere({ firstSeed: 7, seeds: 2, runsPerSeed: 1, keepsTraces: true }, keep);
    expect(traces[0]).toContain("session.created");
    expect(traces[0]).not.toBe(traces[1]);
  });

  test("notices a mistake in the source, and whose promise it breaks", async () => {
    const fence = MUTANTS.find(({ name }) => name === "fence off");
    if (fence === undefined) throw new Error("there is no such mutant");
    const report = await tryMutant(fence, 100);
    expect(report.caughtBy, report.detail).toBe("zombie-writes-nothing");
  });

  test("knows the place of every mutant in today's source", () => {
    const lost = MUTANTS.filter(({ file, find }) => readFileSync(file, "utf8").split(find).length !== 2);
    expect(lost.map(({ name, file }) => `${name}: ${file}`)).toEqual([]);
    expect(MUTANTS.length).toBeGreaterThanOrEqual(20);
  });

  test("refuses a mutant whose place in the source is gone", async () => {
    const report = await tryMutant({ name: "none", promise: "", file: "", find: "", replace: "" }, 1);
    expect(report).toMatchObject({ caughtBy: null, detail: expect.stringContaining("no mutant named none") });
  });
});

describe("pairs", () => {
  test("every fault at every point either can happen or is excluded with a reason", () => {
    expect(PAIRS.length + EXCLUDED_PAIRS.length).toBe(POINTS.length * Object.keys(FAULTS).length);
    expect(EXCLUDED_PAIRS.filter(({ reason }) => reason === "")).toEqual([]);
  });
});

describe("virtual time", () => {
  test("fires timers in their order, never early, and does not wait for real", async () => {
    const scheduler = new Scheduler(new Random("test"));
    const fired: [string, number][] = [];
    const note = (name: string) => (): void => void fired.push([name, scheduler.monotonicMs()]);
    scheduler.after(5000, note("late"));
    scheduler.after(10.2, note("early"));
    scheduler.after(10.2, note("second"));
    scheduler.after(1, note("called off"))();
    expect(await scheduler.run(() => false, { steps: 10, untilMs: 60_000 })).toBe("nothing-left");
    expect(fired).toEqual([
      ["early", 11],
      ["second", 11],
      ["late", 5000],
    ]);
  });

  test("gives up on what never comes to rest", async () => {
    const scheduler = new Scheduler(new Random("test"));
    const again = (): void => scheduler.post(again);
    again();
    expect(await scheduler.run(() => false, { steps: 100_000, untilMs: 1 })).toBe("time-stands-still");
  });

  test("lets the machine sleep without its monotonic clock", () => {
    const scheduler = new Scheduler(new Random("test"));
    const wallMs = scheduler.wallMs();
    scheduler.suspend(60_000);
    expect([scheduler.monotonicMs(), scheduler.bootMs(), scheduler.wallMs() - wallMs]).toEqual([
      0, 60_000, 60_000,
    ]);
  });
});
