/**
 * Runs one seed: faults first, then a time without faults in which everything must come to rest, then people who
 * answer what waits for them, and rest once more.
 */

import { VERDICT_CAP } from "../../src/core/contract/verdict-cap.ts";
import { type ClientEventInput, type EventBody, event } from "../../src/core/events/index.ts";
import { nextExpiry, openQuestions } from "../../src/core/rules/people.ts";
import type { SessionState } from "../../src/core/state.ts";
import { decideAll, moreVerdicts } from "./contracts.ts";
import type { FaultPlan } from "./faults.ts";
import type { Violation } from "./judge.ts";
import type { LogRow, ObservedLog } from "./log.ts";
import { FAULTS, type Fault, type Pair, targetOf } from "./pairs.ts";
import { Random } from "./random.ts";
import { World } from "./world.ts";

/** Limits of one simulation; a session that never rests runs into one of them. */
const STEPS_MAX = 60_000;
const FAULTS_UNTIL_MS = 900_000;
const REST_WITHIN_MS = 6 * 3_600_000;
/** Whoever waits for a person for longer is waited for by nobody here. */
const PATIENCE_MS = 3_600_000;
/** Rounds in which people answer everything that waits for them. */
const ROUNDS_MAX = 100;

/** What came of one seed. */
export interface SeedResult {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly digest: string;
  readonly events: number;
  readonly crashes: number;
  readonly steps: number;
  readonly strikes: ReadonlyMap<Pair, number>;
  /** Printed when something went wrong. */
  readonly trace: () => string;
}

/** Simulates a seed from beginning to end. */
export async function simulate(seed: number, template: string): Promise<SeedResult> {
  const world = new World({ seed, template, faults: planFaults(seed) });
  const onRejection = (error: unknown): void =>
    world.judge.complain("no-failure-is-lost", error instanceof Error ? (error.stack ?? "") : String(error));
  process.on("unhandledRejection", onRejection);
  try {
    await new Simulation(world).run();
  } finally {
    process.off("unhandledRejection", onRejection);
    world.population.abandon();
    await world.machine.shutDown();
  }
  const digest = world.trace.digest();
  return {
    seed,
    violation: world.judge.violation,
    digest,
    events: [...world.logs.values()].reduce((sum, log) => sum + log.events.length, 0),
    crashes: world.faults.crashes,
    steps: world.scheduler.steps,
    strikes: world.faults.counts,
    trace: () => world.trace.print(),
  };
}

/** Few seeds have no faults; the others differ in how many and which they have. */
function planFaults(seed: number): FaultPlan {
  const random = new Random(`faults of ${seed}`);
  const kinds = Object.keys(FAULTS) as Fault[];
  const share = random.pick([0.3, 0.6, 1]);
  const isCalm = random.chance(0.03);
  return {
    target: isCalm ? null : targetOf(seed),
    intensity: isCalm ? 0 : random.pick([0.5, 1, 2, 2]) / share,
    enabled: new Set(kinds.filter(() => random.chance(share))),
    strikesMax: random.pick([10, 30, 60]),
  };
}

