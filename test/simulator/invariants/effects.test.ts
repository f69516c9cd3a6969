/** What counts as a silent rerun, where seeds have shown that the rule was told wrongly. */
import { describe, expect, test } from "vitest";
import { type CallId, execId, type SessionId } from "../../../src/core/ids.ts";
import { type CallRecord, ObservedLog } from "../log.ts";
import { noSilentRerun } from "./effects.ts";

const SESSION = "sesn_0mywpiww0mg2kujdt0e1qlrm" as SessionId;
const CALL = "c1_0" as CallId;
const INPUT = { command: "git push" };

type Finding = CallRecord["doubts"][number]["body"]["finding"];

/** A call that cannot be undone: one doubt per run, in order, and permissions at positions between them. */
function irreversible(findings: readonly Finding[], allowed: readonly number[]): ObservedLog {
  const log = new ObservedLog(SESSION);
  const place = (run: number): number => run * 10;
  const starts = [...findings, null].map((_, index) => ({
    seq: place(index + 1),
    body: { call: CALL, run: index + 1, sandbox: "sbox_1", incarnation: "i1", at: 0 },
  }));
  const doubts = findings.map((finding, index) => ({
    seq: place(index + 1) + 1,
    body: { call: CALL, run: index + 1, finding, reason: "" },
  }));
  const use: CallRecord["use"] = {
    request: 1,
    call: CALL,
    provider_call_id: "call_0_0",
    name: "bash",
    input: INPUT,
    evaluated_permission: "allow",
    effect: "irreversible",
  };
  log.calls.set(CALL, { use, starts, doubts, prepared: null, allowed: [...allowed], result: null });
  return log;
}

/** @returns the complaint about the last of the runs that had their effect */
function complaintAbout(log: ObservedLog, runs: readonly number[]): string | null {
  const { onEffect } = noSilentRerun();
  const complaints = runs.map((run) => {
    const request = {
      execId: execId(SESSION, CALL, run),
      incarnation: "i1",
      operation: "shell",
      input: INPUT,
      limits: { wallMs: 1, outputBytes: 1 },
    } as const;
    return onEffect?.({ log, request, incarnation: "i1", epoch: 1, attachedEpoch: 1 }) ?? null;
  });
  return complaints.at(-1) ?? null;
}

describe("what cannot be undone", () => {
  test("may be repeated under a permission that a run before it never used", () => {
    expect(complaintAbout(irreversible(["unknown", "not_started"], [15]), [1, 3])).toBeNull();
  });

  test("may not be repeated under a permission that is used up", () => {
    const log = irreversible(["unknown", "unknown"], [15]);
    expect(complaintAbout(log, [1, 2, 3])).toContain("nobody was asked");
  });

  test("may not be repeated because its first run is said never to have begun", () => {
    expect(complaintAbout(irreversible(["not_started"], []), [1, 2])).toContain("never to have begun");
  });
});
