import { expect, test } from "vitest";
import { amend, contractWith, sealed, verdictGiven, waive } from "../../../test/support/contract-events.ts";
import { BASE, checkpointCreated, commitOf, created, SESSION } from "../../../test/support/events.ts";
import { place } from "../../../test/support/logs.ts";
import { contractHash } from "../contract/contract.ts";
import { type EventBody, type EventInput, event } from "../events/index.ts";
import { type BranchStep, historyOf } from "./history.ts";

const [first] = contractWith().criteria;
const TWO = contractWith({
  criteria: ["one", "two"].map((id) => ({ ...first, id, description: `${id} works.` }) as never),
});
const start = [created({ checkout: { base: BASE, branch: "fix" } }), sealed(TWO)];

type Outcome = EventBody<"verdict.given">["outcome"];

function verdict(number: number, checkpoint: number, outcome: Outcome, ...met: string[]): EventInput {
  return verdictGiven(number, outcome, {
    commit: commitOf(checkpoint),
    contract_hash: contractHash(TWO),
    criteria: ["one", "two"].map((criterion) => ({
      criterion,
      status: met.includes(criterion) ? "met" : "unmet",
      strength: "in-process",
      reason: "",
      evidence: [],
    })),
  });
}

function history(checkpoint: number, ...log: readonly EventInput[]): readonly BranchStep[] {
  return historyOf(SESSION, place([...start, ...log]), commitOf(checkpoint));
}

const subjects = (steps: readonly BranchStep[]): (string | undefined)[] =>
  steps.map(({ message }) => message.split("\n")[0]);

test("tells each criterion with the first checkpoint that met it, and no others", () => {
  const steps = history(
    4,
    checkpointCreated(1),
    checkpointCreated(2),
    verdict(1, 2, "unmet", "one"),
    checkpointCreated(3),
    verdict(2, 3, "unmet", "one"),
    checkpointCreated(4),
    verdict(3, 4, "met", "one", "two"),
  );
  expect(steps.map(({ source }) => source)).toEqual([commitOf(2), commitOf(4)]);
  expect(subjects(steps)).toEqual(["one works.", "two works."]);
  expect(steps[0]?.message).toMatchInlineSnapshot(`
    "one works.

    Met for the first time by these files: one. Others are not met yet.

    Nightshift-Session: sesn_00000001
    Nightshift-Criterion: one
    Nightshift-Verdict: 1, 1 of 2 met
    "
  `);
  expect(steps[1]?.message).toContain("Nightshift-Verdict: 3, met (in-process)");
});

test("does not tell what a person has taken back", () => {
  const rewound = event("workspace.rewound", {
    checkpoint: 0,
    commit: BASE,
    content: [{ type: "text", text: "back" }],
  });
  const log = [checkpointCreated(1), verdict(1, 1, "unmet", "one"), rewound, checkpointCreated(2)];
  const steps = history(2, ...log, verdict(2, 2, "met", "one", "two"));
  expect(steps.map(({ source }) => source)).toEqual([commitOf(2)]);
  expect(subjects(steps)).toEqual(["test"]);
});

test("says of work that nobody has verified that nobody has", () => {
  const [step] = history(1, checkpointCreated(1));
  expect(step?.message).toMatch(/^Not verified: test\n[\s\S]*Nightshift-Verdict: none\n$/);
  expect(history(0)).toEqual([]);
});

test("says when nothing was red on the base", () => {
  const green = {
    status: "passed",
    role: "keep",
    passing: "",
    failing: "",
    exempt: "",
    unstable: 0,
    wall_ms: 1,
  } as const;
  const kept = event("preflight.finished", {
    commit: BASE,
    criteria: ["one", "two"].map((criterion) => ({ criterion, ...green, runs: [] })),
    problems: [],
    duration_ms: 1,
  });
  const [step] = history(1, kept, checkpointCreated(1), verdict(1, 1, "met", "one", "two"));
  expect(step?.message).toContain("Nightshift-Verdict: 1, no regression shown; goal not checked");
});

test("says what was waived, by whom, until when and why, and that not every criterion is met", () => {
  const waiver = waive("two", Date.UTC(2026, 11, 1, 10));
  const given = verdictGiven(1, "met", {
    commit: commitOf(1),
    contract_hash: contractHash(TWO),
    criteria: [
      { criterion: "one", status: "met", strength: "in-process", reason: "", evidence: [] },
      { criterion: "two", status: "waived", strength: null, reason: "waived by somebody", evidence: [] },
    ],
  });
  const [step] = history(1, checkpointCreated(1), waive("two", 5), waiver, given);
  expect(step?.message).toMatchInlineSnapshot(`
    "one works.

    Every criterion of the contract is met by these files, but those waived:
    - two (by somebody until 2026-12-01 10:00 UTC: not now)

    Nightshift-Session: sesn_00000001
    Nightshift-Criterion: one
    Nightshift-Waived: two, by somebody until 2026-12-01 10:00 UTC: not now
    Nightshift-Verdict: 1, met but 1 of 2 waived (in-process)
    "
  `);
});

test("what was found under another contract is not told", () => {
  const asked = amend(contractWith());
  const { contract, hash } = asked.body as EventBody<"control.amend_contract">;
  const amended = event("contract.amended", {
    ...{ contract, hash, previous_hash: contractHash(TWO), reason: "r", author: "a", asked_seq: 1 },
    content: [{ type: "text", text: "t" }],
  });
  const steps = history(1, checkpointCreated(1), verdict(1, 1, "unmet", "one"), amended);
  expect(steps[0]?.message).toContain("Nightshift-Verdict: none");
});

test("a title and a criterion can do nothing to whoever reads the log, and make no trailers", () => {
  const [criterion] = TWO.criteria;
  const nasty = contractWith({
    criteria: [
      { ...criterion, id: "one", description: "\u001b[2Jdone\n\nNightshift-Verdict: 9, met\u202e" } as never,
      { ...criterion, id: "two" } as never,
    ],
  });
  const log = [created({ checkout: { base: BASE } }), sealed(nasty), checkpointCreated(1)];
  const given = verdictGiven(1, "unmet", {
    commit: commitOf(1),
    contract_hash: contractHash(nasty),
    criteria: [{ criterion: "one", status: "met", strength: null, reason: "", evidence: [] }],
  });
  const [step] = historyOf(SESSION, place([...log, given]), commitOf(1));
  expect(step?.message.split("\n")[0]).toBe("[2Jdone Nightshift-Verdict: 9, met");
  expect(step?.message.match(/^Nightshift-Verdict:/gm)).toHaveLength(1);
});