class Simulation {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  async run(): Promise<void> {
    const { population, workload, faults, scheduler, machine } = this.#world;
    for (let count = 0; count < workload.harnesses; count++) population.startHarness();
    population.startPeople();
    scheduler.after(FAULTS_UNTIL_MS, () => faults.stop());
    if (!(await this.#rest())) return;
    faults.stop();
    machine.disk.heal();
    if (workload.dayCaps !== null) workload.dayCaps.tokens = Number.MAX_SAFE_INTEGER;
    for (let round = 0; round < ROUNDS_MAX && this.#answerPeople(); round++)
      if (!(await this.#rest())) return;
    await this.#letDaemonsEnd();
    judgeEnd(this.#world);
  }

  /** Lets everything happen until all sessions rest. @returns false when they never do, or when something broke */
  async #rest(): Promise<boolean> {
    const { scheduler, judge } = this.#world;
    const untilMs = scheduler.monotonicMs() + REST_WITHIN_MS;
    const isDone = (): boolean => judge.violation !== null || this.#isAtRest();
    const end = await scheduler.run(isDone, { steps: scheduler.steps + STEPS_MAX, untilMs });
    if (end !== "done") judge.complain("everything-comes-to-rest", `${end}: ${this.#unrest()}`);
    return judge.violation === null;
  }

  #isAtRest(): boolean {
    const { population, machine, actions } = this.#world;
    if (!population.arePeopleDone() || population.isStopped() || actions.isExpected) return false;
    return machine.observer
      .restless()
      .every(({ session, due, isOwned }) => !isOwned && isPatient(this.#world.log(session).state, due));
  }

  #unrest(): string {
    const sessions = this.#world.machine.observer.sessions().map(({ session, due, isOwned }) => {
      const { phase, hold, halt, queue, sandbox } = this.#world.log(session).state;
      return {
        session,
        due,
        isOwned,
        phase,
        hold,
        halt,
        queue: queue.flat().length,
        sandbox: sandbox?.status,
      };
    });
    return JSON.stringify(sessions);
  }

  /** People lift every hold. @returns whether there was any */
  #answerPeople(): boolean {
    const { population } = this.#world;
    let isAny = false;
    for (const log of this.#world.logs.values()) {
      const answer = answerTo(log);
      if (answer === null) continue;
      isAny = true;
      population.sendNow(log.session, answer);
    }
    return isAny;
  }

  /** A daemon of which nobody knows ends by itself once it has had no contact for long enough. */
  async #letDaemonsEnd(): Promise<void> {
    const { scheduler } = this.#world;
    const untilMs = scheduler.monotonicMs() + 10 * 60_000;
    let isOver = false;
    scheduler.after(130_000, () => {
      isOver = true;
    });
    await scheduler.run(() => isOver, { steps: scheduler.steps + STEPS_MAX, untilMs });
  }
}

/** Everything is read once more, by a reader that has not seen any of it. */
export function judgeEnd(world: World): void {
  const { judge, logs, sandboxes, checkouts, machine } = world;
  const { observer } = machine;
  judge.atEnd({ logs: [...logs.values()], liveSandboxes: sandboxes.live(), checkouts });
  for (const { session } of observer.sessions()) {
    const { rows } = world.log(session);
    const stored = observer.rows(session, 0);
    if (stored.length !== rows.length || stored.some((row, at) => !isSame(row, rows[at])))
      judge.complain("acknowledged-is-kept", `the log of ${session} is not what it was`);
    const head = observer.head(session);
    const last = stored.at(-1);
    if (head.seq !== last?.seq || head.hash !== last.hash)
      judge.complain("heads-agree", `the head of ${session} is ${head.seq}, its log ends at ${last?.seq}`);
  }
  for (const log of logs.values()) {
    if (log.rows.length > 0 && !observer.sessions().some(({ session }) => session === log.session))
      judge.complain("acknowledged-is-kept", `${log.session} is gone`);
  }
}

function isSame(row: LogRow, other: LogRow | undefined): boolean {
  const { seq, at, type, v, body, hash } = row;
  return (
    seq === other?.seq &&
    at === other.at &&
    type === other.type &&
    v === other.v &&
    body === other.body &&
    hash === other.hash
  );
}

/** Does it keep nothing, and wait for the next day, or for a person until a time that is far away? */
function isPatient(state: SessionState, due: number | null): boolean {
  const { stopReason: reason } = state;
  if (reason?.type === "budget_reached" && state.hold === "budget_reached")
    return state.sandbox === null && due !== null && due === reason.resume_at;
  const expiry = nextExpiry(state);
  return (
    state.hold === "requires_action" &&
    state.sandbox === null &&
    expiry !== null &&
    expiry === due &&
    expiry - state.lastEventAt > PATIENCE_MS
  );
}

/** What a person does about a session that waits for one; null when it does not. */
function answerTo({ state }: ObservedLog): readonly ClientEventInput[] | null {
  if (state.phase === "terminated") return null;
  if (state.hold === null) {
    const decisions = state.contract === null ? [] : decideAll(state.contract);
    return decisions.length === 0 ? null : decisions;
  }
  if (state.hold === "requires_action") {
    const open = state.calls.filter((call) => call.status === "in_doubt" && call.confirmation === null);
    const author = "whoever comes last";
    return [
      ...open.map(({ call }) => event("user.tool_confirmation", { call, result: "allow" })),
      ...openQuestions(state).map(({ question }) =>
        event("question.answered", { question, text: "so be it", author }),
      ),
    ];
  }
  if (state.hold === "budget_reached") {
    const { stopReason: reason, contract } = state;
    if (reason?.type === "budget_reached" && reason.cap === VERDICT_CAP && contract !== null)
      return [moreVerdicts(contract.contract)];
    return [event("control.set_limits", { limits: wideLimits(state) })];
  }
  return [event("control.resume", {})];
}

/** Caps that nothing here reaches, where there are any. */
function wideLimits({ config }: SessionState): EventBody<"control.set_limits">["limits"] {
  const isPriced = config?.agent.model.price !== undefined;
  const spending = {
    ...{ model_requests: 100_000, tokens: 1_000_000_000 },
    ...(isPriced && { cost_micro_usd: 1_000_000_000_000 }),
  };
  const { attempt, criterion, active_ms } = config?.limits ?? {};
  return {
    ...{ ...spending, attempts: 10_000 },
    ...(attempt && { attempt: spending }),
    ...(criterion && { criterion: spending }),
    ...(active_ms !== undefined && { active_ms: 1_000_000_000 }),
  };
}
