import { hash } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  amend,
  contractWith,
  decidedOn,
  LOOKED_AT,
  preflightFinished,
  reviewOf,
  sealed,
  verdictGiven,
  verdictRequested,
  waive,
} from "../../../test/support/contract-events.ts";
import { BASE, commitOf, created, SESSION } from "../../../test/support/events.ts";
import { place } from "../../../test/support/logs.ts";
import { contractHash } from "../../core/contract/contract.ts";
import { type EventBody, type EventInput, event } from "../../core/events/index.ts";
import { type Story, storyOf } from "./story.ts";

const [TREE_A, TREE_B] = [commitOf(1), commitOf(2)];
const printed = "2 tests passed";

const composed = (more: Partial<EventBody<"referee.composed">> = {}): EventInput =>
  event("referee.composed", {
    ...{ verdict: 1, base: BASE, candidate: commitOf(0), tree_a: TREE_A, tree_b: TREE_B, findings: [] },
    ...more,
  });

type Checked = EventBody<"referee.checked">;

const checked = (more: Partial<Checked> = {}, run: Partial<Checked["run"]> = {}): EventInput =>
  event("referee.checked", {
    ...{ verdict: 1, criterion: "tests", pass: "A", tree: TREE_A, command: ["npm", "test"] },
    run: {
      ...{ ending: "exited", exit_code: 0, duration_ms: 1, runner: null, counts: null, output: printed },
      ...run,
    },
    ...{ output_hash: hash("sha256", printed, "hex"), strength: "exit-status", status: "met" },
    ...{ reason: "exit status 0", missing: [] },
    ...more,
  });

const start = [created({ checkout: { base: BASE } }), sealed(), preflightFinished()];

function told(log: readonly EventInput[], erased: readonly number[] = []): Story {
  return storyOf({ sessionId: SESSION, events: place(log), erased: new Set(erased) });
}

const given = (...facts: readonly EventInput[]): readonly EventInput[] => [
  ...[...start, verdictRequested(), ...facts],
  verdictGiven(1, "met"),
];

test("facts as the referee writes them are believed", () => {
  expect(told(given(composed(), checked())).problems).toEqual([]);
  const failed = checked({ status: "unmet" }, { exit_code: 1 });
  expect(told(given(composed(), failed)).problems).toEqual([]);
  const redacted = checked({}, { output: "token [redacted:npm-token]" });
  expect(told(given(composed(), redacted)).problems).toEqual([]);
});

describe("refused are facts of", () => {
  const another = { tree_a: commitOf(8), tree_b: commitOf(9) };
  test.each<[string, readonly EventInput[], RegExp]>([
    ["another command", [composed(), checked({ command: ["true"] })], /event 6, which ran another command/],
    ["a longer command", [composed(), checked({ command: ["npm", "test", "-h"] })], /another command/],
    ["no check", [composed(), checked({ criterion: "other" })], /other, for which the contract has none/],
    ["held-out files that are none", [composed(), checked({ pass: "H" })], /as if with held-out files/],
    ["a strength that is none", [composed(), checked({ strength: "held-out" })], /as if with held-out/],
    ["the other pass", [composed(), checked({ pass: "B" })], /pass B of tests on the files of the other/],
    ["a red run", [composed(), checked({}, { exit_code: 1 })], /cannot have been met/],
    ["a run that did not end", [composed(), checked({}, { ending: "timed_out" })], /cannot have been met/],
    ["another output", [composed(), checked({}, { output: "3 tests passed" })], /that was hashed/],
    ["other trees", [composed(another), checked()], /on trees that nobody has composed/],
    ["no trees", [checked()], /on trees that nobody has composed/],
    ["another base", [composed({ base: commitOf(7) }), checked()], /another base or commit/],
    ["another commit", [composed({ candidate: commitOf(7) }), checked()], /another base or commit/],
  ])("%s", (_, facts, problem) => {
    expect(told(given(...facts)).problems[0]).toMatch(problem);
  });

  test("checks with held-out files that ran without them", () => {
    const [criterion] = contractWith().criteria;
    const held_out = { digest: "ab".repeat(32), target: "hidden" };
    const check = { argv: ["npm", "test"], folder: "", shell: false, held_out };
    const contract = contractWith({ criteria: [{ ...criterion, check } as never] });
    const log = (fact: EventInput): readonly EventInput[] => [
      ...[created({ checkout: { base: BASE } }), sealed(contract), preflightFinished()],
      ...[verdictRequested(), composed(), fact],
      verdictGiven(1, "met", { contract_hash: contractHash(contract) }),
    ];
    expect(told(log(checked())).problems[0]).toMatch(/without its held-out files/);
    const hidden = checked({ pass: "H", strength: "held-out" }, { output: "" });
    expect(told(log(hidden)).problems).toEqual([]);
  });
});

