import { describe, expect, test } from "vitest";
import {
  preflightFinished,
  preflightStarted,
  sealed,
  verdictGiven,
} from "../../../test/support/contract-events.ts";
import {
  answered,
  asked,
  called,
  checkpointCreated,
  checkpointRequested,
  created,
  result,
  resume,
  SESSION,
  said,
  setLimits,
  started,
  threadStart,
  type Variations,
} from "../../../test/support/events.ts";
import { askingWithSandbox, nowOf, place, stateOf } from "../../../test/support/logs.ts";
import { decide } from "../decide.ts";
import { type EventBody, type EventInput, event } from "../events/index.ts";
import { foldEvents } from "../reduce.ts";
import type { SessionState } from "../state.ts";
import { BREAKERS } from "./breakers.ts";

/** What an agent does in one turn, and what comes of it. */
interface Move {
  readonly command?: string;
  readonly output?: string;
  readonly failed?: boolean;
  /** Changes this file instead. */
  readonly edit?: { readonly path: string; readonly before: string; readonly after: string };
  readonly ending?: EventBody<"agent.tool_result">["ending"];
}

/** How it ended, and of what the model was told on the way. */
interface End {
  readonly state: SessionState;
  readonly turns: number;
  readonly told: readonly string[];
  readonly tripped: string | null;
}

function turnOf(request: number, move: Move): EventInput[] {
  const call = `c${request}_0`;
  const { edit } = move;
  if (edit !== undefined)
    return [
      called(request, 0, "reconcilable", { input: { path: edit.path, text: edit.after } }),
      event("tool.prepared", { call, path: edit.path, before: edit.before, after: edit.after }),
      started(call, 1, { before: edit.before, after: edit.after }),
      result(call, 1),
    ];
  const content = [{ type: "text" as const, text: move.output ?? "" }];
  const failed = { is_error: true, exit_code: 1 };
  return [
    called(request, 0, "side_effect", { input: { command: move.command ?? "" } }),
    started(call),
    result(call, 1, {
      content,
      ...(move.failed === true && failed),
      ...(move.ending !== undefined && { ending: move.ending, is_error: true, exit_code: null }),
    }),
  ];
}

/** Lets the policy answer each turn, as the driver would: its events go into the log before the next one. */
function play(moves: Iterable<Move>, variations: Variations = {}, before: readonly EventInput[] = []): End {
  const [first = created(), ...rest] = askingWithSandbox({ checkout: undefined, ...variations });
  const log: EventInput[] = [first, ...before, ...rest];
  const told: string[] = [];
  let request = 1;
  let state = stateOf(...log);
  const add = (...events: readonly EventInput[]): void => {
    state = foldEvents(SESSION, place(events, state.seq), state);
  };
  for (const move of moves) {
    add(answered(request, { stop_reason: "tool_use" }), ...turnOf(request, move));
    for (;;) {
      const step = decide(state, nowOf(state));
      if (step.kind !== "append") return { state, turns: request, told, tripped: null };
      add(...step.events);
      for (const each of step.events) {
        if (each.type === "breaker.nudged") told.push(each.body.cause);
        if (each.type === "breaker.tripped") return { state, turns: request, told, tripped: each.body.cause };
      }
      if (step.events.some(({ type }) => type === "span.model_request_start")) break;
    }
    request += 1;
  }
  return { state, turns: request - 1, told, tripped: null };
}

function* forever(...moves: readonly ((round: number) => Move)[]): Generator<Move> {
  for (let round = 0; round < 400; round++) for (const move of moves) yield move(round);
}

const edit = (path: string, before: string, after: string): Move => ({ edit: { path, before, after } });
const tests: Move = { command: "npm test", output: "3 failed in 1.2 s", failed: true };

describe("a hostile script", () => {
  test("that does the same for ever is told twice, then stopped", () => {
    const end = play(forever(() => tests));
    expect(end).toMatchObject({ tripped: "same_call", told: ["same_call", "same_call"], turns: 9 });
    expect(end.state.stopReason).toEqual({ type: "stalled" });
  });

  test("whose results differ in times only does the same", () => {
    const timed = (round: number): Move => ({
      command: "npm test",
      output: `3 failed in ${round}.7 s at 2026-11-30T08:00:${10 + (round % 50)}Z`,
      failed: true,
    });
    expect(play(forever(timed)).tripped).toBe("same_call");
  });

  test("that goes round in a circle of several calls does the same", () => {
    const look = (): Move => ({ command: "cat a", output: "a" });
    const list = (): Move => ({ command: "ls", output: "a b" });
    expect(play(forever(look, () => tests, list)).tripped).toBe("same_call");
  });

  test("that alternates two patches oscillates, whatever it does in between", () => {
    const end = play(
      forever(
        () => edit("a.js", "one", "two"),
        (round) => ({ command: `npm test -- --seed ${round}`, output: `${round} things`, failed: true }),
        () => edit("a.js", "two", "one"),
        (round) => ({ command: `echo ${round}`, output: `${round}` }),
      ),
    );
    expect(end).toMatchObject({ tripped: "oscillation", told: ["oscillation", "oscillation"] });
  });

  test("that patches by commands oscillates between the trees of its checkpoints", () => {
    const trees = Array.from({ length: 6 }, (_, index) => {
      const made = checkpointCreated(index + 1) as EventInput<"checkpoint.created">;
      const tree = (index % 2 === 0 ? "a" : "b").repeat(40);
      return [checkpointRequested(index + 1), { ...made, body: { ...made.body, tree } } as EventInput];
    });
    const checkout = { base: "0".repeat(40) };
    const state = stateOf(created({ checkout }), said("go"), ...trees.flat());
    expect(BREAKERS.find(({ cause }) => cause === "oscillation")?.measure(state)).toBe(3);
  });

  test("whose tool fails whatever it is asked is stopped", () => {
    const end = play(
      forever((round) => ({ command: `try ${round}`, output: `${round}`, ending: "timed_out" })),
    );
    expect(end).toMatchObject({ tripped: "tool_failure", turns: 30 });
  });

  test("that does something new each time and gets nowhere is stopped by what it has to show", () => {
    const idle = (round: number): Move => ({ command: `echo ${round}`, output: `${round}` });
    const end = play(forever(idle), { policy: { breakers: { no_progress: 20 } } }, [
      sealed(),
      preflightStarted,
      preflightFinished(),
    ]);
    expect(end).toMatchObject({ tripped: "no_progress", told: ["no_progress", "no_progress"] });
    expect(end.turns).toBeLessThanOrEqual(60);
  });

  test("gets no more than five pieces of advice, so that breakers do not feed each other", () => {
    const { told } = play(
      forever((round) =>
        Math.floor(round / 4) % 2 === 0
          ? tests
          : { command: `x${round}`, ending: "timed_out", output: `${round}` },
      ),
    );
    expect(told.length).toBeLessThanOrEqual(5);
  });

  test("contexts thrown away without a change of any file are a loop that nobody can be told of", () => {
    const reset = event("attempt.started", { attempt: 1, criterion: null, reason: "reset" });
    const log = [...askingWithSandbox(), answered(1, { stop_reason: "tool_use" }), reset, reset, reset];
    const state = stateOf(...log, threadStart(2, "reset"));
    expect(decide({ ...state, answerOwed: true }, nowOf(state))).toMatchObject({
      events: [
        { type: "breaker.tripped", body: { cause: "resets" } },
        { body: { stop_reason: { type: "stalled" } } },
      ],
    });
  });
});

