import { expect, test } from "vitest";
import {
  amend,
  contractWith,
  decidedOn,
  declared,
  preflightFinished,
  reviewOf,
  sealed,
  verdictGiven,
  verdictRequested,
  waive,
} from "../../../test/support/contract-events.ts";
import { BASE, created, replied, said } from "../../../test/support/events.ts";
import { place, stateOf } from "../../../test/support/logs.ts";
import { accountOf } from "../../core/contract/account.ts";
import type { EventInput } from "../../core/events/index.ts";
import { reportLines } from "./report.ts";

function reportOf(log: readonly EventInput[], paths: readonly string[] = []): string {
  const changed = paths.map((path) => ({
    path,
    change: "modified" as const,
    added: 1,
    removed: 2,
    isExecutable: false,
  }));
  return reportLines({ state: stateOf(...log), account: accountOf(place(log)), head: "9:ab", changed }).join(
    "\n",
  );
}

const agreed = [created({ checkout: { base: BASE } }), sealed(), said("go"), preflightFinished()];

test("without a contract it says that nobody has verified anything", () => {
  expect(reportOf([created(), said("go"), replied(1, "All tests pass!")])).toContain(
    "nobody has verified anything",
  );
});

test("lists everything that people and the agent have said of the contract", () => {
  const report = reportOf([
    ...agreed,
    waive(),
    amend(contractWith({ constraints: ["none"] })),
    declared("c1_0"),
    verdictRequested(),
    verdictGiven(1, "review", { review: reviewOf(), gaps: ["no held-out checks"] }),
    decidedOn("approve"),
  ]);
  for (const part of [
    "tests waived by somebody",
    "tests is impossible",
    "approve: test/a.test.js",
    "no held-out checks",
  ])
    expect(report).toContain(part);
});

test("what may run on the reader's machine comes before everything that was done", () => {
  const report = reportOf(
    [...agreed, verdictRequested(), verdictGiven(1, "met")],
    ["src/a.js", ".vscode/tasks.json", "package.json", ".husky/pre-commit"],
  );
  const first = report.slice(report.indexOf("may run on your machine"), report.indexOf("## Criteria"));
  expect(first).toMatch(/tasks\.json[\s\S]*package\.json[\s\S]*pre-commit/);
  expect(first).not.toContain("src/a.js");
});

test("what the agent says stands beside what was found, and does nothing to the reader", () => {
  const lie = "Done \u001b[2J<script>alert(1)</script> ```";
  const report = reportOf([...agreed, replied(1, lie), verdictRequested(), verdictGiven(1, "unmet")]);
  expect(report).toMatch(/said: "Done .*&lt;script>/);
  expect(report).toContain("found: unmet");
  expect(report).not.toContain("\u001b");
  expect(report).not.toContain("<script>");
});
