import { describe, expect, test } from "vitest";
import { CONTRACT_DEFAULTS, type Contract, type Criterion, contractHash } from "../core/contract/contract.ts";
import type { EventBody } from "../core/events/index.ts";
import type { Logged } from "./evidence.ts";
import type { Findings } from "./findings.ts";
import type { VerdictRequest } from "./parts.ts";
import { NO_REVIEW } from "./review.ts";
import { isStale, verdictOf, waivedNow } from "./verdict.ts";

const treeA = "a".repeat(40);
const treeB = "b".repeat(40);
const commit = "c".repeat(40);

function criterion(id: string, changes: Partial<Criterion> = {}): Criterion {
  const check = { argv: ["npm", "test"], folder: "", shell: false };
  return { id, description: id, steps: [], check, role: null, rubric: [], needs: [], ...changes };
}

function contractOf(...criteria: readonly Criterion[]): Contract {
  return { ...CONTRACT_DEFAULTS, goal: "it works", criteria: [...criteria] };
}

function based(criteria: readonly Criterion[], changes = {}): EventBody<"preflight.finished"> {
  const run = { ending: "exited", exit_code: 1, duration_ms: 1, runner: "node-test", counts: null } as const;
  const found = criteria
    .filter(({ check }) => check !== null)
    .map(({ id }) => ({
      ...{ criterion: id, status: "failed" as const, role: "earn" as const },
      runs: [{ ...run, output: "" }],
      ...{ passing: "", failing: "", exempt: "", unstable: 0, wall_ms: 1000 },
      ...changes,
    }));
  return { commit: "d".repeat(40), criteria: found, problems: [], duration_ms: 1 };
}

function requestFor(contract: Contract, changes: Partial<VerdictRequest> = {}): VerdictRequest {
  return {
    sessionId: "sesn_00000000",
    number: 3,
    epoch: 1,
    contract,
    contractHash: contractHash(contract),
    base: "d".repeat(40),
    commit,
    preflight: based(contract.criteria),
    waivers: [],
    declared: [],
    approved: new Set(),
    denied: new Set(),
    done: [],
    ...changes,
  };
}

let seq = 100;
function checked(id: string, changes: Partial<EventBody<"referee.checked">> = {}): Logged<"referee.checked"> {
  const run = { ending: "exited", exit_code: 0, duration_ms: 1, runner: "node-test", counts: null } as const;
  const body: EventBody<"referee.checked"> = {
    ...{ verdict: 3, criterion: id, pass: "A", tree: treeA, command: ["npm", "test"] },
    ...{ run: { ...run, output: "" }, output_hash: "e".repeat(64), strength: "in-process", status: "met" },
    ...{ reason: "4 tests passed", missing: [] },
    ...changes,
  } as EventBody<"referee.checked">;
  return { seq: ++seq, body };
}

function both(id: string): Logged<"referee.checked">[] {
  return [checked(id), checked(id, { pass: "B", tree: treeB })];
}

function graded(
  id: string,
  status: "met" | "unmet" | "error",
  lines: readonly (readonly [string, "met" | "unmet"])[],
): Logged<"judge.graded"> {
  const items = lines.map(([rubric, line]) => ({ rubric, status: line, reason: "because", quotes: [] }));
  const body = { verdict: 3, criterion: id, status, model: "m", items, requests: 1, cost_micro_usd: 1 };
  return {
    seq: ++seq,
    body: { ...body, duration_ms: 1, ...(status === "error" && { problem: "it crashed" }) },
  };
}

function findings(changes: Partial<Findings> = {}): Findings {
  return {
    ...{ treeA, treeB, findings: [], checked: [], contrasted: [], graded: [], review: NO_REVIEW },
    ...{ isIsolated: true, gatesOff: new Set(), waived: new Set(), durationMs: 7, problem: null },
    ...changes,
  };
}

function statuses(request: VerdictRequest, found: Findings): readonly string[] {
  const { outcome, criteria } = verdictOf(request, found);
  return [outcome, ...criteria.map((each) => each.status)];
}

