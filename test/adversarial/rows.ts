/** What came of cases: rows of the table, and what they come to. */
import type { Strength } from "../../src/core/contract/contract.ts";

/** What everybody else goes by, on the same work. */
export interface Others {
  /** What a plain loop makes of it. */
  readonly loop: boolean;
  /** What somebody who reads the transcript makes of it. */
  readonly reader: boolean;
}

/** What came of one hostile case. */
export interface HostileRow extends Others {
  readonly kind: "hostile";
  readonly name: string;
  readonly mode: number;
  readonly group: string;
  /** Each of these alone is said to catch it. */
  readonly gates: readonly string[];
  /** Gates that had something to say. */
  readonly fired: readonly string[];
  readonly strength: Strength | null;
  /** Exit status of the check where the worker worked. */
  readonly ownExit: number | null;
  readonly outcome: string;
  /** With its gates off; null when that was not looked at. */
  readonly outcomeOff: string | null;
  readonly twinOutcome: string;
  /** Why it does not count as caught; empty when it does. */
  readonly problems: readonly string[];
}

/** What came of one honest case. */
export interface HonestRow extends Others {
  readonly kind: "honest";
  readonly name: string;
  readonly outcome: string;
  readonly problems: readonly string[];
}

/** What came of one gap. */
export interface GapRow {
  readonly kind: "gap";
  readonly name: string;
  readonly mode: number;
  readonly outcome: string;
  readonly problems: readonly string[];
}

/** Any of them. */
export type Row = HostileRow | HonestRow | GapRow;

/** Nobody has accepted anything. */
export const NOBODY: Others = { loop: false, reader: false };

/** For one gate: how many cases get through when it alone is off, and how many when others are off with it. */
export interface Carried {
  readonly alone: number;
  readonly together: number;
}

/** The figures. */
export interface Summary {
  readonly hostile: { readonly cases: number; readonly caught: number };
  readonly honest: { readonly cases: number; readonly accepted: number };
  readonly gaps: { readonly cases: number; readonly stated: number };
  /** Of the hostile cases. */
  readonly others: { readonly loop_accepts: number; readonly reader_accepts: number };
  readonly ablation: Readonly<Record<string, Carried>> | null;
  readonly passed: number;
  readonly failed: number;
}

/** @param isAblated - were gates turned off as well? */
export function summaryOf(rows: readonly Row[], isAblated: boolean): Summary {
  const hostile = rows.filter((row): row is HostileRow => row.kind === "hostile");
  const honest = rows.filter(({ kind }) => kind === "honest");
  const gaps = rows.filter(({ kind }) => kind === "gap");
  const passed = rows.filter(isFine).length;
  return {
    hostile: { cases: hostile.length, caught: hostile.filter(isFine).length },
    honest: { cases: honest.length, accepted: honest.filter(isFine).length },
    gaps: { cases: gaps.length, stated: gaps.filter(isFine).length },
    others: {
      loop_accepts: hostile.filter(({ loop }) => loop).length,
      reader_accepts: hostile.filter(({ reader }) => reader).length,
    },
    ablation: isAblated ? ablationOf(hostile) : null,
    ...{ passed, failed: rows.length - passed },
  };
}

/** Does it count? */
export function isFine({ problems }: Pick<Row, "problems">): boolean {
  return problems.length === 0;
}

function ablationOf(rows: readonly HostileRow[]): Readonly<Record<string, Carried>> {
  const through = rows.filter(({ outcomeOff }) => outcomeOff === "met");
  const gates = [...new Set(rows.flatMap((row) => row.gates))];
  return Object.fromEntries(
    gates.map((gate) => {
      const carried = through.filter((row) => row.gates.includes(gate));
      const alone = carried.filter((row) => row.gates.length === 1).length;
      return [gate, { alone, together: carried.length - alone }];
    }),
  );
}

const NAME_WIDTH = 49;
const GATE_WIDTH = 17;
const yes = (accepts: boolean): string => (accepts ? "accepts" : "refuses");

/** The table, in lines of at most 100 characters. */
export function tableOf(rows: readonly Row[], summary: Summary): readonly string[] {
  const hostile = rows.filter((row): row is HostileRow => row.kind === "hostile");
  const honest = rows.filter((row): row is HonestRow => row.kind === "honest");
  const gaps = rows.filter((row): row is GapRow => row.kind === "gap");
  return [
    ...section("HOSTILE", ["verdict", "loop", "reader"], hostile.map(hostileLine)),
    ...section("HONEST", ["verdict", "loop", "reader"], honest.map(honestLine)),
    ...section("GAPS (met, and the report says what was not shown)", ["verdict"], gaps.map(gapLine)),
    ...(summary.ablation === null ? [] : ablationLines(summary.ablation)),
  ];
}

function section(title: string, columns: readonly string[], lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  const head = line("", title, "", columns[0] ?? "", columns.slice(1));
  return ["", head, ...lines];
}

function hostileLine({ mode, name, gates, strength, outcome, loop, reader, problems }: HostileRow): string {
  const [first = "", ...more] = gates;
  const gate = more.length === 0 ? first : `${first} +${more.length}`;
  const shown = strength === null ? outcome : `${outcome}/${SHORT[strength]}`;
  return sign(problems) + line(String(mode), name, gate, shown, [yes(loop), yes(reader)]);
}

function honestLine({ name, outcome, loop, reader, problems }: HonestRow): string {
  return sign(problems) + line("", name, "", outcome, [yes(loop), yes(reader)]);
}

function gapLine({ mode, name, outcome, problems }: GapRow): string {
  return sign(problems) + line(String(mode), name, "", outcome, []);
}

const SHORT: Readonly<Record<Strength, string>> = {
  "exit-status": "exit",
  printed: "print",
  "in-process": "in",
  "black-box": "box",
  "held-out": "held",
  judged: "judge",
};

function sign(problems: readonly string[]): string {
  return problems.length === 0 ? "" : "!";
}

function line(mode: string, name: string, gate: string, verdict: string, more: readonly string[]): string {
  const fitting = name.length > NAME_WIDTH ? `${name.slice(0, NAME_WIDTH - 1)}…` : name.padEnd(NAME_WIDTH);
  const cells = [mode.padStart(2), fitting, gate.padEnd(GATE_WIDTH), verdict.padEnd(12)];
  return [...cells, ...more.map((each) => each.padEnd(7))].join(" ").trimEnd();
}

function ablationLines(ablation: Readonly<Record<string, Carried>>): readonly string[] {
  const sorted = Object.entries(ablation).sort(([, one], [, other]) => other.alone - one.alone);
  return [
    "",
    "GATE OFF            slips through: by it alone, with others off as well",
    ...sorted.map(
      ([gate, { alone, together }]) =>
        `${gate.padEnd(20)}${String(alone).padStart(13)}${String(together).padStart(10)}`,
    ),
  ];
}
