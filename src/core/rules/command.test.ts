import { describe, expect, test } from "vitest";
import { sealed, verdictGiven } from "../../../test/support/contract-events.ts";
import {
  BASE,
  cancel,
  checkpointCreated,
  interrupt,
  pause,
  resume,
  START_MS,
  said,
  sandboxLost,
  setLimits,
  stop,
} from "../../../test/support/events.ts";
import { ModelSession } from "../../../test/support/model-session.ts";
import { foundWell } from "../../../test/support/random-session.ts";
import { type EventBody, type EventInput, type EventType, event } from "../events/index.ts";
import { costCharged, type SessionState, tokensCharged } from "../state.ts";
import type { Intent } from "../step.ts";
import { admit } from "./gateway.ts";

const AGENT: NonNullable<EventBody<"session.created">["agent"]["command"]> = {
  argv: ["agent"],
  prompt: "stdin",
  wall_ms: 60_000,
  quiet_ms: 10_000,
  fruitless_max: 3,
  gateway: { anthropic: { provider: "anthropic" }, forced: true },
};

const PRICE = { input: 1_000_000, output: 2_000_000, cache_read: 1_000_000, cache_write: 1_000_000 };

interface World {
  /** How many files each attempt changes. */
  readonly changes?: number;
  readonly outcome?: "unmet" | "met";
  readonly ending?: EventBody<"attempt.ended">["ending"];
}

/** A session whose program is started as soon as it may be. */
class Programs {
  readonly session: ModelSession;

  constructor(limits: EventBody<"session.created">["limits"] = {}) {
    const variations = {
      checkout: { base: BASE },
      tools: [],
      command: AGENT,
      limits,
      model: { price: PRICE },
    };
    this.session = new ModelSession(variations, [sealed(), said("go")]);
  }

  get state(): SessionState {
    return this.session.state;
  }

  count(type: EventType): number {
    return this.session.log.filter((item) => item.type === type).length;
  }

  last<Type extends EventType>(type: Type): EventBody<Type> | undefined {
    return this.session.log.findLast((item) => item.type === type)?.body as EventBody<Type> | undefined;
  }

  /** Performs what is named, until `until` is. */
  drive(world: World, until?: Intent["kind"]): Intent | undefined {
    for (let steps = 0; steps < 200; steps++) {
      const step = this.session.settle();
      if (step.kind === "leave") return undefined;
      const awaited = step.intents.find(({ kind }) => kind === until);
      if (awaited !== undefined) return awaited;
      const [intent] = step.intents;
      if (intent === undefined) return undefined;
      this.session.receive(intent, this.#found(intent, world));
    }
    return expect.fail("it does not come to rest");
  }

  #found(intent: Intent, { changes = 1, outcome = "unmet", ending = "exited" }: World): EventInput[] {
    switch (intent.kind) {
      case "attempt":
        return [event("attempt.ended", { attempt: intent.attempt, ending, duration_ms: 5 })];
      case "checkpoint": {
        const made = checkpointCreated(intent.number);
        return made.type === "checkpoint.created"
          ? [event("checkpoint.created", { ...made.body, files_changed: changes })]
          : [];
      }
      case "verdict":
        return [verdictGiven(intent.number, outcome, { contract_hash: this.state.contract?.hash ?? "" })];
      default:
        return foundWell(intent, this.state);
    }
  }
}

