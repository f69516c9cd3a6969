import { expect, test } from "vitest";
import {
  amend,
  amended,
  contractWith,
  decidedOn,
  declarationDecided,
  declared,
  preflightFinished,
  reviewOf,
  sealed,
  verdictGiven,
  verdictRequested,
  waive,
} from "../../../test/support/contract-events.ts";
import {
  answered,
  asked,
  BASE,
  created,
  idle,
  replied,
  START_MS,
  said,
  woke,
} from "../../../test/support/events.ts";
import { place, stateOf } from "../../../test/support/logs.ts";
import { accountOf } from "../../core/contract/account.ts";
import { contractHash } from "../../core/contract/contract.ts";
import { type EventInput, event } from "../../core/events/index.ts";
import { workOf } from "../../core/report/work.ts";
import { parseHead } from "../commands/repair.ts";
import { MARKDOWN, TEXT } from "./report/document.ts";
import { reportLines } from "./report.ts";

function reportOf(log: readonly EventInput[], paths: readonly string[] | null = [], now = START_MS): string {
  const files = paths?.map((path) => ({
    path,
    change: "modified" as const,
    added: 1,
    removed: 2,
    isExecutable: false,
  }));
  const changed = files ?? null;
  const placed = place(log);
  const work = workOf(placed);
  return reportLines({
    state: stateOf(...log),
    account: accountOf(placed),
    work,
    head: "9:ab",
    changed,
    now,
  }).join("\n");
}

const agreed = [created({ checkout: { base: BASE } }), sealed(), said("go"), preflightFinished()];

test("files that are gone are not taken for files that did not change", () => {
  const text = reportOf(agreed, null);
  expect(text).not.toContain("none changed");
  expect(text.match(/not known: the files of this session/g)).toHaveLength(2);
});

test("without a contract it says that nobody has verified anything", () => {
  expect(reportOf([created(), said("go"), replied(1, "All tests pass!")])).toContain(
    "nobody has verified anything",
  );
});

test("says what was waived beside what is met, and that a verdict no longer counts", () => {
  const [tests] = contractWith().criteria;
  const two = contractWith({ criteria: [tests, { ...tests, id: "net" }] as never });
  const criteria = (["met", "waived"] as const).map((status, index) => ({
    criterion: index === 0 ? "tests" : "net",
    ...{ status, strength: null, reason: "", evidence: [] },
  }));
  const until = Date.UTC(2026, 11, 1, 10);
  const log = [
    ...[created({ checkout: { base: BASE } }), sealed(two), said("go"), preflightFinished()],
    waive("net", until),
    ...[verdictRequested(), verdictGiven(1, "met", { contract_hash: contractHash(two), criteria })],
    event("session.status_idle", { stop_reason: { type: "verified", verdict: 1 } }),
  ];
  const waiver = "net (by somebody until 2026-12-01 10:00 UTC: not now)";
  const counts = reportOf(log, [], until - 1);
  expect(counts).toContain(
    `ends as: verified: every criterion is met but those waived: ${waiver} (verdict 1)`,
  );
  expect(counts).not.toContain("now:");
  expect(reportOf(log, [], until)).toContain(`now: over: the waiver of ${waiver}`);
  expect(reportOf([...log, amend(contractWith())], [], 0)).toContain("now: an amendment waits");
});

test.each([
  ["a terminal, however narrow", TEXT, 40],
  ["a file", MARKDOWN, 80],
] as const)(
  "tells the head whole on a line of its own, so that it can be pasted, for %s",
  (_, form, width) => {
    const placed = place(agreed);
    const head = `12345:${"9da8".repeat(16)}`;
    const source = { state: stateOf(...agreed), account: accountOf(placed), work: workOf(placed), head };
    const lines = reportLines({ ...source, changed: [], now: START_MS }, form, width);
    const told = lines
      .slice(lines.findIndex((line) => /next/i.test(line)))
      .find((line) => line.endsWith(head));
    expect(parseHead(told?.replace(/^[ -]+/, "") ?? "")).toEqual({ seq: 12345, hash: "9da8".repeat(16) });
  },
);