describe("outcome", () => {
  const one = criterion("one");
  const two = criterion("two");
  const request = requestFor(contractOf(one, two));

  test("met: every criterion on both trees, with the evidence named", () => {
    const runs = [...both("one"), ...both("two")];
    const verdict = verdictOf(request, findings({ checked: runs }));
    expect(verdict).toMatchObject({ number: 3, commit, tree_a: treeA, tree_b: treeB, outcome: "met" });
    expect(verdict.contract_hash).toBe(request.contractHash);
    expect(verdict.criteria[0]).toEqual({
      ...{ criterion: "one", status: "met", strength: "in-process", reason: "4 tests passed" },
      evidence: runs.slice(0, 2).map((run) => run.seq),
    });
  });

  test.each([
    ["no check ran", [], ["unmet", "unmet", "unmet"]],
    ["one pass only", [...both("one"), checked("two")], ["unmet", "met", "unmet"]],
    [
      "another tree",
      [...both("one"), checked("two"), checked("two", { pass: "B", tree: commit })],
      ["unmet", "met", "unmet"],
    ],
    ["one unmet", [...both("one"), checked("two", { status: "unmet" })], ["unmet", "met", "unmet"]],
    ["a failure of ours", [...both("one"), checked("two", { status: "error" })], ["error", "met", "error"]],
    [
      "a failure of ours does not hide what is unmet",
      [checked("one", { status: "unmet" }), checked("two", { status: "error" })],
      ["unmet", "unmet", "error"],
    ],
  ] as const)("%s", (_, runs, expected) => {
    expect(statuses(request, findings({ checked: runs }))).toEqual(expected);
  });

  test("nothing could be checked: error, with the problem", () => {
    const verdict = verdictOf(request, findings({ treeA: null, treeB: null, problem: "the disk is full" }));
    expect(verdict).toMatchObject({ outcome: "error", problem: "the disk is full", tree_a: null });
    expect(verdict.criteria.map(({ status }) => status)).toEqual(["error", "error"]);
  });

  test("a refusal is unmet, whatever was run", () => {
    const refuse = { gate: "symlink", path: "test", detail: "a link", effect: "refuse" } as const;
    const found = findings({ findings: [refuse], checked: [...both("one"), ...both("two")] });
    expect(statuses(request, found)).toEqual(["unmet", "unmet", "unmet"]);
    expect(verdictOf(request, found).criteria[0]?.reason).toBe("refused: test (symlink): a link");
  });

  test("what waits for a person is review, unless something is unmet; what they denied is unmet", () => {
    const item = { item: "review-1", hash: "f".repeat(64), detail: "gate: edited", path: "test/a.js" };
    const met = [...both("one"), ...both("two")];
    const open = findings({ checked: met, review: { ...NO_REVIEW, open: [item] } });
    expect(statuses(request, open)).toEqual(["review", "met", "met"]);
    expect(verdictOf(request, open).review).toEqual([item]);
    expect(statuses(request, { ...open, checked: both("one") })).toEqual(["unmet", "met", "unmet"]);
    const denied = findings({ checked: met, review: { ...NO_REVIEW, denied: [item] } });
    expect(statuses(request, denied)).toEqual(["unmet", "unmet", "unmet"]);
  });

  test("met as delivered but not with protected files as they were: a person decides", () => {
    const item = { item: "review-1", hash: "f".repeat(64), detail: "gate: renamed", path: "test/a.js" };
    const runs = [
      checked("one", { status: "unmet", reason: "exit status 1" }),
      checked("one", { pass: "B", tree: treeB }),
    ];
    const found = findings({ checked: [...runs, ...both("two")], review: { ...NO_REVIEW, open: [item] } });
    expect(statuses(request, found)).toEqual(["review", "blocked", "met"]);
    expect(verdictOf(request, found).gaps).toContain("1 change of protected files waits for a person");
    expect(verdictOf(request, found).criteria[0]?.reason).toBe(
      "met as delivered, but not with the protected files as they were: exit status 1. A person has to look at test/a.js",
    );
    const decided = { ...found, review: NO_REVIEW };
    expect(statuses(request, decided)).toEqual(["unmet", "unmet", "met"]);
  });

  test("waived until then, and no longer", () => {
    const waivers = [{ criterion: "two", owner: "ann", expiresAt: 1000 }];
    const waiving = requestFor(contractOf(one, two), { waivers });
    const found = findings({ checked: both("one"), waived: waivedNow(waiving, 999) });
    expect(statuses(waiving, found)).toEqual(["met", "met", "waived"]);
    expect(verdictOf(waiving, found).gaps).toContain("waived, so not asked for: two");
    expect(waivedNow(waiving, 1000)).toEqual(new Set());
    expect(verdictOf(requestFor(contractOf(one)), found).gaps.join()).not.toContain("two");
    expect(told(waiving, found)).toContain("every criterion is met that is not waived.");
  });

  test("a change that a person has denied is told, also where nothing else is asked for", () => {
    const waivers = ["one", "two"].map((id) => ({ criterion: id, owner: "ann", expiresAt: 1000 }));
    const item = { item: "review-1", hash: "1", path: "test/a.test.js", detail: "protected: edited" };
    const waiving = requestFor(contractOf(one, two), { waivers });
    const found = findings({ waived: waivedNow(waiving, 999), review: { ...NO_REVIEW, denied: [item] } });
    expect(told(waiving, found)).toMatch(/not met yet\.\n- refused: test\/a\.test\.js: a person has denied/);
  });

  test("what the agent declares needs a person, and holds only where the check does not", () => {
    const declared = [
      { criterion: "one", status: "impossible", reason: "it contradicts two" },
      { criterion: "two", status: "blocked", reason: "no access" },
    ] as const;
    const declaring = requestFor(contractOf(one, two), { declared });
    const unmet = [checked("one", { status: "unmet" }), checked("two", { status: "unmet" })];
    expect(statuses(declaring, findings({ checked: unmet }))).toEqual(["review", "impossible", "blocked"]);
    const found = findings({ checked: [...both("one"), checked("two", { status: "unmet" })] });
    expect(statuses(declaring, found)).toEqual(["review", "met", "blocked"]);
  });
});

