import { expect, test } from "vitest";
import { publish, publishedBranch, refusedBranch } from "../../../test/support/branch-events.ts";
import {
  amend,
  contractWith,
  preflightFinished,
  sealed,
  verdictGiven,
  verdictRequested,
} from "../../../test/support/contract-events.ts";
import { BASE, checkpointCreated, commitOf, created, idle, said } from "../../../test/support/events.ts";
import { stateOf } from "../../../test/support/logs.ts";
import { contractHash } from "../contract/contract.ts";
import { type EventBody, type EventInput, event } from "../events/index.ts";
import type { SessionState } from "../state.ts";

const checkout = { base: BASE, branch: "fix" };
const saved: readonly EventInput[] = [
  created({ checkout }),
  sealed(),
  said("go"),
  preflightFinished(),
  event("checkpoint.requested", { number: 1, reason: "verdict" }),
  checkpointCreated(1),
  verdictRequested(1, 1),
];
const verified = [...saved, verdictGiven(1, "met", { commit: commitOf(1) })];
const NAME = "nightshift/fix-000001";

function after(log: readonly EventInput[], receipt: (state: SessionState) => EventInput): SessionState {
  return stateOf(...log, receipt(stateOf(...log)));
}

test("a positive verdict asks for the branch; another one about the same files does not", () => {
  expect(stateOf(...verified).branch?.wanted).toMatchObject({
    branch: NAME,
    source: commitOf(1),
    verdict: 1,
  });
  const again = [verdictRequested(2, 1), verdictGiven(2, "met", { commit: commitOf(1) })];
  const published = after(verified, publishedBranch);
  expect(published.branch).toMatchObject({ wanted: null, published: { branch: NAME, source: commitOf(1) } });
  const log = [...verified, publishedBranch(stateOf(...verified)), idle("verified"), ...again];
  expect(stateOf(...log).branch?.wanted).toBeNull();
});

test("a positive verdict asks anew for a branch that was published before any, under whatever name", () => {
  for (const asked of [publish, event("control.publish", { branch: "mine" })]) {
    const log = [...saved, asked];
    const given = [publishedBranch(stateOf(...log)), verdictGiven(1, "met", { commit: commitOf(1) })];
    expect(stateOf(...log, ...given).branch?.wanted).toMatchObject({ branch: NAME, verdict: 1 });
  }
});

test("a verdict on an amended contract asks anew for a branch that tells of the old one", () => {
  const other = contractWith({ goal: "Something else." });
  const published = [...verified, publishedBranch(stateOf(...verified)), idle("verified"), amend(other)];
  const { contract, hash } = amend(other).body as EventBody<"control.amend_contract">;
  const amended = event("contract.amended", {
    ...{ contract, hash, previous_hash: contractHash(contractWith()), reason: "r", author: "a" },
    ...{ asked_seq: published.length, content: [{ type: "text", text: "t" }] },
  });
  const log = [...published, amended, preflightFinished(), verdictRequested(2, 1)];
  const given = verdictGiven(2, "met", { commit: commitOf(1), contract_hash: hash });
  expect(stateOf(...log).branch?.wanted).toBeNull();
  expect(stateOf(...log, given).branch?.wanted).toMatchObject({ branch: NAME, verdict: 2 });
});

test.each([
  ["a negative one", [...saved, verdictGiven(1, "unmet", { commit: commitOf(1) })]],
  [
    "one about the base",
    [...saved.slice(0, 4), verdictRequested(1, 0), verdictGiven(1, "met", { commit: BASE })],
  ],
  ["one on another contract", [...saved, verdictGiven(1, "met", { contract_hash: "0".repeat(64) })]],
  ["one of a session without a branch", [created({ checkout: { base: BASE } }), ...verified.slice(1)]],
])("%s asks for none", (_name, log) => {
  expect(stateOf(...log).branch?.wanted ?? null).toBeNull();
});

test("a person may ask for one of whatever is saved, under any name", () => {
  expect(stateOf(...saved, publish).branch?.wanted).toMatchObject({ branch: NAME, verdict: null });
  const named = event("control.publish", { branch: "mine" });
  // That of the verdict is being made, and may have been moved already: it is not forgotten.
  const both = stateOf(...verified, named).branch;
  expect(both).toMatchObject({ wanted: { branch: NAME }, next: { branch: "mine", verdict: 1 } });
  const made = stateOf(...verified, named, publishedBranch(stateOf(...verified))).branch;
  expect(made).toMatchObject({ wanted: { branch: "mine" }, published: { branch: NAME } });
  expect(made?.next).toBeUndefined();
  const waits = amend(contractWith({ goal: "Something else." }));
  expect(stateOf(...verified, waits, named).branch?.next).toMatchObject({ branch: "mine", verdict: null });
});

test("what was refused is not tried again by itself", () => {
  expect(after(verified, refusedBranch).branch).toEqual({ wanted: null, published: null });
});

test("a receipt that nobody waits for changes nothing", () => {
  const other = publishedBranch(stateOf(...verified), { branch: "other" });
  expect(stateOf(...verified, other).branch?.published).toBeNull();
});