describe("honest work", () => {
  const honest = (round: number): Move => edit("a.js", `v${round}`, `v${round + 1}`);

  test("an edit–test loop of four hundred rounds, with the same failure each time", () => {
    const end = play(forever(honest, () => tests));
    expect(end).toMatchObject({ tripped: null, told: [], turns: 800 });
  });

  test("trying one thing after another from the same start", () => {
    const end = play(
      forever(
        (round) => edit("a.js", "base", `try ${round}`),
        () => tests,
        (round) => edit("a.js", `try ${round}`, "base"),
      ),
    );
    expect(end).toMatchObject({ tripped: null, told: [] });
  });

  test("running the tests twice to see whether they are flaky, every time", () => {
    const end = play(
      forever(
        honest,
        () => tests,
        () => tests,
      ),
    );
    expect(end).toMatchObject({ tripped: null, told: [] });
  });

  test("commands that fail are what agents work on", () => {
    const end = play(
      forever((round) => ({ command: `npm test ${round}`, output: `${round}`, failed: true })),
    );
    expect(end).toMatchObject({ tripped: null, told: [] });
  });

  test("a build of twenty-five minutes that says nothing", () => {
    const state = stateOf(
      ...askingWithSandbox({ policy: { tool_wall_ms: 30 * 60_000 } }),
      answered(1, { stop_reason: "tool_use" }),
      called(1, 0),
      started("c1_0"),
    );
    const later = { at: state.lastEventAt + 25 * 60_000, quietMs: 25 * 60_000 };
    expect(decide(state, nowOf(state, later))).toMatchObject({
      kind: "perform",
      intents: [{ kind: "exec" }],
    });
  });
});

describe("overrides", () => {
  test("off is off", () => {
    const end = play(
      forever(() => tests),
      { policy: { breakers: { same_call: "off" } } },
    );
    expect(end).toMatchObject({ tripped: null, told: [] });
  });

  test("a number is the limit", () => {
    expect(
      play(
        forever(() => tests),
        { policy: { breakers: { same_call: 5 } } },
      ).turns,
    ).toBe(15);
  });

  test("a person may set it later, and whoever resumes has looked: counting begins anew", () => {
    const end = play(forever(() => tests));
    expect(end.state.hold).toBe("stalled");
    const log = [
      ...askingWithSandbox(),
      event("breaker.nudged", { cause: "same_call", detail: "", content: [{ type: "text", text: "x" }] }),
    ];
    expect(stateOf(...log, resume).breakers.nudges).toEqual([]);
    const limits = setLimits({}) as EventInput<"control.set_limits">;
    const changed = event("control.set_limits", { ...limits.body, breakers: { same_call: "off" } });
    expect(stateOf(...log, changed).config?.policy.breakers).toEqual({ same_call: "off" });
  });

  test("a verdict that finds more met is progress; the same again is none", () => {
    const log = [
      created({ checkout: { base: "0".repeat(40) } }),
      sealed(),
      said("go"),
      asked(1),
      answered(1),
    ];
    const met = [
      event("verdict.requested", { number: 1, commit: "0".repeat(40), reason: "asked" }),
      verdictGiven(1, "met"),
    ];
    expect(stateOf(...log).breakers.fruitless).toBe(1);
    expect(stateOf(...log, ...met).breakers).toMatchObject({ met: 1, fruitless: 0 });
    expect(stateOf(...log, ...met, asked(2), answered(2), ...met).breakers).toMatchObject({
      met: 1,
      fruitless: 1,
    });
  });
});

test("what is remembered is bounded", () => {
  const moves = forever((round) => edit(`f${round}`, "a", `${round}`));
  const { breakers } = play(moves).state;
  expect(JSON.stringify(breakers).length).toBeLessThan(10_000);
});