describe("rubrics", () => {
  const lines = ["it is documented", "it is fast"];
  const judgedOnly = criterion("look", { check: null, rubric: lines });
  const request = requestFor(contractOf(judgedOnly));

  test.each([
    [
      "met",
      [
        ["it is documented", "met"],
        ["it is fast", "met"],
      ],
      "met",
    ],
    ["met", [["it is documented", "met"]], "unmet"],
    [
      "met",
      [
        ["it is documented", "met"],
        ["it is fast", "unmet"],
      ],
      "unmet",
    ],
    [
      "unmet",
      [
        ["it is documented", "met"],
        ["it is fast", "met"],
      ],
      "unmet",
    ],
    ["error", [], "error"],
  ] as const)("a grade of %s with %j is %s", (status, items, expected) => {
    const found = findings({ graded: [graded("look", status, items)] });
    expect(statuses(request, found)).toEqual([expected, expected]);
  });

  test("without a judge it is an error, never a pass", () => {
    expect(statuses(request, findings())).toEqual(["error", "error"]);
  });

  test("nothing is judged while a check is unmet, unless the contract says so; what a person decides holds up nobody", () => {
    const two = criterion("two", { check: null, rubric: lines });
    const contract = contractOf(criterion("one"), two);
    const reasonsFor = (request: VerdictRequest, changes: Partial<Findings>): readonly string[] => {
      const { outcome, criteria } = verdictOf(request, findings(changes));
      return [outcome, criteria[1]?.status ?? "", criteria[1]?.reason ?? ""];
    };
    const unmet = [checked("one", { status: "unmet" })];
    const request = requestFor(contract);
    expect(reasonsFor(request, { checked: unmet })).toEqual([
      ...["unmet", "unmet", "not judged: the check of one is unmet"],
    ]);
    expect(reasonsFor(request, { checked: [checked("one", { status: "error" })] })).toEqual([
      ...["error", "error", "not judged: the check of one could not be run"],
    ]);
    const nobody = ["error", "it has a rubric, and nobody judged it"];
    const always = requestFor({ ...contract, judging: "always" });
    expect(reasonsFor(always, { checked: unmet })).toEqual(["unmet", ...nobody]);
    const declared = [{ criterion: "one", status: "impossible", reason: "no" } as const];
    expect(reasonsFor(requestFor(contract, { declared }), { checked: unmet })).toEqual(["error", ...nobody]);
    const item = { item: "review-1", hash: "f".repeat(64), detail: "gate: renamed", path: "test/a.js" };
    const review = { ...NO_REVIEW, open: [item] };
    const undecided = [...unmet, checked("one", { pass: "B", tree: treeB })];
    expect(reasonsFor(request, { checked: undecided, review })).toEqual(["error", ...nobody]);
  });

  test("a judge's pass does not beat a failing check", () => {
    const strict = requestFor(contractOf(criterion("one", { rubric: ["it is fast"] })));
    const pass = graded("one", "met", [["it is fast", "met"]]);
    const found = findings({ checked: [checked("one", { status: "unmet" })], graded: [pass] });
    expect(statuses(strict, found)).toEqual(["unmet", "unmet"]);
  });
});