describe("an attempt", () => {
  test("ends in a checkpoint and a verdict, whatever the program says of itself", () => {
    const programs = new Programs();
    programs.drive({ outcome: "met" });
    const types = programs.session.log.map(({ type }) => type);
    expect(types.slice(types.indexOf("attempt.started"))).toEqual([
      "attempt.started",
      "attempt.ended",
      "checkpoint.requested",
      "checkpoint.created",
      "verdict.requested",
      "verdict.given",
      "session.status_idle",
    ]);
    expect(programs.last("verdict.requested")).toMatchObject({ reason: "attempt" });
    expect(programs.state.stopReason).toEqual({ type: "verified", verdict: 1 });
  });

  test("follows another until the cap on verdicts", () => {
    const programs = new Programs();
    programs.drive({});
    expect(programs.state.stopReason).toEqual({ type: "budget_reached", cap: "verdicts" });
    expect(programs.count("attempt.started")).toBe(20);
  });

  test("follows another exactly until the cap on attempts, and goes on when it is raised", () => {
    const programs = new Programs({ attempts: 3 });
    programs.drive({});
    expect(programs.state.stopReason).toEqual({ type: "budget_reached", cap: "attempts" });
    expect(programs.count("attempt.started")).toBe(3);
    expect(programs.last("budget.exhausted")).toEqual({ cap: "attempts", limit: 3, used: 3, wanted: 1 });
    programs.session.submit(setLimits({ attempts: 4 }), resume);
    programs.drive({});
    expect(programs.state.stopReason).toEqual({ type: "budget_reached", cap: "attempts" });
    expect(programs.count("attempt.started")).toBe(4);
  });

  test.each([{ ending: "exited" }, { ending: "timed_out" }, { ending: "refused" }] as const)(
    "that changes nothing ($ending) stalls after three of them, and goes on when a person says so",
    ({ ending }) => {
      const programs = new Programs();
      programs.drive({ changes: 0, ending });
      expect(programs.state.stopReason).toEqual({ type: "stalled" });
      expect(programs.count("attempt.started")).toBe(3);
      expect(programs.last("breaker.tripped")).toMatchObject({ cause: "no_progress" });
      programs.session.submit(said("look again"));
      programs.drive({ outcome: "met" });
      expect(programs.state.stopReason).toMatchObject({ type: "verified" });
    },
  );

  test("is begun anew by a retry after a stall", () => {
    const programs = new Programs();
    programs.drive({ changes: 0 });
    programs.session.submit(event("control.retry", {}));
    programs.drive({ changes: 0 });
    expect(programs.state.stopReason).toEqual({ type: "stalled" });
    expect(programs.count("attempt.started")).toBe(6);
    expect(programs.state.attempts.isRetryAsked).toBe(false);
  });

  test("whose sandbox is gone is lost, judged by what it has left, and not repeated", () => {
    const programs = new Programs();
    programs.drive({}, "attempt");
    programs.session.submit(sandboxLost("E_SANDBOX_LOST", programs.state.sandbox?.id, "i4"));
    programs.drive({ outcome: "met" });
    expect(programs.last("attempt.ended")).toMatchObject({ attempt: 1, ending: "lost" });
    expect(programs.state.stopReason).toMatchObject({ type: "verified" });
  });

  test.each(["stopped", "lost"] as const)(
    "that a person has cut off with a message (%s) is saved before the next one begins",
    (ending) => {
      const programs = new Programs();
      programs.drive({}, "attempt");
      if (ending === "lost")
        programs.session.submit(sandboxLost("E_SANDBOX_LOST", programs.state.sandbox?.id, "i4"));
      programs.session.submit(said("more", "interrupt"));
      if (ending === "stopped") {
        const step = programs.session.settle();
        const [attempt] = step.kind === "perform" ? step.intents : [];
        if (attempt === undefined) return expect.fail("the attempt is watched");
        programs.session.receive(attempt, [event("attempt.ended", { attempt: 1, ending, duration_ms: 5 })]);
      }
      programs.drive({}, "attempt");
      const types = programs.session.log.map(({ type }) => type);
      expect(programs.count("attempt.started")).toBe(2);
      expect(programs.last("attempt.ended")).toMatchObject({ ending });
      const between = types.slice(types.indexOf("attempt.ended"), types.lastIndexOf("attempt.started"));
      expect(between).toContain("checkpoint.created");
    },
  );

  test("is found again by the next driver, under the same name", () => {
    const programs = new Programs();
    const before = programs.drive({}, "attempt");
    programs.session.crash();
    expect(programs.drive({}, "attempt")).toEqual(before);
    expect(programs.count("attempt.started")).toBe(1);
  });
});

describe("people", () => {
  test("a pause lets it come to its end, and begins no other", () => {
    const programs = new Programs();
    programs.drive({}, "attempt");
    programs.session.submit(pause);
    const step = programs.session.settle();
    expect(step.kind === "perform" && step.intents.map(({ kind }) => kind)).toEqual(["attempt"]);
    programs.drive({});
    expect(programs.state).toMatchObject({ stopReason: { type: "paused" }, attempts: { open: null } });
    expect(programs.count("verdict.requested")).toBe(0);
    programs.session.submit(resume);
    programs.drive({ outcome: "met" });
    expect(programs.state.stopReason).toMatchObject({ type: "verified" });
    expect(programs.count("attempt.started")).toBe(1);
  });

  test.each([stop, interrupt, cancel])("$type ends it", (wish) => {
    const programs = new Programs();
    programs.drive({}, "attempt");
    programs.session.submit(wish);
    const step = programs.session.settle();
    expect(step.kind === "perform" && step.intents.map(({ kind }) => kind)).toEqual(["attempt", "cancel"]);
    programs.drive({ ending: "stopped" }, "checkpoint");
    expect(programs.last("attempt.ended")).toMatchObject({ ending: "stopped" });
  });
});

