import { describe } from "vitest";
import {
  asked,
  cancel,
  created,
  failedWith,
  idle,
  lost,
  pause,
  resume,
  running,
  START_MS,
  said,
  stop,
  terminated,
  threadStart,
} from "../../../test/support/events.ts";
import { asking, askingWithSandbox } from "../../../test/support/logs.ts";
import { decideTable, model, performs, provision } from "../../../test/support/steps.ts";
import { type EventInput, event } from "../events/index.ts";
import { append } from "../step.ts";

const stalledAfter = (seconds: number, duration_ms: number): ReturnType<typeof append> =>
  append(
    event("breaker.tripped", { cause: "idle", detail: `no sign of life from the model for ${seconds} s` }),
    event("span.model_request_end", {
      request: 1,
      outcome: "failed",
      is_error: true,
      error: { class: "stalled", message: `no sign of life for ${seconds} s` },
      duration_ms,
    }),
  );

describe("waiting for the answer", () => {
  decideTable([
    {
      name: "with the sandbox being made beside it, until it counts as stalled",
      log: asking(),
      step: performs(600_000, model(), provision()),
    },
    {
      name: "what is left of the limit, after some quiet",
      log: askingWithSandbox(),
      now: { quietMs: 599_000 },
      step: performs(1000, model()),
    },
    {
      name: "at the limit it is given up",
      log: askingWithSandbox(),
      now: { quietMs: 600_000, at: START_MS + 700_000 },
      step: stalledAfter(600, 693_000),
    },
    {
      name: "also when the clock went back meanwhile",
      log: askingWithSandbox(),
      now: { quietMs: 650_400, at: START_MS },
      step: stalledAfter(650, 0),
    },
    {
      name: "a pause lets it finish",
      log: [...askingWithSandbox(), pause],
      now: { quietMs: 599_000 },
      step: performs(1000, model()),
    },
    {
      name: "but not stall for ever",
      log: [...askingWithSandbox(), pause],
      now: { quietMs: 600_000, at: START_MS + 700_000 },
      step: stalledAfter(600, 693_000),
    },
  ]);
});

/** A session whose harness died so many times in a row, with the next request in flight under epoch 1. */
const losing = (losses: number): EventInput[] => [
  created(),
  said("go"),
  running,
  threadStart(),
  ...Array.from({ length: losses }, (_, index) => [asked(index + 1), lost(index + 1)]).flat(),
  asked(losses + 1),
];

describe("a request whose harness is gone", () => {
  const sinceAsked = 2000;
  const stalled = [
    event("breaker.tripped", {
      cause: "losses",
      detail: "50 model requests in a row were lost to dying harnesses",
    }),
    idle("stalled"),
  ];
  decideTable([
    {
      name: "is lost",
      log: asking(),
      now: { epoch: 2, at: START_MS + 9000 },
      step: append(lost(1, sinceAsked)),
    },
    {
      name: "lasted no time when the clock went back",
      log: asking(),
      now: { epoch: 2, at: START_MS },
      step: append(lost(1, 0)),
    },
    {
      name: "is asked again",
      log: [...askingWithSandbox(), lost(1)],
      now: { epoch: 2 },
      step: append(asked(2, { epoch: 2, through_seq: 10, context_hash: "hash" })),
    },
    {
      name: "at once also when an earlier try had failed",
      log: [...askingWithSandbox(), lost(1)],
      now: { epoch: 3 },
      step: append(asked(2, { epoch: 3, through_seq: 10, context_hash: "hash" })),
    },
    {
      name: "is lost before a stop is carried out",
      log: [...asking(), stop],
      now: { epoch: 2, at: START_MS + 9000 },
      step: append(lost(1, sinceAsked)),
    },
    { name: "the 49th in a row", log: losing(48), now: { epoch: 2 }, step: append(lost(49, 1000)) },
    {
      name: "the 50th in a row parks the session",
      log: losing(49),
      now: { epoch: 2 },
      step: append(lost(50, 1000), ...stalled),
    },
    {
      name: "unless a person wants something else, which comes first",
      log: [...losing(49), cancel],
      now: { epoch: 2 },
      step: append(lost(50, 2000)),
    },
    {
      name: "such as to end it",
      log: [...losing(49), cancel, lost(50)],
      now: { epoch: 2 },
      step: append(terminated),
    },
    {
      name: "a failure that the provider reports does not end the row",
      log: [...losing(48).slice(0, -1), asked(49), failedWith(49, "network"), asked(50), lost(50), asked(51)],
      now: { epoch: 2 },
      step: append(lost(51, 1000), ...stalled),
    },
    {
      name: "a person who resumes starts a new row",
      log: [...losing(49), lost(50), idle("stalled"), resume, running, asked(51)],
      now: { epoch: 2 },
      step: append(lost(51, 1000)),
    },
  ]);
});