test("goes on from an amendment that waits before anything is applied", () => {
  const log = [...agreed, verdictRequested(), verdictGiven(1, "met"), amend(contractWith())];
  expect(reportOf(log)).toMatch(/## Next[\s\S]*nightshift resume sesn_00000001/);
});

test.each([
  ["stalled", /## Next[\s\S]*nightshift diff sesn_0+1[\s\S]*nightshift resume sesn_0+1/],
  ["unmet", /## Next[\s\S]*nightshift retry sesn_0+1/],
] as const)("%s: the command that works on is named, too", (reason, next) => {
  expect(reportOf([...agreed, verdictRequested(), verdictGiven(1, "unmet"), idle(reason)])).toMatch(next);
});

test("lists everything that people and the agent have said of the contract", () => {
  const report = reportOf([
    ...agreed,
    waive(),
    amend(contractWith({ constraints: ["none"] })),
    declared("c1_0"),
    verdictRequested(),
    verdictGiven(1, "review", { review: reviewOf(), gaps: ["no held-out checks"] }),
    decidedOn("approve", "it was wrong"),
  ]);
  for (const part of [
    "tests waived by somebody",
    "tests is impossible",
    "its evidence: see",
    "approved by somebody: `test/a.test.js`: it was wrong",
    "protected: a test was changed",
    "no held-out checks",
  ])
    expect(report).toContain(part);
  expect(report).not.toContain("review-");
});

test("a decision that is about no file names what it is about", () => {
  const decision = { item: "dependencies", hash: "cd".repeat(32), result: "deny", author: "ada" } as const;
  expect(reportOf([...agreed, event("approval.decided", decision)])).toContain(
    "denied by ada: dependencies cdcdcdcdcdcd (event 5)",
  );
});

test("what the referee has noted is told, with the newest verdict only", () => {
  const noted = (verdict: number, path: string): EventInput =>
    event("referee.ratcheted", {
      verdict,
      findings: [
        { gate: "suppressions", path, detail: "one more `ignore`", effect: "note" },
        { gate: "tests", path: "b.test.js", detail: "refused anyway", effect: "refuse" },
      ],
    });
  const report = reportOf([
    ...[...agreed, verdictRequested(), noted(1, "old.js"), verdictGiven(1, "unmet")],
    ...[verdictRequested(2), noted(2, "a.js"), verdictGiven(2, "met")],
  ]);
  expect(report).toContain("- `a.js`: one more 'ignore' (suppressions, event 9)");
  expect(report).not.toContain("old.js");
  expect(report).not.toContain("refused anyway");
});

test("what was spent in all is the same at the head and under Cost, judges included", () => {
  const report = reportOf([
    ...[...agreed, asked(1), answered(1), verdictRequested()],
    event("judge.request_start", {
      ...{ verdict: 1, criterion: "tests", request: 1, model: "scripted:judge" },
      reservation: { tokens: 3000, cost_micro_usd: 40 },
    }),
    verdictGiven(1, "met"),
  ]);
  const spent = /- spent: (.*tokens)/.exec(report)?.[1];
  expect(spent).toMatch(/^1 request and 1 of the judge, /);
  expect(report).toContain(`- in all: ${spent}\n`);
});

test("says what an amendment asks less for, and who denied what was declared, why", () => {
  const strict = contractWith({ constraints: ["Keep *it*."], protect: ["a/**"] });
  const report = reportOf([
    ...[created({ checkout: { base: BASE } }), sealed(strict), said("go"), preflightFinished()],
    ...[amended(contractWith(), strict), declared("c1_0"), declarationDecided("deny")],
  ]);
  const section = report.slice(report.indexOf("## What people and the agent have said of the contract"));
  expect(section.split("\n").slice(2, 8)).toEqual([
    "- amended by somebody: it was too narrow (event 5)",
    '  - weaker: constraint gone: "Keep \\*it\\*."',
    "  - weaker: not protected any more: a/\\*\\*",
    "- the agent: tests is impossible: it cannot be (event 6)",
    "  - its evidence: see",
    "- denied that tests cannot be met, by ada: the key is there now (event 7)",
  ]);
});

test("tells what the agent has decided, the newest first, escaped, and where the rest is", () => {
  const noted = Array.from({ length: 15 }, (_, index) =>
    event("handoff.noted", {
      ...{ call: `c${index}_0`, next_step: "Go on.", tried_and_failed: [], unmet: [], notes: "" },
      decisions: [`<b>${index}</b>`],
    }),
  );
  const report = reportOf([...agreed, ...noted]);
  const section = report.slice(report.indexOf("## What the agent has decided")).split("\n").slice(2, 13);
  expect(section[0]).toBe(`- decided: &lt;b>14&lt;/b> (event ${agreed.length + 15})`);
  expect(section[9]).toContain("&lt;b>5&lt;");
  expect(section[10]).toBe("- and 5 more: nightshift events --types handoff.noted");
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

const long: readonly EventInput[] = [
  ...agreed,
  ...Array.from({ length: 400 }, (_, index) => [
    woke(index + 2),
    replied(index + 1, `All tests pass, says turn ${index}.`),
    verdictRequested(index + 1),
    verdictGiven(index + 1, "unmet"),
  ]).flat(),
];

test("of a run of a day it can be read in ten minutes: every list is short and says where the rest is", () => {
  const paths = Array.from({ length: 3000 }, (_, index) => `src/file-${index}.js`);
  const report = reportOf(long, paths);
  // Two hundred words a minute.
  expect(report.split(/\s+/).length).toBeLessThan(2000);
  expect(report).toContain("400 claims of success: 400 not borne out, 0 borne out");
  expect(report).toContain("and 390 more: nightshift events");
  expect(report).toContain("and 2970 more: nightshift diff --stat");
});

test("those files that deserve a look come first", () => {
  const report = reportOf(
    [...agreed, verdictRequested(), verdictGiven(1, "met")],
    ["docs/a.md", "src/a.js", "test/a.test.js", "package.json", "image.bin"],
  );
  const files = report.slice(report.indexOf("## Files"));
  const order = ["package.json", "test/a.test.js", "src/a.js", "docs/a.md"].map((path) =>
    files.indexOf(path),
  );
  expect(order).toEqual([...order].sort((one, other) => one - other));
  expect(files).toMatch(/docs\/a\.md.*no check looks at it/);
});

test("as a whole, in Markdown and for a terminal", () => {
  const log = [...agreed, replied(1, "All tests pass."), verdictRequested(), verdictGiven(1, "met")];
  const placed = place(log);
  const source = {
    ...{ state: stateOf(...log), account: accountOf(placed), work: workOf(placed), head: "9:ab" },
    now: START_MS,
    changed: [
      { path: ".envrc", change: "added" as const, added: 3, removed: 0, isExecutable: false },
      { path: "src/<b>.js", change: "modified" as const, added: 1, removed: 2, isExecutable: false },
    ],
  };
  expect(reportLines(source).join("\n")).toMatchSnapshot();
  expect(reportLines(source, TEXT, 60).join("\n")).toMatchSnapshot();
  for (const line of reportLines(source, TEXT, 60)) expect(line.length).toBeLessThanOrEqual(60);
});
