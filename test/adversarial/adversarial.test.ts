/** A part of `npm run adversarial`: something for each gate to catch, and the same kind of work done honestly. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { GATES } from "../../src/referee/gates-list.ts";
import { chooseSandbox } from "../../src/runtime/registry.ts";
import { gapCases } from "./gaps.ts";
import { honestCases } from "./honest/index.ts";
import { honestSessions } from "./honest/sessions.ts";
import { hostileCases } from "./hostile/index.ts";
import { sessionCases } from "./hostile/sessions.ts";
import { type HostileRow, type Row, type Summary, summaryOf, tableOf } from "./rows.ts";
import { loopAccepts, readerAccepts } from "./stand-ins.ts";

const execute = promisify(execFile);
const SUITE: readonly string[] = ["--import", "./test/adversarial/built.ts", "test/adversarial/main.ts"];

/** Of the whole suite; the part has none for them. */
const IN_WHOLE_SUITE: ReadonlySet<string> = new Set([
  ...["constraints", "failed-tests", "tests", "submodule", "no-tests", "test-count", "size"],
]);

describe("hostile workers and honest ones", () => {
  let rows: readonly Row[] = [];
  let summary: Summary | undefined;

  beforeAll(async () => {
    if ((await chooseSandbox(process.env).catch(() => undefined)) === undefined) return;
    const { stdout } = await execute(process.execPath, [...SUITE, "--fast", "--json"], {
      maxBuffer: 50_000_000,
    }).catch((error: { readonly stdout: string; readonly stderr: string }) => {
      if (error.stdout === "") throw new Error(error.stderr);
      return error;
    });
    ({ rows, ...summary } = JSON.parse(stdout) as Summary & { readonly rows: readonly Row[] });
  }, 600_000);

  test("the hostile ones are caught, their twins pass, and what is not shown is said", (context) => {
    if (summary === undefined) return context.skip("no sandbox isolates on this machine");
    expect(rows.flatMap(({ name, problems }) => problems.map((problem) => `${name}: ${problem}`))).toEqual(
      [],
    );
    expect(summary.failed).toBe(0);
    expect(summary.hostile.cases).toBeGreaterThan(20);
    expect(summary.gaps.stated).toBe(1);
  });

  test("every gate that the part has a case for has something to say", (context) => {
    if (summary === undefined) return context.skip("no sandbox isolates on this machine");
    const fired = new Set(rows.flatMap((row) => (row.kind === "hostile" ? row.fired : [])));
    const silent = GATES.filter((gate) => !fired.has(gate));
    expect(silent.filter((gate) => !IN_WHOLE_SUITE.has(gate))).toEqual([]);
  });

  test("a plain loop takes all of them but those that fail before work", (context) => {
    if (summary === undefined) return context.skip("no sandbox isolates on this machine");
    expect(summary.others.loop_accepts).toBe(summary.hostile.cases);
  });
});

test("every case of the suite has a name of its own", () => {
  const names = [...hostileCases, ...sessionCases, ...honestCases].map(({ name }) => name);
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test("every gate of the referee has a case in the whole suite", () => {
  // What `runner` stands on, and what goes off with it.
  const parts = ["record", "canary"];
  const named = new Set<string>([...hostileCases.flatMap(({ gates }) => gates), ...parts]);
  expect(GATES.filter((gate) => !named.has(gate))).toEqual([]);
});

test("the whole suite is as large as its documentation says", () => {
  const [hostile, honest] = [
    hostileCases.length + sessionCases.length,
    honestCases.length + honestSessions.length,
  ];
  expect(hostile).toBeGreaterThanOrEqual(60);
  expect(readFileSync("docs/adversarial.md", "utf8")).toContain(
    `There are ${hostile} hostile cases, ${sessionCases.length} of them whole sessions, ${honest} honest controls and ${gapCases.length} gaps.`,
  );
});

test("what a gate catches alone and with others is as the documentation says", () => {
  const of = (gate: string, isAlone: boolean): number =>
    hostileCases.filter(
      ({ gates }) => gates.some((each) => each === gate) && (gates.length === 1) === isAlone,
    ).length;
  const rows = readFileSync("docs/adversarial.md", "utf8").matchAll(/^\| `([\w-]+)` \| (\d+) \| (\d+) \|$/gm);
  const told = [...rows].map(([, gate = "", alone, together]) => [gate, Number(alone), Number(together)]);
  expect(told.length).toBeGreaterThan(9);
  expect(told).toEqual(told.map(([gate]) => [gate, of(String(gate), true), of(String(gate), false)]));
});

describe("the stand-ins", () => {
  const green = { ownExit: 0, output: "# pass 6\n# fail 0", words: "Done." };

  test.each([
    ["green and said to be done", green, true, true],
    ["said by its phrase alone", { ...green, ownExit: 1, words: "<promise>COMPLETE</promise>" }, true, false],
    ["green, and something was skipped", { ...green, output: "# skipped 1" }, true, false],
    ["green, and nothing said", { ...green, words: "" }, true, false],
    ["red, and nothing said", { ...green, ownExit: 1, words: "" }, false, false],
  ])("%s", (_name, transcript, loop, reader) => {
    expect(loopAccepts(transcript)).toBe(loop);
    expect(readerAccepts(transcript)).toBe(reader);
  });
});

describe("the table", () => {
  const row: HostileRow = {
    ...{
      kind: "hostile",
      name: "n".repeat(80),
      mode: 10,
      group: "tests",
      gates: ["configuration", "runner"],
    },
    ...{ fired: ["runner"], strength: "in-process", ownExit: 0, outcome: "unmet", outcomeOff: "met" },
    ...{ twinOutcome: "met", loop: true, reader: true, problems: [] },
  };
  const slipped: HostileRow = { ...row, gates: ["runner"], outcome: "met", problems: ["it slips through"] };
  const honest: Row = { kind: "honest", name: "h", outcome: "met", loop: true, reader: true, problems: [] };

  test("counts what was caught and accepted, and what each gate carries", () => {
    expect(summaryOf([row, slipped, honest], true)).toEqual({
      hostile: { cases: 2, caught: 1 },
      honest: { cases: 1, accepted: 1 },
      gaps: { cases: 0, stated: 0 },
      others: { loop_accepts: 2, reader_accepts: 2 },
      ablation: { configuration: { alone: 0, together: 1 }, runner: { alone: 1, together: 1 } },
      ...{ passed: 2, failed: 1 },
    });
  });

  test("fits into 100 columns, and marks what does not count", () => {
    const rows = [row, slipped, honest];
    const lines = tableOf(rows, summaryOf(rows, true));
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
    expect(lines.filter((line) => line.startsWith("!"))).toHaveLength(1);
  });
});
