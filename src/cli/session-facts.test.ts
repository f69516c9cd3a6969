import { expect, test } from "vitest";
import { preflightFinished, preflightStarted, sealed } from "../../test/support/contract-events.ts";
import { BASE, created, SESSION, START_MS } from "../../test/support/events.ts";
import { stateOf } from "../../test/support/logs.ts";
import { type EventInput, event } from "../core/events/index.ts";
import { NO_REDACTION, seal } from "../core/seal.ts";
import { systemClock } from "../runtime/system.ts";
import { createMemoryStore } from "../store/memory.ts";
import { resultOf } from "./session-facts.ts";

async function told(...log: readonly EventInput[]): Promise<unknown> {
  const store = createMemoryStore({ clock: systemClock, probe: { isDead: () => false } });
  const events = log.map((each) => seal(each, NO_REDACTION));
  await store.create(SESSION, { appendId: "create", at: START_MS, events });
  return (await resultOf({ store, clock: systemClock }, stateOf(...log))).contract;
}

const start = [created({ checkout: { base: BASE } }), sealed(), preflightStarted];

test("a base whose checks cannot run is told with each cause", async () => {
  const { body } = preflightFinished() as EventInput<"preflight.finished">;
  const problems = [
    { code: "not_found" as const, criterion: "tests", message: "`npm` was not found" },
    { code: "setup_failed" as const, message: "`npm ci` ended with exit 1" },
  ];
  expect(await told(...start, event("preflight.finished", { ...body, problems }))).toMatchObject({
    preflight: "refused",
    problems: [problems[0], { ...problems[1], criterion: null }],
  });
  expect(await told(...start, preflightFinished())).toMatchObject({ preflight: "passed", problems: [] });
});
