/**
 * The history that a branch tells: of all the checkpoints on the way to a commit, those with which a criterion was met
 * for the first time, and the last one. A function of the log, so that it is the same whoever makes the branch, and
 * however often.
 */
import type { Contract } from "../contract/contract.ts";
import type { ToldWaiver } from "../contract/counting.ts";
import type { EventBody, SessionEvent } from "../events/index.ts";
import type { SessionId } from "../ids.ts";
import { commitMessage, type ToldVerdict } from "./message.ts";

/** One commit of the branch: the files of a checkpoint under a message for people. */
export interface BranchStep {
  readonly source: string;
  readonly message: string;
  /** Wall-clock time of the checkpoint. */
  readonly atMs: number;
}

/** Types that a history is made of; a reader needs no others. */
export const HISTORY_TYPES: readonly string[] = [
  "session.created",
  "contract.sealed",
  "contract.amended",
  "control.waive",
  "preflight.finished",
  "checkpoint.created",
  "workspace.rewound",
  "verdict.given",
];

interface Saved {
  readonly source: string;
  readonly parent: string;
  readonly atMs: number;
}

interface Reading {
  readonly title: string;
  readonly saved: string;
  readonly made: ReadonlyMap<string, Saved>;
  readonly contract: Contract | null;
  readonly hash: string;
  /** What was green on the base: nobody has earned it. */
  readonly kept: readonly string[];
  readonly isKeepOnly: boolean;
  /** The newest of each criterion. */
  readonly waivers: ReadonlyMap<string, ToldWaiver>;
  /** The best one about each commit. */
  readonly verdicts: ReadonlyMap<string, ToldVerdict>;
}

const NOTHING: Reading = {
  title: "",
  saved: "",
  made: new Map(),
  contract: null,
  hash: "",
  kept: [],
  isKeepOnly: false,
  waivers: new Map(),
  verdicts: new Map(),
};

/** @param source - the newest commit; the base has no steps */
export function historyOf(
  session: SessionId,
  events: Iterable<SessionEvent>,
  source: string,
): readonly BranchStep[] {
  let reading = NOTHING;
  for (const event of events) reading = { ...reading, ...news(reading, event) };
  const { contract, title } = reading;
  const seen = new Set<string>(reading.isKeepOnly ? [] : reading.kept);
  return lineage(reading, source).flatMap(({ source: commit, atMs }) => {
    const verdict = reading.verdicts.get(commit) ?? null;
    const newly = (verdict?.met ?? []).filter((id) => !seen.has(id));
    if (newly.length === 0 && commit !== source) return [];
    for (const id of newly) seen.add(id);
    return [{ source: commit, message: commitMessage({ session, title, contract, newly, verdict }), atMs }];
  });
}

/** From the base on; what a person has taken back is not on the way. */
function lineage({ made }: Reading, source: string): readonly Saved[] {
  const way: Saved[] = [];
  for (let at = made.get(source); at !== undefined && way.length <= made.size; at = made.get(at.parent))
    way.unshift(at);
  return way;
}

function news(reading: Reading, event: SessionEvent): Partial<Reading> {
  switch (event.type) {
    case "session.created":
      return { title: event.body.title ?? "", saved: event.body.sandbox.checkout?.base ?? "" };
    case "contract.sealed":
    case "contract.amended":
      // What was found under the old text no longer counts.
      return { contract: event.body.contract, hash: event.body.hash, verdicts: new Map() };
    case "control.waive": {
      const { criterion, owner, reason, expires_at: expiresAt } = event.body;
      return { waivers: new Map([...reading.waivers, [criterion, { criterion, owner, reason, expiresAt }]]) };
    }
    case "preflight.finished":
      return keptBy(event.body.criteria);
    case "workspace.rewound":
      return { saved: event.body.commit };
    case "checkpoint.created": {
      const { commit: source } = event.body;
      const made = { source, parent: reading.saved, atMs: event.at };
      // Whatever comes later, what was told of a commit once stays as it is.
      return { saved: source, made: new Map([[source, made], ...reading.made]) };
    }
    case "verdict.given":
      return event.body.contract_hash === reading.hash ? { verdicts: withVerdict(reading, event.body) } : {};
    default:
      return {};
  }
}

function keptBy(criteria: EventBody<"preflight.finished">["criteria"]): Pick<Reading, "kept" | "isKeepOnly"> {
  const kept = criteria.filter(({ role }) => role === "keep").map(({ criterion }) => criterion);
  return { kept, isKeepOnly: kept.length > 0 && kept.length === criteria.length };
}

function withVerdict(
  { verdicts, contract, isKeepOnly, waivers }: Reading,
  { number, outcome, commit, criteria }: EventBody<"verdict.given">,
): ReadonlyMap<string, ToldVerdict> {
  const met = criteria.filter(({ status }) => status === "met");
  const known = verdicts.get(commit);
  const isBetter = known === undefined || outcome === "met" || met.length > known.met.length;
  if (known?.outcome === "met" || !isBetter) return verdicts;
  const told: ToldVerdict = {
    number,
    outcome,
    met: met.map(({ criterion }) => criterion),
    of: contract?.criteria.length ?? criteria.length,
    waived: criteria.flatMap(({ criterion, status }) =>
      status === "waived" ? (waivers.get(criterion) ?? []) : [],
    ),
    strengths: [...new Set(met.flatMap(({ strength }) => strength ?? []))],
    // What a judge found is about the goal, whatever the checks were on the base.
    isKeepOnly: isKeepOnly && !met.some(({ strength }) => strength === "judged"),
  };
  return new Map([...verdicts, [commit, told]]);
}
