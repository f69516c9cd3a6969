/** Decides, by seed, which fault strikes where, and counts what has struck. */
import type { SessionId } from "../../src/core/ids.ts";
import type { DiskFault } from "./disk.ts";
import { FAULTS_AT, type Fault, type OperationName, type Pair, type Point } from "./pairs.ts";
import { NO_STRIKE, type Process, type Strike, type Striker } from "./process.ts";
import type { Random } from "./random.ts";
import type { Trace } from "./trace.ts";

/** What faults do to the world. Each says whether it could strike at all. */
export interface FaultActions {
  crash(process: Process): boolean;
  stop(process: Process): boolean;
  compete(process: Process, session: SessionId): boolean;
  message(session: SessionId): boolean;
  control(session: SessionId): boolean;
  /** Does a daemon of the session's live? */
  hasDaemon(session: SessionId): boolean;
  killDaemon(session: SessionId, forgets: boolean): boolean;
  jumpWall(byMs: number): boolean;
  suspend(forMs: number): boolean;
  failCommits(fault: DiskFault, count: number): boolean;
  /** A person stops what runs and soon lets it go on. */
  stopForAMoment(session: SessionId): void;
  /** Some session, for points that concern none. */
  anySession(): SessionId | null;
}

/** How a seed's faults are chosen. */
export interface FaultPlan {
  /** Strikes at this pair first of all; null for none. */
  readonly target: Pair | null;
  /** Scales how often anything strikes; 0 for never. */
  readonly intensity: number;
  /** Faults that this seed has besides its target. */
  readonly enabled: ReadonlySet<Fault>;
  readonly strikesMax: number;
}

/**
 * How often each operation crosses the border in one simulation, roughly: the rarer, the more often faults strike
 * there, so that all pairs are met about equally often.
 */
const CROSSINGS: Readonly<Record<OperationName, number>> = {
  claim: 15,
  snapshot: 20,
  read: 35,
  session: 2,
  append: 30,
  renew: 6,
  release: 12,
  due: 80,
  hint: 30,
  create: 1.4,
  submit: 6,
  answer: 0.3,
  notify: 0.5,
  provision: 4,
  attach: 3,
  execute: 4,
  prepare: 1.5,
  cancel: 0.3,
  destroy: 3,
  preflight: 0.5,
  check: 3,
  request: 9,
  part: 30,
  timer: 35,
};

/** Strikes per pair and simulation that are aimed at. */
const WANTED = 0.11;
/** Strikes at the target at the most, and how likely each visit of its point is met. */
const TARGET_STRIKES_MAX = 18;
const TARGET_CHANCE = 0.85;

interface Lead {
  readonly to: RegExp;
  readonly at: Point;
  readonly strike: Strike | null;
  readonly chance: number;
  /** Only while the session's daemon lives, which leads to the target and not past it. */
  readonly whileAlive?: boolean;
}

/** What leads to a target: a strike at another point, or (null) a person who stops what runs. */
const LEADS: readonly Lead[] = [
  {
    to: /^daemon-.*@session\./,
    at: "snapshot.before",
    strike: { kind: "refuse" },
    chance: 0.9,
    whileAlive: true,
  },
  { to: /@session\./, at: "snapshot.before", strike: { kind: "refuse" }, chance: 0.85 },
  { to: /@cancel\./, at: "execute.before", strike: null, chance: 0.85 },
  { to: /^daemon-.*@provision\./, at: "execute.after", strike: { kind: "lose-reply" }, chance: 0.85 },
];

/** The fault injector of one simulation. */
export class FaultInjector implements Striker {
  readonly #plan: FaultPlan;
  readonly #actions: FaultActions;
  readonly #random: Random;
  readonly #trace: Trace;
  readonly #targetFault: Fault | null;
  readonly #targetPoint: Point | null;
  #targetLeft = TARGET_STRIKES_MAX;
  #isActive = true;
  #strikes = 0;
  /** How often each pair has struck. */
  readonly counts = new Map<Pair, number>();

