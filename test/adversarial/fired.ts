/** Which gates had something to say of a candidate. */
import type { EventBody, SessionEvent } from "../../src/core/events/index.ts";
import type { RefereeFactType } from "../../src/referee/parts.ts";

/** Of findings, of passes and of runs. */
export function firedIn(
  { tree_a: treeA, tree_b: treeB }: EventBody<"verdict.given">,
  facts: readonly SessionEvent<RefereeFactType>[],
): ReadonlySet<string> {
  const gates = new Set<string>();
  for (const fact of facts) {
    switch (fact.type) {
      case "referee.composed":
      case "referee.ratcheted":
        for (const { gate, effect } of fact.body.findings) if (effect !== "note") gates.add(gate);
        break;
      case "referee.checked": {
        const { status, gate, pass, run } = fact.body;
        if (status === "met") break;
        gates.add(gate ?? "exit-status");
        if (run.runner !== null) gates.add("runner");
        if (pass === "H") gates.add("held-out");
        else if (treeA !== treeB) gates.add(pass === "A" ? "protected" : "delivered");
        break;
      }
      case "judge.graded": {
        const { status, items } = fact.body;
        if (status === "error") gates.add("judge-failure");
        if (items.some(({ quotes }) => quotes.some(({ found }) => !found))) gates.add("quotes");
        if (items.some((item) => item.status === "unmet")) gates.add("rubric-lines");
        break;
      }
    }
  }
  return gates;
}
