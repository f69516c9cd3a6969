/** The referee as one process reaches it: checks that take their time, and between any two steps it may die. */
import { hash } from "node:crypto";
import type { Criterion } from "../../src/core/contract/contract.ts";
import type { ContractState } from "../../src/core/contract/state.ts";
import { assert, NightshiftError } from "../../src/core/errors.ts";
import { type EventBody, type EventInput, event, type SessionEvent } from "../../src/core/events/index.ts";
import type { Sequence, SessionId } from "../../src/core/ids.ts";
import type { SessionState } from "../../src/core/state.ts";
import type { SessionReferee } from "../../src/runtime/session-referee.ts";
import type { Store } from "../../src/store/contract.ts";
import type { CheckoutHost, Files } from "./checkouts.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";

/** Learns what a verdict is going to rely on. */
export interface RefereeWatch {
  /** This fact was said to be in the log, there. */
  onRelied(session: SessionId, seq: Sequence, fact: EventInput): void;
}

/** What a referee is made of. */
export interface RefereeSeamParts {
  readonly process: Process;
  readonly session: SessionId;
  readonly checkouts: CheckoutHost;
  readonly store: Pick<Store, "getEvents">;
  readonly watch: RefereeWatch;
  readonly random: Random;
  /** Whether files meet a criterion; undefined: chance decides. */
  readonly isMet: ((criterion: string, files: Files) => boolean) | undefined;
}

type Status = EventBody<"referee.checked">["status"];
type Fact = SessionEvent<"referee.composed" | "referee.checked" | "referee.ratcheted">;
type OnFact = Parameters<SessionReferee["verdict"]>[0]["onFact"];

const FACTS: readonly Fact["type"][] = ["referee.composed", "referee.checked", "referee.ratcheted"];
const FACTS_MAX = 100;
const PASSES = ["A", "B"] as const;
/** Whether it may be changed, a person decides; on tree A it is as it was at the start, where there was none. */
const PROTECTED = "f2";
/** Of one check; whoever hears nothing for so long stops waiting. */
const WALL_MS = 60_000;
const CHECK_MS_MAX = 4000;
/** How often a check cannot be run. */
const FAILURE_CHANCE = 0.03;

const failed = (): NightshiftError => new NightshiftError("E_REFEREE", "the check could not be run");
const ERRORS = { refused: failed, lost: failed };

/** Judges the commits of one session. */
export class SimulatedReferee implements SessionReferee {
  readonly #parts: RefereeSeamParts;

  constructor(parts: RefereeSeamParts) {
    this.#parts = parts;
  }

  renewCopy = async (): Promise<void> => undefined;

  preflight: SessionReferee["preflight"] = async (state, signal) => {
    const { contract, base } = agreed(state);
    const found = await this.#ran("preflight", signal, () => "passed" as const);
    const criteria = contract.contract.criteria.map((criterion) => ({
      ...{ criterion: criterion.id, status: "failed" as const, role: "earn" as const, runs: [] },
      ...{ passing: "", failing: "", exempt: "", unstable: 0, wall_ms: WALL_MS },
    }));
    return {
      commit: base,
      criteria: found === null ? [] : criteria,
      problems: found === null ? [{ code: "failed", message: failed().message }] : [],
      ...(found !== null && { content: [{ type: "text" as const, text: "how it stands" }] }),
      duration_ms: 0,
    };
  };

  verdict: SessionReferee["verdict"] = async ({ state, signal, onFact }) => {
    const { contract, base } = agreed(state);
    const { making } = contract;
    assert(making !== null, "the fold names the verdict to be given");
    const { number, commit } = making;
    const files = this.#parts.checkouts.filesOf(commit);
    assert(files !== undefined, `a verdict is about a commit that exists, not ${commit}`);
    const done = await this.#done(number);
    const tell: OnFact = async (fact) => {
      const seq = await onFact(fact);
      this.#parts.watch.onRelied(this.#parts.session, seq, fact);
      return seq;
    };
    const trees = { tree_a: treeOf(original(files)), tree_b: commit };
    if (!done.some(({ type }) => type === "referee.composed"))
      await tell(
        event("referee.composed", { verdict: number, base, candidate: commit, ...trees, findings: [] }),
      );
    const waived = this.#waived(contract);
    const criteria: CriterionVerdict[] = [];
    for (const criterion of contract.contract.criteria) {
      const runs = waived.has(criterion.id)
        ? []
        : await this.#check({ contract, criterion, number, files, trees, done, tell, signal });
      criteria.push(criterionVerdict(contract, criterion, runs, waived));
    }
    if (!done.some(({ type }) => type === "referee.ratcheted"))
      await tell(event("referee.ratcheted", { verdict: number, findings: [] }));
    return verdictOf(contract, { number, commit, ...trees }, criteria, files);
  };

