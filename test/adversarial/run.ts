/** Runs cases, two at a time, and says what came of each. */
import { messageOf } from "../../src/core/errors.ts";
import { GATES, type Gate } from "../../src/referee/gates-list.ts";
import { inParallel } from "../../src/referee/world.ts";
import type { Arena, Candidate, Judged } from "./arena.ts";
import type { Attempt, HonestCase, HostileCase, OuterGate } from "./case.ts";
import { type HonestRow, type HostileRow, NOBODY, type Others, type Row } from "./rows.ts";
import { CLAIM, loopAccepts, readerAccepts } from "./stand-ins.ts";

const PARALLEL_MAX = 2;

/** How to run them. */
export interface RunOptions {
  /** Turns gates off as well. */
  readonly ablates: boolean;
  readonly onRow?: (row: Row) => void;
}

/** In the order of the cases. @param broken - the row of a case that could not be run */
export async function eachCase<Case, Made extends Row>(
  cases: readonly Case[],
  play: (one: Case) => Promise<Made>,
  broken: (one: Case, problem: string) => Made,
  onRow: RunOptions["onRow"],
): Promise<readonly Made[]> {
  return await inParallel(cases, PARALLEL_MAX, async (one) => {
    const row = await play(one).catch((error: unknown) => broken(one, messageOf(error)));
    onRow?.(row);
    return row;
  });
}

/** In the order of the cases. */
export async function runHostile(
  arena: Arena,
  cases: readonly HostileCase[],
  { ablates, onRow }: RunOptions,
): Promise<readonly HostileRow[]> {
  const twins = new Map<string, Promise<Judged>>();
  return await eachCase(cases, (one) => hostileRow(arena, one, twins, ablates), brokenRow, onRow);
}

/** In the order of the cases. */
export async function runHonest(
  arena: Arena,
  cases: readonly HonestCase[],
  { onRow }: Pick<RunOptions, "onRow">,
): Promise<readonly HonestRow[]> {
  const broken = ({ name }: HonestCase, problem: string): HonestRow => {
    return { kind: "honest", name, outcome: "none", ...NOBODY, problems: [problem] };
  };
  return await eachCase(cases, (one) => honestRow(arena, one), broken, onRow);
}

/** Those that the referee has a switch for. */
function switched({ gates }: HostileCase): ReadonlySet<Gate> {
  return new Set(gates.filter((gate): gate is Gate => (GATES as readonly string[]).includes(gate)));
}

/** Where the referee stands: without that, the worker's own place and choice decide. */
const STANDS: ReadonlySet<string> = new Set<OuterGate>(["own-sandbox", "own-choice", "sources"]);
/** Of these it shows that they had something to say. */
const SHOWN: ReadonlySet<string> = new Set<OuterGate>(["sources"]);

async function hostileRow(
  arena: Arena,
  one: HostileCase,
  twins: Map<string, Promise<Judged>>,
  ablates: boolean,
): Promise<HostileRow> {
  const candidate = await arena.work(one.attempt);
  const judged = await candidate.judge();
  const off = ablates ? await withoutGates(candidate, one) : null;
  const twin = await twinOf(arena, one.twin, twins);
  const { name, mode, group, gates } = one;
  const failing = judged.verdict.criteria.find(({ status }) => status !== "met");
  return {
    ...{ kind: "hostile", name, mode, group, gates },
    fired: [...judged.gates],
    strength: failing?.strength ?? twin.verdict.criteria[0]?.strength ?? null,
    ownExit: candidate.own.exitCode,
    ...othersOf(candidate),
    outcome: judged.verdict.outcome,
    outcomeOff: off?.outcome ?? null,
    twinOutcome: twin.verdict.outcome,
    problems: [...problemsOf(one, candidate, judged, twin), ...(off === null ? [] : off.problems)],
  };
}

function problemsOf(one: HostileCase, { own }: Candidate, judged: Judged, twin: Judged): readonly string[] {
  const { outcome } = judged.verdict;
  const isNamed = one.gates.some(
    (gate) => (STANDS.has(gate) && !SHOWN.has(gate)) || gate === "fence" || judged.gates.has(gate),
  );
  return [
    ...(own.exitCode === 0 ? [] : [`its check exits with ${own.exitCode}`]),
    ...(outcome === "met" ? ["it slips through"] : []),
    ...(outcome === "error" && one.outcome !== "error" ? ["it ends as an error"] : []),
    // A hang is ended by the clock: that says nothing of what the gates are worth.
    ...(judged.gates.has("wall-limit") ? ["it runs out of time"] : []),
    ...(isNamed ? [] : [`caught by ${[...judged.gates].join(", ") || "nothing"}`]),
    ...(twin.verdict.outcome === "met"
      ? []
      : [`its twin is ${twin.verdict.outcome}: ${reasonsOf(twin.verdict)}`]),
  ];
}

/** What would come of it without its gates. */
async function withoutGates(
  candidate: Candidate,
  one: HostileCase,
): Promise<{ readonly outcome: string; readonly problems: readonly string[] }> {
  if (one.gates.some((gate) => STANDS.has(gate))) {
    const outcome = candidate.own.exitCode === 0 ? "met" : "unmet";
    return { outcome, problems: [] };
  }
  const judged = await candidate.judge({
    gatesOff: switched(one),
    believesQuotes: one.gates.includes("quotes"),
    ...(one.judgeOff !== undefined && { judge: one.judgeOff }),
  });
  const { outcome } = judged.verdict;
  const by = [...judged.gates].join(", ");
  return { outcome, problems: outcome === "met" ? [] : [`with its gates off it is ${outcome}, by ${by}`] };
}

function othersOf({ own }: Candidate): Others {
  const transcript = { ownExit: own.exitCode, output: own.output, words: CLAIM };
  return { loop: loopAccepts(transcript), reader: readerAccepts(transcript) };
}

function twinOf(arena: Arena, twin: Attempt, twins: Map<string, Promise<Judged>>): Promise<Judged> {
  const key = JSON.stringify([twin.project.name, twin.terms, twin.script, twin.files, twin.judge]);
  const known = twins.get(key) ?? arena.work(twin).then((candidate) => candidate.judge());
  twins.set(key, known);
  return known;
}

function brokenRow({ name, mode, group, gates }: HostileCase, problem: string): HostileRow {
  const nothing = {
    fired: [],
    strength: null,
    ownExit: null,
    outcome: "none",
    outcomeOff: null,
    twinOutcome: "none",
  };
  return { kind: "hostile", name, mode, group, gates, ...NOBODY, ...nothing, problems: [problem] };
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
  return { kind: "honest", name, outcome: verdict.outcome, ...othersOf(candidate), problems };
}

function reasonsOf({ criteria, review }: Judged["verdict"]): string {
  const reasons = criteria.filter(({ status }) => status !== "met").map(({ reason }) => reason);
  return [...reasons, ...review.map(({ path, detail }) => `${path}: ${detail}`)].join("; ");
}
