import { describe, expect, test } from "vitest";
import {
  called,
  created,
  replied,
  result,
  SESSION,
  START_MS,
  said,
  started,
  stop,
  terminated,
  woke,
} from "../../test/support/events.ts";
import { askingWithSandbox, calling, place, stateOf } from "../../test/support/logs.ts";
import { reduceTable } from "../../test/support/reduce-table.ts";
import { callOf } from "../../test/support/steps.ts";
import { event } from "./events/index.ts";
import { foldEvents, reduce } from "./reduce.ts";
import { emptyState } from "./state.ts";

describe("a place in the log", () => {
  test("must be the next one", () => {
    const [first, second] = place([created(), said("go")]);
    const state = emptyState(SESSION);
    expect(() => reduce(state, second!)).toThrow("event 2 does not follow 0 in sesn_00000001");
    expect(() => reduce(reduce(state, first!), first!)).toThrow("event 1 does not follow 1");
  });

  test("is all that an event without meaning for the fold changes", () => {
    const before = stateOf(...askingWithSandbox());
    for (const quiet of [
      replied(1, "hm"),
      event("agent.thinking", { request: 1, text: "hm" }),
      event("breaker.tripped", { cause: "idle", detail: "" }),
      event("budget.exhausted", { cap: "tokens", limit: 1, used: 1, wanted: 1 }),
      event("harness.suspended", { gap_ms: 20_000 }),
      event("session.error", {
        error: { type: "t", code: "c", message: "m", retry_status: { type: "terminal" } },
      }),
    ]) {
      const after = stateOf(...askingWithSandbox(), quiet);
      expect(after).toEqual({
        ...before,
        budget: after.budget,
        seq: 10,
        lastEventAt: START_MS + 9000,
      });
    }
  });
});

describe("a fork", () => {
  const fork = event("session.forked", { from: "sesn_00000000", at_seq: 9, head_hash: "" });
  reduceTable([
    {
      name: "has nothing in flight: the request is charged, the sandbox is not ours",
      before: [...askingWithSandbox(), woke(4), stop],
      event: fork,
      changes: (before) => ({
        request: null,
        sandbox: null,
        halt: null,
        epoch: 0,
        ledger: { ...before.ledger, unsettledRequests: 1, unsettledTokens: 1100 },
      }),
    },
    {
      name: "does not know what came of runs",
      before: [
        ...calling(called(1, 0), called(1, 1), called(1, 2)),
        started("c1_0"),
        started("c1_1"),
        result("c1_1"),
      ],
      event: fork,
      changes: (before) => ({
        sandbox: null,
        epoch: 0,
        calls: [
          { ...callOf(before, "c1_0"), status: "in_doubt" },
          callOf(before, "c1_1"),
          callOf(before, "c1_2"),
        ],
      }),
    },
    {
      name: "of a session that was over goes on",
      before: [created(), terminated],
      event: fork,
      changes: { phase: "idle" },
    },
  ]);

  test("names sandboxes and runs after itself", () => {
    const other = foldEvents("sesn_00000002" as never, place([...calling(called(1, 0)), fork]));
    expect(other.sessionId).toBe("sesn_00000002");
    expect(other.sandboxes).toBe(1);
  });
});
