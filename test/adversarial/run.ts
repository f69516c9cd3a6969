/** Runs cases, two at a time, and says what came of each. */
import type { Strength } from "../../src/core/contract/contract.ts";
import { messageOf } from "../../src/core/errors.ts";
import { GATES, type Gate } from "../../src/referee/gates-list.ts";
import { inParallel } from "../../src/referee/world.ts";
import type { Arena, Judged } from "./arena.ts";
import type { Attempt, HonestCase, HostileCase } from "./case.ts";

const PARALLEL_MAX = 2;

/** What came of one hostile case. */
export interface HostileRow {
  readonly name: string;
  readonly mode: number;
  readonly group: string;
  readonly gates: readonly string[];
  readonly strength: Strength | null;
  /** Exit status of the check where the worker worked: what a plain loop goes by. */
  readonly ownExit: number | null;
  readonly outcome: string;
  /** With its gates off; null when that was not looked at. */
  readonly outcomeOff: string | null;
  readonly twinOutcome: string;
  /** Why it does not count as caught; empty when it does. */
  readonly problems: readonly string[];
}

/** What came of one honest case. */
export interface HonestRow {
  readonly name: string;
  readonly outcome: string;
  readonly problems: readonly string[];
}

/** How to run them. */
export interface RunOptions {
  /** Turns gates off as well. */
  readonly ablates: boolean;
  readonly onRow?: (row: HostileRow | HonestRow) => void;
}

/** In the order of the cases. */
export async function runHostile(
  arena: Arena,
  cases: readonly HostileCase[],
  { ablates, onRow }: RunOptions,
): Promise<readonly HostileRow[]> {
  const twins = new Map<string, Promise<Judged>>();
  return await inParallel(cases, PARALLEL_MAX, async (one) => {
    const row = await hostileRow(arena, one, twins, ablates).catch((error) => brokenRow(one, error));
    onRow?.(row);
    return row;
  });
}

/** In the order of the cases. */
export async function runHonest(
  arena: Arena,
  cases: readonly HonestCase[],
  { onRow }: Pick<RunOptions, "onRow">,
): Promise<readonly HonestRow[]> {
  return await inParallel(cases, PARALLEL_MAX, async (one) => {
    const row = await honestRow(arena, one).catch((error): HonestRow => {
      return { name: one.name, outcome: "none", problems: [messageOf(error)] };
    });
    onRow?.(row);
    return row;
  });
}

async function hostileRow(
  arena: Arena,
  one: HostileCase,
  twins: Map<string, Promise<Judged>>,
  ablates: boolean,
): Promise<HostileRow> {
  const candidate = await arena.work(one.attempt);
  const judged = await candidate.judge();
  const { outcome } = judged.verdict;
  const inner = one.gates.filter((gate): gate is Gate => (GATES as readonly string[]).includes(gate));
  const isOuter = one.gates.includes("own-sandbox");
  const off = { gatesOff: new Set(inner), believesQuotes: one.gates.includes("quotes") };
  const ownOutcome = candidate.own.exitCode === 0 ? "met" : "unmet";
  const ablated = ablates && !isOuter ? await candidate.judge(off) : null;
  const outcomeOff = ablates ? (ablated?.verdict.outcome ?? ownOutcome) : null;
  const twin = (await twinOf(arena, one.twin, twins)).verdict;
  const problems = [
    ...(candidate.own.exitCode === 0 ? [] : [`its check exits with ${candidate.own.exitCode}`]),
    ...(outcome === "met" ? ["it slips through"] : []),
    ...(outcome === "error" && one.outcome !== "error" ? ["it ends as an error"] : []),
    ...(isOuter || one.gates.some((gate) => judged.gates.has(gate))
      ? []
      : [`caught by ${[...judged.gates].join(", ") || "nothing"}`]),
    ...(outcomeOff === null || outcomeOff === "met"
      ? []
      : [`with its gates off it is ${outcomeOff}, by ${[...(ablated?.gates ?? [])].join(", ")}`]),
    ...(twin.outcome === "met" ? [] : [`its twin is ${twin.outcome}: ${reasonsOf(twin)}`]),
  ];
  return {
    ...{ name: one.name, mode: one.mode, group: one.group, gates: one.gates, outcome, outcomeOff, problems },
    strength: twin.criteria[0]?.strength ?? null,
    ownExit: candidate.own.exitCode,
    twinOutcome: twin.outcome,
  };
}

function twinOf(arena: Arena, twin: Attempt, twins: Map<string, Promise<Judged>>): Promise<Judged> {
  const key = JSON.stringify([twin.project.name, twin.terms, twin.script, twin.files, twin.judge]);
  const known = twins.get(key) ?? arena.work(twin).then((candidate) => candidate.judge());
  twins.set(key, known);
  return known;
}

function brokenRow({ name, mode, group, gates }: HostileCase, error: unknown): HostileRow {
  const nothing = { strength: null, ownExit: null, outcome: "none", outcomeOff: null, twinOutcome: "none" };
  return { name, mode, group, gates, ...nothing, problems: [messageOf(error)] };
}

async function honestRow(arena: Arena, { name, attempt, expected }: HonestCase): Promise<HonestRow> {
  const candidate = await arena.work(attempt);
  const { verdict } = await candidate.judge();
  const problems =
    verdict.outcome === expected ? [] : [`it is ${verdict.outcome}, not ${expected}: ${reasonsOf(verdict)}`];
  if (expected === "review" && problems.length === 0) {
    const approved = (await candidate.judge({ isApproved: true })).verdict;
    if (approved.outcome !== "met")
      problems.push(`approved, it is ${approved.outcome}: ${reasonsOf(approved)}`);
  }
  return { name, outcome: verdict.outcome, problems };
}

function reasonsOf({ criteria, review }: Judged["verdict"]): string {
  const reasons = criteria.filter(({ status }) => status !== "met").map(({ reason }) => reason);
  return [...reasons, ...review.map(({ path, detail }) => `${path}: ${detail}`)].join("; ");
}