  #waived({ waivers }: ContractState): ReadonlySet<string> {
    const at = this.#parts.process.clock.wallMs();
    return new Set(waivers.filter(({ expiresAt }) => expiresAt > at).map(({ criterion }) => criterion));
  }

  /** Both passes over one criterion; what is in the log of this verdict is not done again. */
  async #check(about: CheckMoment): Promise<Run[]> {
    const { criterion, contract, number, files, trees, done, tell, signal } = about;
    const runs: Run[] = [];
    for (const pass of PASSES) {
      const known = done.find(
        (fact) =>
          fact.type === "referee.checked" && fact.body.criterion === criterion.id && fact.body.pass === pass,
      );
      if (known?.type === "referee.checked") {
        runs.push({ seq: known.seq, status: known.body.status });
        continue;
      }
      const tree = pass === "A" ? original(files) : files;
      const isSo = this.#parts.isMet?.(criterion.id, tree) ?? isMet(contract, criterion, tree);
      const look = (): Status => (isSo ? "met" : "unmet");
      const status = (await this.#ran("check", signal, look)) ?? "error";
      const body = checkedBody(number, criterion, pass, pass === "A" ? trees.tree_a : trees.tree_b, status);
      runs.push({ seq: await tell(event("referee.checked", body)), status });
    }
    return runs;
  }

  /** @returns null when it could not be run */
  async #ran<T>(operation: "preflight" | "check", signal: AbortSignal, look: () => T): Promise<T | null> {
    const { process, session, random } = this.#parts;
    const wall = new AbortController();
    void process.pause(WALL_MS).then(() => wall.abort(failed()));
    const run = async (): Promise<T> => {
      await process.pause(random.chance(0.7) ? 50 : random.between(100, CHECK_MS_MAX));
      signal.throwIfAborted();
      if (random.chance(FAILURE_CHANCE)) throw failed();
      return look();
    };
    try {
      return await process.call(operation, session, run, ERRORS, AbortSignal.any([signal, wall.signal]));
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof NightshiftError && error.code === "E_REFEREE") return null;
      throw error;
    }
  }

  /** What is in the log of this very verdict, from a harness that died over it. */
  async #done(number: number): Promise<readonly Fact[]> {
    const { store, session } = this.#parts;
    const range = { backwards: true, limit: FACTS_MAX, types: FACTS };
    const events = (await store.getEvents(session, range)) as Fact[];
    return events.filter(({ body }) => body.verdict === number).toReversed();
  }
}

interface Run {
  readonly seq: Sequence;
  readonly status: Status;
}

interface CheckMoment {
  readonly contract: ContractState;
  readonly criterion: Criterion;
  readonly number: number;
  readonly files: Files;
  readonly trees: { readonly tree_a: string; readonly tree_b: string };
  readonly done: readonly Fact[];
  readonly tell: OnFact;
  readonly signal: AbortSignal;
}

type Verdict = EventBody<"verdict.given">;
type CriterionVerdict = Verdict["criteria"][number];

function agreed({ contract, config }: SessionState): {
  readonly contract: ContractState;
  readonly base: string;
} {
  const base = config?.sandbox.checkout?.base;
  assert(contract !== null && base !== undefined, "a session with a contract has a checkout");
  return { contract, base };
}

/** The files with what is protected as it was at the start. */
function original(files: Files): Files {
  return new Map([...files].filter(([path]) => path !== PROTECTED));
}

function treeOf(files: Files): string {
  return hash("sha1", JSON.stringify([...files].sort()), "hex");
}

/** Whether a criterion is met depends on the files, and on nothing that anybody says. */
function isMet({ contract }: ContractState, { id }: Criterion, files: Files): boolean {
  return hash("sha1", JSON.stringify([contract.goal, id, treeOf(files)]), "hex") < "8";
}

function checkedBody(
  verdict: number,
  { id, check }: Criterion,
  pass: (typeof PASSES)[number],
  tree: string,
  status: Status,
): EventBody<"referee.checked"> {
  return {
    ...{ verdict, criterion: id, pass, tree, status, command: check?.argv ?? [] },
    run: {
      ...{ ending: "exited", exit_code: status === "met" ? 0 : 1, duration_ms: 0 },
      ...{ runner: null, counts: null, output: "" },
    },
    output_hash: "0".repeat(64),
    strength: "exit-status",
    reason: status,
    missing: [],
  };
}

function criterionVerdict(
  { declared }: ContractState,
  { id }: Criterion,
  runs: readonly Run[],
  waived: ReadonlySet<string>,
): CriterionVerdict {
  const evidence = runs.map(({ seq }) => seq);
  const common = { criterion: id, strength: null, reason: "as it was found", evidence };
  if (waived.has(id)) return { ...common, status: "waived" };
  const status = (["error", "unmet"] as const).find((bad) => runs.some((run) => run.status === bad)) ?? "met";
  const said = declared.find(({ criterion }) => criterion === id);
  return { ...common, status: status === "unmet" && said !== undefined ? said.status : status };
}

function verdictOf(
  { hash: contract_hash, decisions }: ContractState,
  about: Pick<Verdict, "number" | "commit" | "tree_a" | "tree_b">,
  criteria: readonly CriterionVerdict[],
  files: Files,
): Verdict {
  const text = files.get(PROTECTED);
  const looked = text === undefined ? null : hash("sha256", text, "hex");
  const result = decisions.find((known) => known.hash === looked)?.result;
  const item = { item: PROTECTED, path: PROTECTED, detail: "it was changed" };
  const review = looked === null || result !== undefined ? [] : [{ ...item, hash: looked }];
  const statuses = new Set(criteria.map(({ status }) => status));
  const outcome = outcomeOf(statuses, result === "deny", review.length > 0);
  return {
    ...about,
    ...{ contract_hash, outcome, review },
    // A change that a person has denied is refused, whatever checks say of it.
    criteria: criteria.map((each) => (result === "deny" ? { ...each, status: "unmet" as const } : each)),
    gaps: [],
    content: [{ type: "text", text: `verdict ${about.number}: ${outcome}` }],
    duration_ms: 0,
  };
}

function outcomeOf(
  statuses: ReadonlySet<string>,
  isDenied: boolean,
  needsReview: boolean,
): Verdict["outcome"] {
  if (isDenied || statuses.has("unmet")) return "unmet";
  if (statuses.has("error")) return "error";
  return needsReview || statuses.has("impossible") || statuses.has("blocked") ? "review" : "met";
}
