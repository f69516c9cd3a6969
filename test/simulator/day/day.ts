/**
 * One simulated day: a session that works for about 24 hours towards a contract of many criteria, through limits,
 * outages, crashes of the harness and lost sandboxes, with people who answer when they have slept.
 */
import { CONTRACT_DEFAULTS, type Contract } from "../../../src/core/contract/contract.ts";
import { ASK, HAND_OFF, SESSION_TOOLS } from "../../../src/core/contract/session-tools.ts";
import { type ClientEventInput, event } from "../../../src/core/events/index.ts";
import { openQuestions } from "../../../src/core/rules/people.ts";
import type { SessionState } from "../../../src/core/state.ts";
import { BASE, type CheckoutHost } from "../checkouts.ts";
import { sealedAs } from "../contracts.ts";
import { makeTemplate } from "../disk.ts";
import type { FaultPlan } from "../faults.ts";
import type { Invariant, Violation } from "../judge.ts";
import type { ObservedLog } from "../log.ts";
import { judgeEnd } from "../simulation.ts";
import { message, type Workload } from "../workload.ts";
import { World } from "../world.ts";
import { DayAgent, DONE, type Told } from "./agent.ts";

const HOUR_MS = 3_600_000;
const CRITERIA = 14;
/** A day has about twenty-four hours; one that lasts much longer has gone wrong. */
const DAY_MAX_MS = 40 * HOUR_MS;
const STEPS_MAX = 5_000_000;
/** After it is verified, everything is given back. */
const REST_MS = 20 * 60_000;
/** How often somebody looks whether anything waits, and for how long they let it. */
const LOOK_MS = 10 * 60_000;
const ANSWER_AFTER_MS = 1.1 * HOUR_MS;
const LIFT_AFTER_MS = HOUR_MS / 3;
/** Renewed a few times a minute, as a lease of an hour-long run may be. */
const LEASE_TTL_MS = 120_000;
/** Reached in the middle of the day. */
const CAP_MICRO_USD = 15_000_000;
const CAP_RAISED_MICRO_USD = 500_000_000;

/** Micro-dollars per million tokens. */
export const PRICE = { input: 3_000_000, output: 15_000_000, cache_read: 300_000, cache_write: 3_750_000 };

/** Rare in relation to so much work; enough for some tens over the day. */
const FAULTS: FaultPlan = {
  target: null,
  intensity: 0.012,
  enabled: new Set([
    ...(["crash", "daemon-dies", "daemon-forgets", "refuse", "lose-reply", "no-reply"] as const),
    ...(["slow", "commit-fails", "commit-unknown", "suspend"] as const),
  ]),
  strikesMax: 200,
};

/** What came of the day. */
export interface Day {
  readonly log: ObservedLog;
  readonly checkouts: CheckoutHost;
  readonly violation: Violation | null;
  readonly ended: string;
  readonly crashes: number;
  /** What the provider says that each request has used; absent for those that were refused. */
  readonly told: ReadonlyMap<number, Told>;
  /** Requests that reached the provider. */
  readonly requests: number;
  /** What people were told while they were away. */
  readonly notices: readonly string[];
  readonly tail: () => string;
}

/** Lives through one day. @param seed - decides all of it */
export async function simulateDay(seed: number): Promise<Day> {
  const template = await makeTemplate({ clock: { monotonicMs: () => 0 }, probe: { isDead: () => false } });
  const agent = new DayAgent();
  const told = new Map<number, Told>();
  const notices: string[] = [];
  let requests = 0;
  const watch: Invariant = {
    promise: "the provider keeps its own account",
    onRequestOver: ({ number, request }) => {
      requests += 1;
      const usage = agent.told.get(request);
      if (usage !== undefined) told.set(number, usage);
      return null;
    },
    onTold: ({ notification }) => {
      notices.push(notification.kind);
      return null;
    },
  };
  const world = new World({ seed, template, faults: FAULTS, workload: workloadOf(agent), watch: [watch] });
  const ended = await live(world);
  world.population.abandon();
  await world.machine.shutDown();
  const [log] = world.logs.values();
  if (log === undefined) throw new Error("the day has no session");
  const { checkouts } = world;
  const { violation } = world.judge;
  const tail = (): string => world.trace.print(60);
  return { log, checkouts, violation, ended, crashes: world.faults.crashes, told, requests, notices, tail };
}

