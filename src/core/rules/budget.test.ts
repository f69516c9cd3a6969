import { describe, expect, test } from "vitest";
import { preflightFinished, preflightStarted, sealed } from "../../../test/support/contract-events.ts";
import {
  answered,
  asked,
  called,
  created,
  failedWith,
  idle,
  rescheduled,
  resume,
  running,
  START_MS,
  said,
  setLimits,
  started,
  woke,
} from "../../../test/support/events.ts";
import { asking, askingWithSandbox, nowOf, stateOf } from "../../../test/support/logs.ts";
import { decideTable, exec, kill, model, performs } from "../../../test/support/steps.ts";
import { decide } from "../decide.ts";
import { type EventInput, event } from "../events/index.ts";
import { attemptSpending, criteriaSpending } from "../reduce/budget.ts";
import { append } from "../step.ts";
import { exceededCap } from "./budget.ts";

const HOUR = 3_600_000;
const reached = (cap: string, limit: number, used: number): EventInput =>
  event("budget.exhausted", { cap, limit, used, wanted: 0 });

describe("a cap on the time since the session was made", () => {
  const limits = { duration_ms: HOUR };
  const at = START_MS + HOUR;
  const timed = askingWithSandbox({ limits });
  const calling = [...timed, answered(1, { stop_reason: "tool_use" }), called(1, 0), started("c1_0")];
  const capped = [...calling, reached("duration_ms", HOUR, HOUR)];
  decideTable([
    {
      name: "is waited for, beside the model",
      log: timed,
      now: { at: at - 5000 },
      step: performs(5000, model()),
    },
    {
      name: "and beside a command",
      log: calling,
      now: { at: at - 5000 },
      step: performs(5000, exec("c1_0")),
    },
    {
      name: "ends a back-off early",
      log: [...timed, failedWith(1, "network"), rescheduled(at + HOUR, START_MS)],
      now: { at: at - 30_000 },
      step: { kind: "leave", due: at },
    },
    {
      name: "is said when it is reached",
      log: calling,
      now: { at },
      step: append(reached("duration_ms", HOUR, HOUR)),
    },
    {
      name: "then what runs is killed",
      log: capped,
      now: { at },
      step: performs(null, exec("c1_0"), kill("c1_0")),
    },
    {
      name: "a request in flight is given up, and stays charged",
      log: [...timed, reached("duration_ms", HOUR, HOUR)],
      now: { at },
      step: append(
        event("span.model_request_end", {
          request: 1,
          outcome: "interrupted",
          is_error: false,
          duration_ms: 0,
        }),
      ),
    },
    {
      name: "and the session is parked",
      log: [...timed, reached("duration_ms", HOUR, HOUR), answered(1)],
      now: { at },
      step: append(
        event("session.status_idle", { stop_reason: { type: "budget_reached", cap: "duration_ms" } }),
      ),
    },
    {
      name: "resuming without raising it ends at once",
      log: [
        ...timed,
        reached("duration_ms", HOUR, HOUR),
        answered(1),
        idle("budget_reached"),
        resume,
        running,
      ],
      now: { at },
      step: append(reached("duration_ms", HOUR, HOUR)),
    },
  ]);

  test("raising it lets work go on", () => {
    const log = [
      ...timed,
      reached("duration_ms", HOUR, HOUR),
      failedWith(1, "network"),
      idle("budget_reached"),
    ];
    const raised = stateOf(...log, setLimits({ duration_ms: 2 * HOUR }));
    expect(raised.hold).toBeNull();
    expect(decide(raised, nowOf(raised, { at }))).toEqual(append(running));
  });

  test("a clock that goes back takes nothing away", () => {
    const state = stateOf(...timed);
    expect(decide(state, nowOf(state, { at: START_MS - HOUR }))).toMatchObject({ kind: "perform" });
  });
});

describe("a cap on the time of work", () => {
  const limits = { active_ms: 60_000 };
  const used = (...log: readonly EventInput[]): number =>
    stateOf(created({ limits }), ...log).budget.activeMs;

  test("counts while it runs, a second per event here", () => {
    expect(used(running, asked(1), answered(1))).toBe(2000);
  });

  test("does not count rest, nor what nobody saw between two drivers", () => {
    expect(used(running, asked(1), idle("end_turn"), resume, woke(2))).toBe(2000);
    expect(used(running, asked(1), woke(2), answered(1))).toBe(2000);
  });

  test("does not count sleep", () => {
    expect(used(running, asked(1), event("harness.suspended", { gap_ms: 900 }), answered(1))).toBe(2100);
  });

  test("does not count the wait for a limit that is over later", () => {
    const log = [running, asked(1), failedWith(1, "rate_limit"), rescheduled(START_MS + HOUR, START_MS)];
    expect(used(...log, asked(2), answered(2))).toBe(4000);
  });

  test("stops what runs", () => {
    const state = stateOf(...askingWithSandbox({ limits }));
    const left = 60_000 - state.budget.activeMs;
    const at = state.lastEventAt + left;
    expect(decide(state, nowOf(state, { at: at - 1 }))).toMatchObject({ kind: "perform", withinMs: 1 });
    expect(decide(state, nowOf(state, { at }))).toEqual(append(reached("active_ms", 60_000, 60_000)));
  });
});