test("the checks of the base ran on the base, and anew for a new contract", () => {
  const elsewhere = preflightFinished() as EventInput<"preflight.finished">;
  const moved = event("preflight.finished", { ...elsewhere.body, commit: commitOf(7) });
  expect(told([created({ checkout: { base: BASE } }), sealed(), moved]).problems[0]).toMatch(
    /event 3 ran on another commit than the base/,
  );
  const contract = contractWith({ constraints: ["none"] });
  const { contract_hash } = { contract_hash: contractHash(contract) };
  const log = [
    ...[...start, amend(contract), amended(contract), verdictRequested(), composed(), checked()],
    verdictGiven(1, "met", { contract_hash }),
  ];
  expect(told(log).problems[0]).toMatch(/was given without a contract, a base and its checks/);
});

const amended = (contract: ReturnType<typeof contractWith>): EventInput =>
  event("contract.amended", {
    ...{ contract, hash: contractHash(contract), previous_hash: contractHash(contractWith()) },
    ...{ reason: "it was too narrow", author: "somebody", asked_seq: 1, content: [] },
  });

describe("what was said", () => {
  const reviewed = [
    ...[...start, verdictRequested(), composed()],
    verdictGiven(1, "review", { review: reviewOf() }),
  ];
  const second = [
    event("verdict.requested", { number: 2, commit: commitOf(0), reason: "asked" }),
    composed({ verdict: 2 }),
    verdictGiven(2, "unmet"),
  ];
  const approvals = (log: readonly EventInput[]): string[][] =>
    told(log)
      .verdicts.at(-1)
      ?.requests.map(({ approved }) => [...approved]) ?? [];

  test("of a change that waits for a person counts", () => {
    expect(approvals([...reviewed, decidedOn("approve"), ...second])).toEqual([[LOOKED_AT]]);
  });

  test("of one that an amendment has overtaken does not, as in the harness", () => {
    const contract = contractWith({ constraints: ["none"] });
    const log = [...reviewed, amended(contract), decidedOn("approve"), preflightFinished(), ...second];
    expect(
      approvals(log.slice(0, -1).concat(verdictGiven(2, "unmet", { contract_hash: contractHash(contract) }))),
    ).toEqual([[]]);
  });

  test("while a verdict was in the making, it may have known or not", () => {
    const [asked, ...rest] = second as [EventInput, ...EventInput[]];
    expect(approvals([...reviewed, asked, decidedOn("approve"), ...rest])).toEqual([[], [LOOKED_AT]]);
    const { verdicts } = told([...reviewed, asked, waive(), ...rest]);
    expect(verdicts.at(-1)?.requests.map(({ waivers }) => waivers.length)).toEqual([0, 1]);
  });
});

test("what verdicts follow from may not have been erased", () => {
  expect(told(given(composed(), checked()), [2]).problems[0]).toMatch(/event 2 \(contract.sealed\).*erased/);
  const { verdicts, problems } = told(given(composed(), checked({ command: ["[erased]"] })), [6]);
  expect(problems).toEqual([]);
  expect(verdicts[0]?.erased).toBe(6);
});
