/** Plays sessions, and says what came of each. */
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "../../src/environment/store.ts";
import { TestRegistry } from "../environment/registry.ts";
import { write } from "../support/repositories.ts";
import type { GapCase, HonestSession, Play, SessionCase, SessionGate } from "./case.ts";
import { type GapRow, type HonestRow, type HostileRow, NOBODY } from "./rows.ts";
import { eachCase, type RunOptions } from "./run.ts";
import { bodiesOf, ownRuns, type Played, type Stage, transcriptOf } from "./stage.ts";
import { CLAIM, loopAccepts, readerAccepts, type Transcript } from "./stand-ins.ts";

/** What a session that was stopped or parked may have come to. */
const CAUGHT: ReadonlySet<string> = new Set(["unmet", "capped", "review"]);
const BASE_MS_MAX = 60_000;
const PRINTED_MAX = 600;

/** In the order of the cases. */
export async function runSessions(
  stage: Stage,
  cases: readonly SessionCase[],
  { ablates, onRow }: RunOptions,
): Promise<readonly HostileRow[]> {
  const twins = new Map<string, Promise<Played>>();
  const broken = ({ name, mode, group, gates }: SessionCase, problem: string): HostileRow => {
    const nothing = {
      fired: [],
      strength: null,
      ownExit: null,
      outcome: "none",
      outcomeOff: null,
      twinOutcome: "none",
    };
    return { kind: "hostile", name, mode, group, gates, ...NOBODY, ...nothing, problems: [problem] };
  };
  return await eachCase(cases, (one) => sessionRow(stage, one, twins, ablates), broken, onRow);
}

/** In the order of the cases. */
export async function runGaps(
  stage: Stage,
  cases: readonly GapCase[],
  { onRow }: Pick<RunOptions, "onRow">,
): Promise<readonly GapRow[]> {
  const row = async ({ name, mode, play, says }: GapCase): Promise<GapRow> => {
    const { outcome, printed } = await stage.play(play, { isReported: true });
    const problems = [
      ...(outcome === "met" ? [] : [`it is ${outcome}: ${printed.slice(-PRINTED_MAX)}`]),
      ...(printed.includes(says) ? [] : [`the report does not say: ${says}`]),
    ];
    return { kind: "gap", name, mode, outcome, problems };
  };
  const broken = ({ name, mode }: GapCase, problem: string): GapRow => {
    return { kind: "gap", name, mode, outcome: "none", problems: [problem] };
  };
  return await eachCase(cases, row, broken, onRow);
}

/** In the order of the cases. Without a registry those that need one are left out, by name. */
export async function runHonestSessions(
  stage: Stage,
  cases: readonly HonestSession[],
  { onRow, onSkip }: Pick<RunOptions, "onRow"> & { readonly onSkip: (name: string, reason: string) => void },
): Promise<readonly HonestRow[]> {
  const needing = cases.filter(({ needsRegistry }) => needsRegistry === true);
  await using registry = needing.length === 0 ? null : await openRegistry(stage);
  if (registry === null)
    for (const { name } of needing) onSkip(name, "it needs bubblewrap, and an address that is not loopback");
  const able = cases.filter((one) => registry !== null || !needing.includes(one));
  const broken = ({ name }: HonestSession, problem: string): HonestRow => {
    return { kind: "honest", name, outcome: "none", ...NOBODY, problems: [problem] };
  };
  const row = (one: HonestSession): Promise<HonestRow> => honestRow(stage, one, registry?.environment ?? {});
  return await eachCase(able, row, broken, onRow);
}

async function honestRow(
  stage: Stage,
  { name, play, isApproved = false }: HonestSession,
  environment: Readonly<Record<string, string>>,
): Promise<HonestRow> {
  const played = await stage.play(play, { isApproved, environment });
  const transcript = { ...transcriptOf(played, play.check), ownExit: 0 };
  const first = isApproved ? "review" : "met";
  const problems = [
    ...(played.firstOutcome === first ? [] : [`it is ${played.firstOutcome}, not ${first}`]),
    ...(played.outcome === "met" ? [] : [`it ends as ${played.outcome}: ${detailOf(played)}`]),
  ];
  const outcome = played.firstOutcome;
  return {
    ...{ kind: "honest", name, outcome, problems },
    ...{ loop: loopAccepts(transcript), reader: readerAccepts(transcript) },
  };
}

interface OpenRegistry extends AsyncDisposable {
  readonly environment: Readonly<Record<string, string>>;
}

/** A registry of this machine's own, which sandboxes reach through the proxy; null where they cannot. */
async function openRegistry({ backend }: Stage): Promise<OpenRegistry | null> {
  const address = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
  if (address === undefined || backend !== "bubblewrap") return null;
  const packages = await TestRegistry.start(false, address);
  for (const version of ["1.0.0", "1.0.1"])
    packages.addWheel("dep", version, { "dep.py": `VERSION = '${version}'\n` });
  return {
    // Where a person's versions of Python are found depends on their home.
    environment: {
      PIP_INDEX_URL: `http://${address}:${packages.port}/simple/`,
      ...(process.env.HOME !== undefined && { HOME: process.env.HOME }),
    },
    [Symbol.asyncDispose]: async () => packages.close(),
  };
}