describe("a cap on what all sessions spend in a day", () => {
  const log = [...asking().slice(0, -2)];
  const spent = { requests: 5, tokens: 9000, costMicroUsd: 0 };
  const at = Date.UTC(2026, 10, 30, 8);
  const midnight = Date.UTC(2026, 11, 1);
  const parked: EventInput = event("session.status_idle", {
    stop_reason: { type: "budget_reached", cap: "day.tokens", resume_at: midnight },
  });
  decideTable([
    {
      name: "parks the session until the next day",
      log,
      now: { at, day: { caps: { tokens: 10_000 }, spent } },
      step: append(
        event("budget.exhausted", { cap: "day.tokens", limit: 10_000, used: 9000, wanted: 1100 }),
        parked,
      ),
    },
    { name: "which it wakes at", log: [...log, parked], now: { at }, step: { kind: "leave", due: midnight } },
    { name: "to go on by itself", log: [...log, parked], now: { at: midnight }, step: append(running) },
  ]);
});

describe("caps of an attempt and of a criterion", () => {
  test("without an attempt the session is the attempt", () => {
    const state = stateOf(...asking({ limits: { attempt: { tokens: 1000 } } }).slice(0, -2));
    expect(decide(state, nowOf(state))).toMatchObject({
      events: [{ body: { cap: "attempt.tokens", limit: 1000, used: 0, wanted: 1100 } }, {}],
    });
  });

  const contract = {
    checkout: { base: "0".repeat(40) },
    limits: { attempts: 1, criterion: { tokens: 5000 } },
  };
  const attempt = (number: number): EventInput =>
    event("attempt.started", {
      attempt: number,
      criterion: "tests",
      reason: number === 1 ? "first" : "again",
    });

  test("what each criterion costs is kept, over all attempts at it", () => {
    const log = [created(contract), attempt(1), asked(1), answered(1), attempt(2), asked(2), answered(2)];
    const state = stateOf(...log);
    expect(criteriaSpending(state)).toEqual([
      { criterion: "tests", attempts: 2, requests: 2, tokens: 220, costMicroUsd: 0 },
    ]);
    expect(attemptSpending(state)).toMatchObject({ requests: 1, tokens: 110 });
    const ready = { ...state, config: { ...state.config!, limits: { criterion: { tokens: 1300 } } } };
    const reservation = { tokens: 1100, cost_micro_usd: 0 };
    expect(exceededCap(ready, reservation, nowOf(ready))).toMatchObject({
      cap: "criterion.tokens",
      used: 220,
    });
  });

  test("no attempt begins beyond their cap", () => {
    const log = [
      created(contract),
      sealed(),
      said("go"),
      preflightStarted,
      preflightFinished(),
      woke(),
      running,
    ];
    const first = stateOf(...log);
    expect(decide(first, nowOf(first))).toMatchObject({ events: [{ type: "attempt.started" }] });
    const second = stateOf(
      ...log,
      attempt(1),
      event("attempt.ended", { attempt: 1, ending: "unmet", duration_ms: 1 }),
    );
    expect(decide(second, nowOf(second))).toMatchObject({
      events: [{ body: { cap: "attempts", limit: 1, used: 1, wanted: 1 } }, { type: "session.status_idle" }],
    });
  });

  test("naming one cap of an attempt leaves the others", () => {
    const log = [
      created({ limits: { attempt: { tokens: 1000 } } }),
      setLimits({ attempt: { model_requests: 3 } }),
    ];
    expect(stateOf(...log).config?.limits.attempt).toEqual({ tokens: 1000, model_requests: 3 });
  });
});

test("what the judge has cost is charged, apart from the agent's requests", () => {
  const reservation = { tokens: 900, cost_micro_usd: 80 };
  const usage = { cache_read_input_tokens: 0, cache_creation_input_tokens: 0 };
  const asked = [1, 2].flatMap((request) => [
    event("judge.request_start", { verdict: 1, criterion: "c", request, model: "m", reservation }),
    event("judge.request_end", {
      ...{ request, outcome: "answered", cost_micro_usd: 35, duration_ms: 1 },
      model_usage: { input_tokens: 10, output_tokens: 5, ...usage },
    }),
  ]);
  expect(stateOf(created(), ...asked).ledger).toMatchObject({
    requests: 0,
    judgeRequests: 2,
    judgeTokens: 30,
    judgeCostMicroUsd: 70,
  });
});
