/** Who has said what of criteria, as a bundle retells it. */
import { expect, test } from "vitest";
import {
  amend,
  amended,
  contractWith,
  declarationDecided,
  declared,
  preflightFinished,
  sealed,
  verdictGiven,
  verdictRequested,
} from "../../../test/support/contract-events.ts";
import { BASE, created, SESSION } from "../../../test/support/events.ts";
import { place, stateOf } from "../../../test/support/logs.ts";
import type { EventInput } from "../../core/events/index.ts";
import { type Story, storyOf } from "./story.ts";

const agreed = [created({ checkout: { base: BASE } }), sealed(), preflightFinished()];
const [{ id: _id, ...tests } = { id: "" }] = contractWith().criteria;
const others = contractWith({ criteria: [{ ...tests, id: "others" }] as never });

function told(log: readonly EventInput[]): Story {
  return storyOf({ sessionId: SESSION, events: place(log), erased: new Set() });
}

const NO_TREES = { tree_a: null, tree_b: null };

test.each([
  ["what is declared counts", [declared("c1_0")]],
  ["but not once a person has denied it", [declared("c1_0"), declarationDecided("deny")]],
  ["declared again, it does", [declared("c1_0"), declarationDecided("deny"), declared("c2_0")]],
  ["a denial of an older one changes nothing", [declared("c2_0"), declarationDecided("deny")]],
  ["an approval changes nothing", [declared("c1_0"), declarationDecided("approve")]],
  ["what is no criterion is passed over", [declared("c1_0", "others")]],
  [
    "what was taken out of the contract does not come back with it",
    [declared("c1_0"), amend(others), amended(others), amended(contractWith(), others), preflightFinished()],
  ],
])("a verdict is retold with what the harness knew: %s", (_what, log) => {
  const whole = [...agreed, ...log, verdictRequested(), verdictGiven(1, "unmet", NO_TREES)];
  const { verdicts, problems } = told(whole);
  expect(problems).toEqual([]);
  const known = stateOf(...whole).contract?.declared.map(({ call }) => call);
  expect(verdicts.map(({ requests }) => requests.at(-1)?.declared)).toMatchObject([
    (known ?? []).map((call) => ({ call })),
  ]);
});

test("a verdict that a denial has overtaken is passed over, as the harness does", () => {
  const log = [...agreed, declared("c1_0"), verdictRequested(), declarationDecided("deny")];
  expect(told([...log, verdictGiven(1, "review")]).verdicts).toEqual([]);
});