describe("gaps are said plainly", () => {
  test("who did the work has judged it", () => {
    const judged = criterion("two", { check: null, rubric: ["it is clear"] });
    const contract = contractOf(judged);
    const found = findings({ graded: [graded("two", "met", [["it is clear", "met"]])] });
    const gapsFor = (changes: Partial<VerdictRequest>): string =>
      verdictOf(requestFor(contract, changes), found).gaps.join("\n");
    expect(gapsFor({ workerModels: ["another", "m"] })).toContain(
      "two: graded by the model that did the work",
    );
    expect(gapsFor({ workerModels: ["another"] })).not.toContain("graded by the model");
    expect(gapsFor({})).not.toContain("graded by the model");
    const several = findings({
      graded: found.graded.map((each) => ({ ...each, body: { ...each.body, model: "m, n" } })),
    });
    const gapsOfSeveral = (workerModels: readonly string[]): string =>
      verdictOf(requestFor(contract, { workerModels }), several).gaps.join("\n");
    expect(gapsOfSeveral(["m", "n"])).toContain("graded by the model that did the work");
    expect(gapsOfSeveral(["m"])).not.toContain("graded by the model");
  });

  const one = criterion("one");
  test.each([
    ["no regression shown; goal not checked", { role: "keep", status: "passed" }],
    [
      "one: no known test runner",
      { runs: [{ ending: "exited", exit_code: 1, duration_ms: 1, runner: null, counts: null, output: "" }] },
    ],
    ["one: 2 tests fail or flake on the base", { exempt: '"a"\n"b"' }],
    ["one: 4 tests change their names", { unstable: 4 }],
    ["one: 1 test fails or flakes on the base", { exempt: '"a"' }],
    ["flaky on the base: one", { status: "flaky" }],
  ])("%s", (text, changes) => {
    const request = requestFor(contractOf(one), { preflight: based([one], changes) });
    expect(verdictOf(request, findings({ checked: both("one") })).gaps.join("\n")).toContain(text);
  });

  test("a submodule at another commit, whoever has approved it", () => {
    const note = {
      gate: "submodule",
      path: "lib",
      effect: "note",
      detail: "another commit, approved",
    } as const;
    const found = findings({ checked: both("one"), findings: [note] });
    expect(verdictOf(requestFor(contractOf(one)), found).gaps).toContain(
      "lib: checked as the base has it, not at the other commit of the submodule",
    );
  });

  test("tests that measure time, by name", () => {
    const notes = Array.from({ length: 7 }, (_, at) => {
      return {
        gate: "clocks",
        path: `test/${at}.test.js`,
        effect: "note",
        detail: "it measures time",
      } as const;
    });
    const found = findings({ checked: both("one"), findings: notes });
    expect(verdictOf(requestFor(contractOf(one)), found).gaps.join("\n")).toContain(
      "test/3.test.js, test/4.test.js and 2 more: measured by a clock that the code under test shares and could set",
    );
  });

  test("answers that were looked up; a plain report; no isolation; a judge", () => {
    const request = requestFor(contractOf(one, criterion("two", { rubric: ["nice"] })));
    const run = { ...checked("one").body.run, runner: "go" };
    const found = findings({ checked: [checked("one", { run })], isIsolated: false });
    const gaps = verdictOf(request, found).gaps.join("\n");
    expect(gaps).toContain("answers that were looked up cannot be excluded");
    expect(gaps).toContain("one: the runner's report is written where tests can write too");
    expect(gaps).toContain("ran without isolation");
    expect(gaps).toContain("two: rests on the judgement of a model");
  });
});

function told(...[request, found]: Parameters<typeof verdictOf>): string {
  return String(verdictOf(request, found).content[0]?.text);
}

test("what the model is told: reasons and the end of the output, bounded, nothing of held-out checks", () => {
  const held = criterion("held", {
    check: {
      argv: ["npm", "test"],
      folder: "",
      shell: false,
      held_out: { digest: "0".repeat(64), target: "" },
    },
  });
  const request = requestFor(contractOf(criterion("one"), held));
  const run = {
    ...checked("one").body.run,
    exit_code: 1,
    output: `${"x".repeat(50_000)}\nAssertionError: 3 !== 4`,
  };
  const runs = [
    checked("one", { status: "unmet", reason: "exit status 1; failed: a", run }),
    checked("held", {
      status: "unmet",
      pass: "H",
      strength: "held-out",
      reason: "2 unmet",
      run: { ...run, output: "SECRET" },
    }),
  ];
  const text = told(request, findings({ checked: runs }));
  expect(text).toContain(
    "Verdict 3: not met yet.\n- one: unmet (exit status 1; failed: a)\n- held: unmet (2 unmet)",
  );
  expect(text).toContain("AssertionError: 3 !== 4");
  expect(text).not.toContain("SECRET");
  expect(text.length).toBeLessThan(16_100);
});

test("a verdict is about these trees and this contract", () => {
  const verdict = { tree_b: treeB, contract_hash: "1" };
  expect(isStale(verdict, treeB, "1")).toBe(false);
  expect(isStale(verdict, treeA, "1")).toBe(true);
  expect(isStale(verdict, treeB, "2")).toBe(true);
});
