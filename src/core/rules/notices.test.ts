import { describe, expect, test } from "vitest";
import { sealed } from "../../../test/support/contract-events.ts";
import {
  answered,
  BASE,
  created,
  destroyed,
  destroyRequested,
  idle,
  notified,
  running,
  said,
} from "../../../test/support/events.ts";
import { askingWithSandbox, PROFILE, stateOf } from "../../../test/support/logs.ts";
import { decideTable, destroy, type IntentOf, performs } from "../../../test/support/steps.ts";
import { type EventBody, event } from "../events/index.ts";
import type { HarnessProfile } from "../step.ts";
import { append, leave } from "../step.ts";
import { noticeKind } from "./notices.ts";

type Reason = EventBody<"session.status_idle">["stop_reason"];

const profile: HarnessProfile = {
  ...PROFILE,
  targets: [
    { name: "phone", kinds: ["done", "blocked"] },
    { name: "pager", kinds: ["stall"] },
  ],
};
const GRACE_MS = 60_000;
const done = [...askingWithSandbox(), answered(1), idle("end_turn")];
const seq = done.length;
const notify =
  (target: string): IntentOf =>
  () => ({ kind: "notify", key: `notify/${seq}/${target}`, seq, target });

describe("a rest", () => {
  decideTable([
    {
      name: "is told to those who want to know, while the grace of the sandbox runs",
      log: done,
      now: { profile },
      step: performs(GRACE_MS - 1000, notify("phone")),
    },
    {
      name: "is told beside the end of the sandbox",
      log: [...done, destroyRequested()],
      now: { profile },
      step: performs(null, destroy(), notify("phone")),
    },
    {
      name: "is told once",
      log: [...done, notified(seq, "phone"), destroyRequested(), destroyed()],
      now: { profile },
      step: leave(null),
    },
    {
      name: "is not told again when it could not be",
      log: [...done, notified(seq, "phone", false), destroyRequested(), destroyed()],
      now: { profile },
      step: leave(null),
    },
    {
      name: "that was told to another one is still to be told",
      log: [...done, notified(seq, "pager"), destroyRequested(), destroyed()],
      now: { profile },
      step: performs(null, notify("phone")),
    },
    {
      name: "is told to nobody where nobody wants to know",
      log: [...done, destroyRequested(), destroyed()],
      step: leave(null),
    },
    {
      name: "does not keep the session from going on",
      log: [...done, said("and now this")],
      now: { profile },
      step: append(running),
    },
    {
      name: "that a person has brought about is no news",
      log: [...askingWithSandbox(), answered(1), idle("stopped"), destroyRequested(), destroyed()],
      now: { profile },
      step: leave(null),
    },
  ]);

  test("is no longer to be told once work goes on", () => {
    expect(stateOf(...done, said("more"), running).people.notice).toBeNull();
  });
});

const agreed = [created({ checkout: { base: BASE } }), sealed(), said("go"), running];

test.each([
  [{ type: "end_turn" }, null],
  [{ type: "verified", verdict: 1 }, "done"],
  [{ type: "requires_action", calls: [], questions: ["q1_0"] }, "blocked"],
  [{ type: "review", verdict: 1 }, "blocked"],
  [{ type: "budget_reached", cap: "tokens" }, "budget"],
  [{ type: "stalled" }, "stall"],
  [{ type: "paused" }, null],
] as const)("%j is %s under a contract", (reason, kind) => {
  const rest = event("session.status_idle", { stop_reason: reason as unknown as Reason });
  expect(noticeKind(stateOf(...agreed, rest))).toBe(kind);
});