  constructor(plan: FaultPlan, actions: FaultActions, random: Random, trace: Trace) {
    this.#plan = plan;
    this.#actions = actions;
    this.#random = random;
    this.#trace = trace;
    const [fault, point] = (plan.target ?? "@").split("@") as [Fault, Point];
    this.#targetFault = plan.target === null ? null : fault;
    this.#targetPoint = plan.target === null ? null : point;
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  get crashes(): number {
    return [...this.counts].reduce(
      (sum, [pair, count]) => (pair.startsWith("crash@") ? sum + count : sum),
      0,
    );
  }

  /** From now on nothing strikes. */
  stop(): void {
    this.#isActive = false;
  }

  strike(process: Process, point: Point, session: SessionId | null): Strike {
    if (!this.#isActive) return NO_STRIKE;
    const lead = this.#leadToTarget(point, session);
    if (lead !== null) return lead;
    const fault = this.#choose(point);
    if (fault === null) return NO_STRIKE;
    const strike = this.#apply(fault, process, session ?? this.#actions.anySession());
    if (strike === null) return NO_STRIKE;
    const pair: Pair = `${fault}@${point}`;
    this.counts.set(pair, (this.counts.get(pair) ?? 0) + 1);
    this.#strikes += 1;
    if (pair === this.#plan.target) this.#targetLeft -= 1;
    this.#trace.note("fault", fault, `at ${point} of ${process.name}`);
    return strike;
  }

  /**
   * Some points are rare: failed wakes look at their session's row, calls are cancelled when a person stops them,
   * and a sandbox is made while it lives when a connection to it was lost.
   */
  #leadToTarget(point: Point, session: SessionId | null): Strike | null {
    const target = this.#plan.target ?? "";
    const lead = LEADS.find(({ to, at }) => at === point && to.test(target));
    if (lead === undefined || this.#targetLeft === 0 || !this.#random.chance(lead.chance)) return null;
    if (lead.whileAlive && (session === null || !this.#actions.hasDaemon(session))) return null;
    if (lead.strike === null && session !== null) this.#actions.stopForAMoment(session);
    return lead.strike;
  }

  #choose(point: Point): Fault | null {
    const faults = FAULTS_AT.get(point) ?? [];
    if (point === this.#targetPoint && this.#targetLeft > 0 && this.#random.chance(TARGET_CHANCE))
      return this.#targetFault;
    if (this.#strikes >= this.#plan.strikesMax) return null;
    const name = point.slice(0, point.indexOf(".")) as OperationName;
    const rate = Math.min(0.5, (WANTED * faults.length * this.#plan.intensity) / CROSSINGS[name]);
    if (this.#random.next() >= rate) return null;
    const fault = this.#random.pick(faults);
    return this.#plan.enabled.has(fault) ? fault : null;
  }

  /** @returns null when the fault cannot strike now */
  #apply(fault: Fault, process: Process, session: SessionId | null): Strike | null {
    const random = this.#random;
    switch (fault) {
      case "refuse":
      case "lose-reply":
      case "no-reply":
        return { kind: fault };
      case "slow":
        return { kind: "slow", ms: random.between(500, 25_000) };
      case "crash":
        return this.#actions.crash(process) ? NO_STRIKE : null;
      case "stop":
        return this.#actions.stop(process) ? NO_STRIKE : null;
      case "clock-forward":
        return this.#actions.jumpWall(random.between(1000, 1_200_000)) ? NO_STRIKE : null;
      case "clock-back":
        return this.#actions.jumpWall(-random.between(1000, 1_200_000)) ? NO_STRIKE : null;
      case "suspend":
        return this.#actions.suspend(random.between(15_000, 3_600_000)) ? NO_STRIKE : null;
      case "commit-fails":
      case "commit-unknown":
      case "disk-full":
        return this.#actions.failCommits(fault, random.chance(0.6) ? 1 : random.between(2, 8))
          ? NO_STRIKE
          : null;
      default:
        return session === null ? null : this.#applyToSession(fault, process, session);
    }
  }

  #applyToSession(
    fault: "compete" | "message" | "control" | "daemon-dies" | "daemon-forgets",
    process: Process,
    session: SessionId,
  ): Strike | null {
    const actions = this.#actions;
    switch (fault) {
      case "compete":
        return actions.compete(process, session) ? NO_STRIKE : null;
      case "message":
        return actions.message(session) ? NO_STRIKE : null;
      case "control":
        return actions.control(session) ? NO_STRIKE : null;
      case "daemon-dies":
      case "daemon-forgets":
        return actions.killDaemon(session, fault === "daemon-forgets") ? NO_STRIKE : null;
    }
  }
}
