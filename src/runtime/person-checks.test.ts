import { describe, expect, test } from "vitest";
import { declarationDecided, declared, sealed } from "../../test/support/contract-events.ts";
import { created, threadStart } from "../../test/support/events.ts";
import { stateOf } from "../../test/support/logs.ts";
import { World } from "../../test/support/world.ts";
import { type ClientEventInput, type EventInput, event } from "../core/events/index.ts";
import { checkAnswers, checkRetry } from "./person-checks.ts";

const agreed = [created(), sealed()];

async function ask(log: readonly EventInput[], said: EventInput): Promise<void> {
  const { store } = new World({ script: { turns: [] } });
  await checkAnswers(store, stateOf(...log), [said as ClientEventInput]);
}

test("a new attempt that nobody would judge is not begun, and the command that grants verdicts is named", () => {
  const capped = event("session.status_idle", { stop_reason: { type: "budget_reached", cap: "verdicts" } });
  const retry = event("control.retry", {}) as ClientEventInput;
  const state = stateOf(...agreed, threadStart(2), capped);
  expect(() => checkRetry(state, [retry])).toThrow(
    expect.objectContaining({ hint: expect.stringContaining("amend sesn_00000001 --max-verdicts") }),
  );
});

describe("what an agent declares", () => {
  test("may be denied", async () => {
    await expect(ask([...agreed, declared("c1_0")], declarationDecided("deny"))).resolves.toBeUndefined();
  });

  test("is not approved: whoever agrees waives the criterion", async () => {
    await expect(ask([...agreed, declared("c1_0")], declarationDecided("approve"))).rejects.toMatchObject({
      code: "E_USAGE",
      hint: expect.stringContaining("nightshift waive"),
    });
  });

  test.each([
    ["when there is none", agreed],
    ["when it has been made anew since", [...agreed, declared("c1_0"), declared("c2_0")]],
  ])("is not denied %s", async (_when, log) => {
    await expect(ask(log, declarationDecided("deny"))).rejects.toMatchObject({ code: "E_APPROVAL_STALE" });
  });
});
