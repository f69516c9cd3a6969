import { expect, test } from "vitest";
import {
  amend,
  contractWith,
  preflightFinished,
  sealed,
  verdictGiven,
  verdictRequested,
  waive,
} from "../../../test/support/contract-events.ts";
import { BASE, created, START_MS, said } from "../../../test/support/events.ts";
import { stateOf } from "../../../test/support/logs.ts";
import { contractHash } from "../contract/contract.ts";
import { type EventInput, event } from "../events/index.ts";
import { doubtOf, doubtText, metText, waiversOf } from "./counting.ts";
import type { ContractState } from "./state.ts";

const UNTIL = START_MS + 1_000_000;
const [first] = contractWith().criteria;
const TWO = contractWith({
  criteria: ["tests", "net"].map((id) => ({ ...first, id, description: `${id} works.` }) as never),
});
const agreed = [created({ checkout: { base: BASE } }), sealed(TWO), said("go"), preflightFinished()];

function verdict(net: "met" | "unmet" | "waived", number = 1): EventInput[] {
  const criteria = (["met", net] as const).map((status, index) => ({
    criterion: index === 0 ? "tests" : "net",
    ...{ status, strength: null, reason: "", evidence: [] },
  }));
  const outcome = net === "unmet" ? "unmet" : "met";
  const more = { contract_hash: contractHash(TWO), criteria };
  return [verdictRequested(number), verdictGiven(number, outcome, more)];
}

function agreementOf(...log: readonly EventInput[]): ContractState {
  const { contract } = stateOf(...agreed, ...log);
  if (contract === null) throw new Error("there is one");
  return contract;
}

const waived = [waive("net", UNTIL), ...verdict("waived")];

test.each([
  ["a verdict", verdict("met"), UNTIL, null],
  ["a negative one", verdict("unmet"), UNTIL, null],
  ["no verdict", [], UNTIL, null],
  ["one that leans on a waiver", waived, UNTIL - 1, null],
  ["the same when its time is over", waived, UNTIL, "waiver_over"],
  ["the same when it was waived for longer", [...waived, waive("net", UNTIL + 9)], UNTIL, null],
  ["one that leans on none", [waive("net", UNTIL), ...verdict("met")], UNTIL, null],
  ["an amendment that waits", [...waived, amend(contractWith())], UNTIL, "amendment_waits"],
  ["an amendment before any verdict", [amend(contractWith())], UNTIL, "amendment_waits"],
] as const)("what counts: %s", (_name, log, at, doubt) => {
  expect(doubtOf(agreementOf(...log), at)?.type ?? null).toBe(doubt);
});

test("a verdict on a text that was amended since counts no more", () => {
  const asked = amend(contractWith());
  const { contract, hash } = asked.body as never as { contract: typeof TWO; hash: string };
  const amended = event("contract.amended", {
    ...{ contract, hash, previous_hash: contractHash(TWO), reason: "r", author: "a", asked_seq: 1 },
    content: [{ type: "text", text: "t" }],
  });
  expect(doubtOf(agreementOf(...verdict("met"), amended), 0)).toEqual({ type: "amended" });
});

test("tells each waiver with who answers for it, until when, and why, on one line", () => {
  const log = [waive("tests"), waive("net", UNTIL), ...verdict("waived")];
  const told = metText(waiversOf(agreementOf(...log)));
  expect(told).toMatch(
    /^every criterion is met but those waived: net \(by somebody until \S+ \S+ UTC: not now\)$/,
  );
  expect(metText([])).toBe("every criterion is met");
  const nasty = { criterion: "net", owner: "o", reason: "a\n\u001b[2Jb", expiresAt: 0 };
  expect(doubtText({ type: "waiver_over", waivers: [nasty] })).toBe(
    "over: the waiver of net (by o until 1970-01-01 00:00 UTC: a [2Jb)",
  );
});