async function live(world: World): Promise<string> {
  const { population, scheduler, judge, logs, faults } = world;
  const isVerified = (): boolean =>
    [...logs.values()].some(({ state }) => state.stopReason?.type === "verified");
  for (let count = 0; count < world.workload.harnesses; count++) population.startHarness();
  population.startPeople();
  new Visitor(world).comeAgain();
  const limits = { steps: STEPS_MAX, untilMs: DAY_MAX_MS };
  const end = await scheduler.run(() => judge.violation !== null || isVerified(), limits);
  faults.stop();
  if (judge.violation !== null || end !== "done") return end;
  let isOver = false;
  scheduler.after(REST_MS, () => {
    isOver = true;
  });
  await scheduler.run(() => isOver || judge.violation !== null, {
    ...limits,
    untilMs: Number.POSITIVE_INFINITY,
  });
  judgeEnd(world);
  return end;
}

/** Somebody who looks in now and then, and does what is asked of them. */
class Visitor {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  comeAgain(): void {
    this.#world.scheduler.after(LOOK_MS, () => {
      this.#look();
      this.comeAgain();
    });
  }

  #look(): void {
    for (const { session, state } of this.#world.logs.values()) {
      const events = answersTo(state, this.#world.scheduler.wallMs());
      if (events.length > 0) this.#world.population.sendNow(session, events);
    }
  }
}

function answersTo(state: SessionState, at: number): ClientEventInput[] {
  const { hold, idleSince } = state;
  const asked = openQuestions(state).filter(({ askedAt, default: standard }) => {
    // What has a default answers itself while everybody sleeps.
    return standard === null && at - askedAt >= ANSWER_AFTER_MS;
  });
  if (asked.length > 0)
    return asked.flatMap(({ question }) => [
      event("question.answered", { question, text: "anew", author: "ada", channel: "cli" }),
      event("question.answered", { question, text: "as it is", author: "bob", channel: "http" }),
    ]);
  if (hold === null || hold === "requires_action" || at - idleSince < LIFT_AFTER_MS) return [];
  if (hold === "budget_reached")
    return [event("control.set_limits", { limits: { cost_micro_usd: CAP_RAISED_MICRO_USD } })];
  return [event("control.resume", {})];
}

function contractOf(): Contract {
  const ids = Array.from({ length: CRITERIA }, (_, index) => `c${index}`);
  return {
    ...CONTRACT_DEFAULTS,
    goal: "Everything that was asked for is there.",
    constraints: ["Keep the public interface as it is.", "No new dependencies."],
    criteria: ids.map((id) => ({
      ...{
        id,
        description: `the part ${id} works as it is meant`,
        steps: [],
        role: null,
        rubric: [],
        needs: [],
      },
      check: { argv: ["check", id], folder: "", shell: false },
    })),
    limits: { verdicts: 400 },
  };
}

function workloadOf(agent: DayAgent): Workload {
  const contract = contractOf();
  const label = "day";
  const model = { provider: "scripted", id: label, max_output_tokens: 500, price: PRICE };
  const tools = ["bash", "read", "write", "edit", ...SESSION_TOOLS, ASK, HAND_OFF];
  return {
    sessions: [
      {
        label,
        contract,
        config: {
          title: "A day of work",
          metadata: { label },
          agent: { name: "agent", worker: "loop", model, system: "You work.", tools },
          sandbox: {
            backend: "simulated",
            workspace: "/w/day",
            options: {},
            checkout: { base: BASE, branch: label },
          },
          limits: { cost_micro_usd: CAP_MICRO_USD },
          policy: {
            ...{
              steering: "enqueue",
              idle_timeout_ms: 120_000,
              sandbox_grace_ms: 60_000,
              tool_wall_ms: 60_000,
            },
            ...{ model_failures_max: 5, outage_ms: 6 * HOUR_MS, on_limit: "wait", no_contact_ms: 300_000 },
            ...{ checkpoint_calls: 10, checkpoint_ms: 600_000 },
            context: {
              mode: "reset",
              window_tokens: 24_000,
              fill_max: 0.4,
              compact: false,
              resets_help: true,
            },
          },
        },
        first: [sealedAs(contract), message("Please do all of it.")],
        respond: (request) => agent.respond(request),
      },
    ],
    actions: [2, 5, 5].map((hours) => ({
      ...{ label, afterMs: hours * HOUR_MS },
      events: [message(`After ${hours} more hours: keep going, and mind the constraints.`)],
    })),
    ...{ harnesses: 2, leaseTtlMs: LEASE_TTL_MS },
    dayCaps: null,
    isTold: true,
    isMet: (id, files) => files.get(id) === DONE,
  };
}
