import { describe, expect, test } from "vitest";
import {
  answered,
  asked,
  failedWith,
  idle,
  interrupt,
  rescheduled,
  resume,
  running,
  START_MS,
  said,
  sandboxRequested,
} from "../../../test/support/events.ts";
import { asking, askingWithSandbox, nowOf, stateOf } from "../../../test/support/logs.ts";
import { decideTable, performs, provision } from "../../../test/support/steps.ts";
import { decide } from "../decide.ts";
import { type EventBody, type EventInput, event } from "../events/index.ts";
import { append } from "../step.ts";

type ErrorClass = NonNullable<EventBody<"span.model_request_end">["error"]>["class"];

const failed = (errorClass: ErrorClass, more: Parameters<typeof failedWith>[2] = {}): EventInput[] => [
  ...askingWithSandbox(),
  failedWith(1, errorClass, more),
];

/** The back-off that is decided right after the failure, in milliseconds. */
function backOffMs(log: readonly EventInput[]): number {
  const state = stateOf(...log);
  const now = nowOf(state);
  const step = decide(state, now);
  if (step.kind !== "append" || step.events[0]?.type !== "session.status_rescheduled")
    throw new Error(`no back-off: ${JSON.stringify(step)}`);
  expect(step.events).toHaveLength(1);
  return step.events[0].body.resume_at - now.at;
}

/** A log whose request has failed so many times, each failure but the last rescheduled and tried again. */
function failures(count: number, errorClass: ErrorClass): EventInput[] {
  const log = askingWithSandbox({ policy: { model_failures_max: 1000 } });
  for (let number = 1; number <= count; number++) {
    if (number > 1) log.push(rescheduled(0, 0), asked(number));
    log.push(failedWith(number, errorClass));
  }
  return log;
}

describe("back-off by class of error", () => {
  const first: readonly (readonly [ErrorClass, number])[] = [
    ["rate_limit", 5000],
    ["overloaded", 2000],
    ["network", 1000],
    ["timeout", 1000],
    ["stalled", 1000],
    ["garbage", 1000],
    ["unknown", 2000],
  ];

  test.each(first)("%s waits %i ms at first, give or take a quarter", (errorClass, ms) => {
    const waited = backOffMs(failed(errorClass));
    expect(waited).toBeGreaterThanOrEqual(ms * 0.75);
    expect(waited).toBeLessThanOrEqual(ms * 1.25);
  });

  test("doubles with every failure, up to five minutes", () => {
    for (let count = 1; count <= 20; count++) {
      const ms = Math.min(300_000, 1000 * 2 ** (count - 1));
      const waited = backOffMs(failures(count, "network"));
      expect(waited).toBeGreaterThanOrEqual(ms * 0.75);
      expect(waited).toBeLessThanOrEqual(ms * 1.25);
    }
  });

  test("does not overflow", () => {
    expect(backOffMs(failures(999, "network"))).toBeLessThanOrEqual(375_000);
  });

  test("is the same on every machine, and spread over positions", () => {
    const log = failed("network");
    expect(backOffMs(log)).toBe(backOffMs(log));
    const spread = new Set(
      [1, 2, 3, 4, 5].map((more) => backOffMs([...log, ...Array(more).fill(said("x"))])),
    );
    expect(spread.size).toBeGreaterThan(3);
  });

  test("is never shorter than the provider asks for", () => {
    expect(backOffMs(failed("rate_limit", { retry_after_ms: 90_000 }))).toBe(90_000);
  });

  test("is not longer than a day, whatever the provider asks for", () => {
    expect(backOffMs(failed("rate_limit", { retry_after_ms: 10 * 86_400_000 }))).toBe(86_400_000);
  });

  test("is the class's own when the provider asks for less", () => {
    expect(backOffMs(failed("rate_limit", { retry_after_ms: 1 }))).toBeGreaterThanOrEqual(3750);
  });
});

describe("what is not worth another try", () => {
  const codes: readonly (readonly [ErrorClass, string, string])[] = [
    ["authentication", "E_MODEL_AUTH", "model_request_failed_error"],
    ["billing", "E_MODEL_REFUSED", "billing_error"],
    ["invalid_request", "E_MODEL_REFUSED", "model_request_failed_error"],
    ["context_overflow", "E_MODEL_REFUSED", "model_request_failed_error"],
    ["refusal", "E_MODEL_REFUSED", "model_request_failed_error"],
  ];
  decideTable(
    codes.map(([errorClass, code, type]) => ({
      name: `${errorClass} fails at once, as ${code}`,
      log: failed(errorClass),
      step: append(
        event("session.error", {
          error: { type, code, message: `scripted ${errorClass}`, retry_status: { type: "terminal" } },
        }),
        event("session.status_idle", { stop_reason: { type: "failed", code } }),
      ),
    })),
  );
});

