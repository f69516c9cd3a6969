import { describe } from "vitest";
import {
  accepted,
  answered,
  asked,
  cancel,
  configWith,
  created,
  failedWith,
  idle,
  interrupt,
  lost,
  pause,
  rejected,
  rescheduled,
  resume,
  running,
  START_MS,
  said,
  sandboxLost,
  setLimits,
  stop,
  THREAD,
  terminated,
  threadStart,
  woke,
} from "../../../test/support/events.ts";
import { asking, askingWithSandbox } from "../../../test/support/logs.ts";
import { reduceTable } from "../../../test/support/reduce-table.ts";
import { NO_PEOPLE } from "../people/state.ts";
import type { Halt, SessionState } from "../state.ts";

const halt = (kind: Halt["kind"], seq: number, more: Partial<Halt> = {}): { readonly halt: Halt } => ({
  halt: { kind, seq, pauseSeq: null, isLifted: false, ...more },
});

/** People who are away are to be told of this rest. */
const notice = (seq: number, at: number): SessionState["people"] => ({
  ...NO_PEOPLE,
  notice: { seq, at, told: [] },
});

describe("the session", () => {
  reduceTable([
    {
      name: "is created",
      before: [],
      event: created(),
      changes: { config: configWith(), createdAt: START_MS, idleSince: START_MS },
    },
    { name: "is woken", before: [created()], event: woke(3), changes: { epoch: 3 } },
    {
      name: "opens a thread",
      before: [created(), said("go")],
      event: threadStart(),
      changes: { thread: { id: THREAD as never, renderer: 1, fromSeq: 2, model: "scripted:m" }, threads: 1 },
    },
    {
      name: "runs again: reason and hold are gone",
      before: [created(), idle("stalled")],
      event: running,
      changes: { phase: "running", stopReason: null, hold: null, people: NO_PEOPLE },
    },
    {
      name: "is idle at the end of a turn",
      before: [...askingWithSandbox(), answered(1)],
      event: idle("end_turn"),
      changes: {
        phase: "idle",
        stopReason: { type: "end_turn" },
        idleSince: START_MS + 10_000,
        people: notice(11, START_MS + 10_000),
      },
    },
    {
      name: "is idle for a reason that holds: what is owed stays owed, losses are forgotten",
      before: [created(), said("go"), running, threadStart(), accepted(2), asked(1), lost(1)],
      event: idle("stalled"),
      changes: {
        phase: "idle",
        stopReason: { type: "stalled" },
        idleSince: START_MS + 7000,
        hold: "stalled",
        losses: 0,
        people: notice(8, START_MS + 7000),
      },
    },
    {
      name: "is over",
      before: [...asking(), said("more"), cancel],
      event: terminated,
      changes: { phase: "terminated", halt: null, queue: [] },
    },
  ]);
});

describe("messages", () => {
  const busy = askingWithSandbox();
  const waits = (seq: number, rejected = false): { readonly seq: number; readonly rejected: boolean } => ({
    seq,
    rejected,
  });
  reduceTable([
    { name: "wait", before: [created()], event: said("go"), changes: { queue: [[waits(2)]] } },
    {
      name: "wait in order",
      before: [created(), said("go")],
      event: said("on"),
      changes: { queue: [[waits(2), waits(3)]] },
    },
    { name: "wait while it works", before: busy, event: said("on"), changes: { queue: [[waits(10)]] } },
    {
      name: "are to be rejected while it works, if so wanted",
      before: busy,
      event: said("on", "reject"),
      changes: { queue: [[waits(10, true)]] },
    },
    {
      name: "interrupt while it works, if so wanted",
      before: busy,
      event: said("on", "interrupt"),
      changes: { queue: [[waits(10)]], ...halt("interrupt", 10) },
    },
    {
      name: "are accepted",
      before: [created(), said("a"), said("b"), said("c")],
      event: accepted(2, 4),
      changes: { queue: [[waits(3)]], answerOwed: true },
    },
    {
      name: "are rejected",
      before: [...busy, said("a", "reject")],
      event: rejected(10),
      changes: { queue: [] },
    },
    {
      name: "forgive a session that waits: failures are forgotten",
      before: [...asking(), failedWith(1, "network"), sandboxLost(), idle("retries_exhausted")],
      event: said("again"),
      changes: (before) => ({
        queue: [[waits(12)]],
        hold: null,
        retry: null,
        sandbox: { ...before.sandbox!, failures: 0 },
      }),
    },
    {
      name: "do not shorten a back-off",
      before: [...busy, failedWith(1, "network"), rescheduled(START_MS + 99_000, START_MS)],
      event: said("again"),
      changes: { queue: [[waits(12)]] },
    },
    { name: "come too late when it is over", before: [created(), terminated], event: said("x"), changes: {} },
  ]);
});

describe("controls", () => {
  const busy = askingWithSandbox();
  reduceTable([
    { name: "pause", before: busy, event: pause, changes: halt("pause", 10) },
    { name: "interrupt", before: busy, event: interrupt, changes: halt("interrupt", 10) },
    { name: "interrupt of nothing", before: [created()], event: interrupt, changes: {} },
    { name: "stop", before: busy, event: stop, changes: halt("stop", 10) },
    { name: "cancel", before: busy, event: cancel, changes: halt("cancel", 10) },
    { name: "a stronger one replaces", before: [...busy, pause], event: stop, changes: halt("stop", 11) },
    { name: "an equal one is newer", before: [...busy, stop], event: stop, changes: halt("stop", 11) },
    { name: "a weaker one changes nothing", before: [...busy, stop], event: interrupt, changes: {} },
    {
      name: "a pause follows an interrupt",
      before: [...busy, interrupt],
      event: pause,
      changes: halt("interrupt", 10, { pauseSeq: 11 }),
    },
    {
      name: "an interrupt goes before a pause",
      before: [...busy, pause],
      event: interrupt,
      changes: halt("interrupt", 11, { pauseSeq: 10 }),
    },
    {
      name: "another interrupt keeps it",
      before: [...busy, pause, interrupt],
      event: interrupt,
      changes: halt("interrupt", 12, { pauseSeq: 10 }),
    },
    {
      name: "nothing follows a cancel",
      before: [...busy, cancel],
      event: pause,
      changes: {},
    },
    { name: "resume takes a pause back", before: [...busy, pause], event: resume, changes: { halt: null } },
    {
      name: "resume takes back a pause that was to follow",
      before: [...busy, pause, interrupt],
      event: resume,
      changes: halt("interrupt", 11, { isLifted: true }),
    },
    {
      name: "resume lifts a stop that is still being carried out",
      before: [...busy, stop],
      event: resume,
      changes: halt("stop", 10, { isLifted: true }),
    },
    {
      name: "resume lifts holds and forgives",
      before: [...asking(), lost(1), asked(2), failedWith(2, "network"), sandboxLost(), idle("failed")],
      event: resume,
      changes: (before) => ({
        hold: null,
        retry: null,
        losses: 0,
        sandbox: { ...before.sandbox!, failures: 0 },
      }),
    },
    {
      name: "caps are replaced one by one",
      before: [created({ limits: { tokens: 5, model_requests: 7 } }), idle("budget_reached")],
      event: setLimits({ tokens: 50 }),
      changes: { config: configWith({ limits: { tokens: 50, model_requests: 7 } }), hold: null },
    },
    { name: "caps of nothing", before: [], event: setLimits({ tokens: 50 }), changes: {} },
    { name: "a session that is over", before: [created(), terminated], event: stop, changes: {} },
  ]);
});