function asked(request: number, tokens: number): EventInput {
  return event("gateway.request_started", {
    request,
    attempt: 1,
    epoch: 1,
    wire: "anthropic",
    model: "m",
    body_bytes: 8000,
    reservation: { tokens, cost_micro_usd: tokens },
  });
}

const usage = {
  input_tokens: 2000,
  output_tokens: 10,
  cache_read_input_tokens: 0,
  cache_creation_input_tokens: 0,
};

describe("the gateway's requests", () => {
  test("are charged from their reservation on, and settled by what was used", () => {
    const programs = new Programs();
    programs.drive({}, "attempt");
    programs.session.submit(asked(1, 9000), asked(2, 500));
    expect(tokensCharged(programs.state)).toBe(9500);
    const ended = {
      request: 1,
      outcome: "answered",
      model_usage: usage,
      cost_micro_usd: 77,
      duration_ms: 1,
    } as const;
    programs.session.submit(event("gateway.request_ended", ended));
    expect(tokensCharged(programs.state)).toBe(2510);
    expect(costCharged(programs.state)).toBe(577);
    expect(programs.state.ledger).toMatchObject({ requests: 2, unsettledRequests: 0 });
  });

  test("of a harness that is gone are lost and stay charged", () => {
    const programs = new Programs();
    programs.drive({}, "attempt");
    programs.session.submit(asked(1, 9000));
    programs.session.crash();
    programs.drive({}, "attempt");
    expect(programs.last("gateway.request_ended")).toMatchObject({ request: 1, outcome: "lost" });
    expect(programs.state.ledger).toMatchObject({ unsettledRequests: 1, unsettledTokens: 9000 });
  });

  test("are bounded by their bytes, until a provider has counted some", () => {
    const programs = new Programs();
    programs.drive({}, "attempt");
    const wish = { bodyBytes: 10_000, maxOutputTokens: 100 };
    expect(admit(programs.state, wish, { at: 0 })).toMatchObject({ reservation: { tokens: 10_612 } });
    programs.session.submit(asked(1, 9000));
    const ended = { request: 1, outcome: "answered", model_usage: usage, duration_ms: 1 } as const;
    programs.session.submit(event("gateway.request_ended", ended));
    // A quarter more than 2,000 tokens for the 8,000 bytes that were counted, and one for each byte beyond.
    expect(admit(programs.state, wish, { at: 0 })).toMatchObject({
      reservation: { tokens: 2500 + 2000 + 512 + 100, cost_micro_usd: 5012 + 200 },
    });
  });

  test("that a cap has no room for park the session, until it is raised", () => {
    const programs = new Programs({ tokens: 5000 });
    programs.drive({}, "attempt");
    const admission = admit(programs.state, { bodyBytes: 6000, maxOutputTokens: 1 }, { at: 0 });
    if (admission.status !== "exceeded") return expect.fail("it was let through");
    programs.session.submit(event("budget.exhausted", admission.exceeded));
    programs.drive({ ending: "stopped" });
    expect(programs.state.stopReason).toEqual({ type: "budget_reached", cap: "tokens" });
    // What was done until then is judged all the same.
    expect(programs.count("verdict.given")).toBe(1);
    programs.session.submit(event("control.set_limits", { limits: { tokens: 50_000 } }));
    programs.drive({ outcome: "met" });
    expect(programs.state.stopReason).toMatchObject({ type: "verified" });
    expect(programs.count("attempt.started")).toBe(2);
  });

  test("that the day has no room for park the session until there is", () => {
    const programs = new Programs();
    const { session } = programs;
    const caps = { cost_micro_usd: 1000 };
    const spent = (costMicroUsd: number) => ({ caps, spent: { requests: 1, tokens: 1, costMicroUsd } });
    session.day = spent(400);
    programs.drive({}, "attempt");
    const refused = { cap: "day.cost_micro_usd", limit: 1000, used: 400, wanted: 700 };
    session.submit(event("budget.exhausted", refused));
    // A smaller one would fit, but it is this one that it would ask for again.
    programs.drive({ ending: "stopped" });
    const midnight = Math.ceil(START_MS / 86_400_000) * 86_400_000;
    expect(programs.state.stopReason).toEqual({
      ...{ type: "budget_reached", cap: "day.cost_micro_usd", resume_at: midnight },
    });
    expect(programs.count("verdict.given")).toBe(1);
    session.day = spent(0);
    session.at = midnight;
    programs.drive({ outcome: "met" });
    expect(programs.state.stopReason).toMatchObject({ type: "verified" });
    expect(programs.count("attempt.started")).toBe(2);
  });
});