describe("retries end", () => {
  const exhausted = (type: string, message: string): ReturnType<typeof append> =>
    append(
      event("session.error", {
        error: { type, code: "E_MODEL_UNAVAILABLE", message, retry_status: { type: "exhausted" } },
      }),
      idle("retries_exhausted"),
    );
  const twice = [...failed("overloaded"), rescheduled(0, 0), asked(2), failedWith(2, "overloaded")];
  const thrice = [...twice, rescheduled(0, 0), asked(3), failedWith(3, "rate_limit")];
  decideTable([
    {
      name: "after as many failures as the policy allows",
      log: thrice,
      step: exhausted("model_rate_limited_error", "scripted rate_limit"),
    },
    {
      name: "an error without words is called by its class",
      log: [...twice, rescheduled(0, 0), asked(3), failedWith(3, "overloaded", { message: "" })],
      step: exhausted("model_overloaded_error", "overloaded"),
    },
    {
      name: "a person who resumes starts counting anew",
      log: [...thrice, idle("retries_exhausted"), resume, running],
      step: append(asked(4, { through_seq: 19, context_hash: "hash" })),
    },
    {
      name: "so does an answer",
      log: [
        ...twice,
        rescheduled(0, 0),
        asked(3),
        answered(3),
        idle("end_turn"),
        said("x"),
        running,
        ...[4, 5].flatMap((number) => [asked(number), failedWith(number, "network"), rescheduled(0, 0)]),
      ],
      step: append(event("harness.input_accepted", { seqs: [18] })),
    },
  ]);
});

describe("waiting", () => {
  const at = START_MS + 20_000;
  const waiting = (ms: number): EventInput[] => [...failed("overloaded"), rescheduled(at + ms, at - 1000)];
  const next = append(asked(2, { through_seq: 11, context_hash: "hash" }));
  decideTable([
    { name: "ten seconds: here", log: waiting(10_000), now: { at }, step: performs(10_000) },
    {
      name: "longer: the lease is given back until then",
      log: waiting(10_001),
      now: { at },
      step: { kind: "leave", due: at + 10_001 },
    },
    {
      name: "the sandbox is made meanwhile",
      log: [...asking(), failedWith(1, "network"), rescheduled(at + 500, at)],
      now: { at },
      step: performs(500, provision()),
    },
    { name: "it is over when its time has come", log: waiting(0), now: { at }, step: next },
    { name: "not a millisecond before", log: waiting(1), now: { at }, step: performs(1) },
    {
      name: "it is over when the clock went back behind the decision",
      log: waiting(3_600_000),
      now: { at: at - 1001 },
      step: next,
    },
    {
      name: "a message that comes meanwhile waits with it",
      log: [...waiting(60_000), said("and?")],
      now: { at },
      step: { kind: "leave", due: at + 60_000 },
    },
    {
      name: "a message that interrupts waits as well: the provider said so",
      log: [
        ...waiting(60_000),
        interrupt,
        said("else"),
        idle("end_turn"),
        running,
        event("harness.input_accepted", { seqs: [13] }),
      ],
      now: { at },
      step: { kind: "leave", due: at + 60_000 },
    },
    {
      name: "an interrupt ends the turn, and a message later starts at once",
      log: [
        ...waiting(60_000),
        interrupt,
        idle("end_turn"),
        said("else"),
        running,
        event("harness.input_accepted", { seqs: [14] }),
      ],
      now: { at },
      step: append(asked(2, { through_seq: 16, context_hash: "hash" })),
    },
    {
      name: "an interrupt in a back-off is carried out at once",
      log: [...waiting(60_000), interrupt],
      now: { at },
      step: append(idle("end_turn")),
    },
    {
      name: "a lost sandbox is left alone until it is needed",
      log: [...failed("overloaded"), rescheduled(at + 500, at), sandboxRequested("sbox_other")],
      now: { at },
      step: performs(500, provision(0, "sbox_other")),
    },
  ]);
});