async function sessionRow(
  stage: Stage,
  one: SessionCase,
  twins: Map<string, Promise<Played>>,
  ablates: boolean,
): Promise<HostileRow> {
  const { name, mode, group, gates, play } = one;
  const played = await stage.play(play);
  const transcript = one.isRefused === true ? onBase(play) : transcriptOf(played, play.check);
  const isBelieved = gates.every((gate) => WITHOUT[gate](played, play, transcript));
  const twin = await twinOf(stage, one.twin, twins);
  const [verdict] = bodiesOf(twin, "verdict.given");
  return {
    ...{ kind: "hostile", name, mode, group, gates },
    fired: gates,
    strength: verdict?.criteria[0]?.strength ?? null,
    ownExit: transcript.ownExit,
    loop: loopAccepts(transcript),
    reader: readerAccepts(transcript),
    outcome: played.outcome,
    outcomeOff: ablates ? (isBelieved ? "met" : "unmet") : null,
    twinOutcome: twin.outcome,
    problems: [
      ...problemsOf(one, played, play),
      ...(isBelieved ? [] : ["without its gates it would not be believed"]),
      ...(twin.outcome === "met" ? [] : [`its twin is ${twin.outcome}: ${detailOf(twin)}`]),
    ],
  };
}

/** The check has to be green once where the worker worked; when it may be red later, `fresh` is the gate. */
function problemsOf(one: SessionCase, played: Played, { check }: Play): readonly string[] {
  const { isRefused = false, traces = [] } = one;
  const isCaught = isRefused ? played.outcome === "refused" : CAUGHT.has(played.outcome);
  const isGreen = isRefused || ownRuns(played, check).some(({ exitCode }) => exitCode === 0);
  const types = new Set<string>(played.events.map(({ type }) => type));
  const missing = traces.filter((type) => !types.has(type));
  return [
    ...(isCaught ? [] : [`it ends as ${played.outcome}: ${detailOf(played)}`]),
    ...(isGreen ? [] : ["its check was never green where it worked"]),
    ...missing.map((type) => `the log has no ${type}`),
  ];
}

/** What people would look at first. */
function detailOf(played: Played): string {
  const problems = bodiesOf(played, "preflight.finished").flatMap((body) => body.problems);
  return problems[0]?.message ?? played.printed.slice(-PRINTED_MAX);
}

/** What would be believed without each of them. */
const WITHOUT: Readonly<
  Record<SessionGate, (played: Played, play: Play, transcript: Transcript) => boolean>
> = {
  "own-word": (_played, _play, { words }) => loopAccepts({ ownExit: null, output: "", words }),
  "own-sandbox": (_played, _play, { ownExit }) => ownExit === 0,
  sealed: (played) =>
    bodiesOf(played, "agent.tool_use").some(({ input }) => {
      const { command = "" } = input as { readonly command?: string };
      return (
        /^cat \S+\.json$/.test(command) && ownRuns(played, command).some(({ output }) => allPass(output))
      );
    }),
  fresh: (played, { check }) => ownRuns(played, check).some(({ exitCode }) => exitCode === 0),
  whole: (played, _play, { ownExit }) => {
    const verdicts = bodiesOf(played, "verdict.given");
    const met = new Set(
      verdicts.flatMap(({ criteria }) => criteria.filter(isMet).map((each) => each.criterion)),
    );
    const all = verdicts[0]?.criteria ?? [];
    // What the last run of the worker's shows is the one that no verdict has found met.
    return ownExit === 0 && all.filter(({ criterion }) => !met.has(criterion)).length <= 1 && met.size > 0;
  },
  linter: (_played, _play, { ownExit }) => ownExit === 0,
  preflight: (_played, _play, { ownExit }) => ownExit === 0,
};

function isMet({ status }: { readonly status: string }): boolean {
  return status === "met";
}

/** A copy of a contract as readers of such files read it. */
function allPass(text: string): boolean {
  try {
    const copy = JSON.parse(text) as {
      readonly criteria?: readonly object[];
      readonly userStories?: readonly object[];
    };
    const items = copy.criteria ?? copy.userStories ?? [];
    return items.length > 0 && items.every((item) => "passes" in item && item.passes === true);
  } catch {
    return false;
  }
}

/** Work has not begun: there is only the check on the base, and the claim. */
function onBase({ project, check }: Play): Transcript {
  const folder = mkdtempSync(join(tmpdir(), "nightshift-base-"));
  try {
    write(folder, project.files);
    const output = execFileSync("sh", ["-c", check], { cwd: folder, stdio: "pipe", timeout: BASE_MS_MAX });
    return { ownExit: 0, output: output.toString(), words: CLAIM };
  } catch (error) {
    const { status = null } = error as { readonly status?: number | null };
    return { ownExit: status, output: "", words: CLAIM };
  } finally {
    removeTree(folder);
  }
}

function twinOf(stage: Stage, twin: Play, twins: Map<string, Promise<Played>>): Promise<Played> {
  const key = JSON.stringify(twin);
  const known = twins.get(key) ?? stage.play(twin);
  twins.set(key, known);
  return known;
}
