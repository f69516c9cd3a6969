/** What has to be the same whatever happened on the way, and what the log has to say of the rest. */
import { expect } from "vitest";
import type { Json } from "../../src/core/text.ts";
import { bodiesOf, type LoggedEvent } from "../end-to-end/place.ts";
import type { Worked } from "./worked.ts";

/** Events that tell of work; interruptions are told by others, and may make none of these more or fewer. */
const WORK: ReadonlySet<string> = new Set([
  "contract.sealed",
  "user.message",
  "agent.message",
  "agent.tool_use",
  "verdict.requested",
  "verdict.given",
  "referee.checked",
  "branch.published",
]);

function told({ type, body }: LoggedEvent): Json {
  switch (type) {
    case "agent.tool_use":
      return [type, body.name ?? null, body.input ?? null];
    case "agent.message":
      return [type, body.content ?? null];
    case "verdict.given":
      return [type, body.number ?? null, body.outcome ?? null];
    case "referee.checked":
      return [type, body.criterion ?? null, body.pass ?? null, body.status ?? null];
    default:
      return [type];
  }
}

function workIn(events: readonly LoggedEvent[]): Json[] {
  const all = events.filter(({ type }) => WORK.has(type)).map(told);
  // Checks run side by side, so they end in any order.
  const isCheck = (each: Json): boolean => Array.isArray(each) && each[0] === "referee.checked";
  const checks = all.filter(isCheck).map((each) => JSON.stringify(each));
  return [...all.filter((each) => !isCheck(each)), ...checks.sort()];
}

/** Requests that told their usage. */
function settled({ usage }: Worked): Readonly<Record<string, number>> {
  const { input_tokens = 0, output_tokens = 0, model_requests = 0, unsettled_requests = 0 } = usage;
  return { input_tokens, output_tokens, answered: model_requests - unsettled_requests };
}

/** The disturbed run has come to the same, and its log says what disturbed it. */
export function expectSame(calm: Worked, disturbed: Worked): void {
  expect(disturbed.branch).toEqual(calm.branch);
  expect(settled(disturbed)).toEqual(settled(calm));
  expect(workIn(disturbed.events)).toEqual(workIn(calm.events));
  const outcomes = bodiesOf(calm.events, "verdict.given").map(({ outcome }) => outcome);
  expect(outcomes).toEqual(["unmet", "met"]);
  const lost = bodiesOf(disturbed.events, "span.model_request_end").filter(
    ({ outcome }) => outcome === "lost",
  );
  expect(disturbed.usage.unsettled_requests).toBe(lost.length);
  expect(bodiesOf(disturbed.events, "sandbox.lost").length).toBeGreaterThanOrEqual(disturbed.lostSandboxes);
  const woken = bodiesOf(disturbed.events, "harness.woke").length;
  expect(woken).toBeLessThanOrEqual(disturbed.kills + 1);
  expect(bodiesOf(calm.events, "harness.woke")).toHaveLength(1);
}
