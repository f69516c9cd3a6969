/** What a campaign must find: the promises, one check each. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SessionEvent } from "../../../src/core/events/index.ts";
import type { SessionId } from "../../../src/core/ids.ts";
import { foldEvents } from "../../../src/core/reduce.ts";
import type { Store } from "../../../src/store/contract.ts";
import { COUNTER_FILE } from "./workload.ts";

/** The result of a campaign. */
export interface Outcome {
  kills: number;
  sessions: number;
  events: number;
  acknowledged: number;
  /** Lines in the counter files. */
  effects: number;
  /** Calls whose receipt says that the outcome is unknown. */
  inDoubt: number;
  problems: string[];
}

/** One finished session and what was promised about it. */
export interface Finished {
  readonly store: Store;
  readonly folder: string;
  readonly workspace: string;
  readonly sessionId: SessionId;
  readonly turns: number;
  readonly acknowledged: readonly { readonly first: number; readonly last: number }[];
  readonly kills: number;
}

/** Compares log, promises and counters. */
export async function checkOutcome(finished: Finished): Promise<Outcome> {
  const { store, sessionId, acknowledged, kills } = finished;
  // Reading verifies chain and density; an error here is itself a finding.
  const events = await readLog(store, sessionId);
  const problems = [
    ...lostPromises(acknowledged, events.length),
    ...badIntents(events),
    ...badReceipts(events),
    ...badEffects(finished, events),
    ...badEnd(sessionId, events),
  ];
  const lines = readCounter(finished.workspace);
  const inDoubt = results(events).filter((result) => result.body.in_doubt).length;
  return {
    kills,
    sessions: 1,
    events: events.length,
    acknowledged: acknowledged.length,
    effects: lines.length,
    inDoubt,
    problems,
  };
}

async function readLog(store: Store, sessionId: SessionId): Promise<SessionEvent[]> {
  const events: SessionEvent[] = [];
  for (;;) {
    const page = await store.getEvents(sessionId, { after: events.length, limit: 1000 });
    if (page.length === 0) return events;
    events.push(...page);
  }
}

function lostPromises(acknowledged: Finished["acknowledged"], head: number): string[] {
  return acknowledged
    .filter(({ last }) => last > head)
    .map(({ first, last }) => `acknowledged ${first}-${last}, but the log ends at ${head}`);
}

/** Every run has its intent, every second run an open doubt before it. */
export function badIntents(events: readonly SessionEvent[]): string[] {
  const problems: string[] = [];
  const runs = new Map<string, { run: number; doubted: boolean }>();
  for (const event of events) {
    if (event.type === "tool.in_doubt") runs.set(event.body.call, { run: event.body.run, doubted: true });
    if (event.type !== "tool.started") continue;
    const before = runs.get(event.body.call);
    if (event.body.run !== (before?.run ?? 0) + 1)
      problems.push(`${event.body.call}: run ${event.body.run} after ${before?.run ?? 0}`);
    if (before !== undefined && !before.doubted)
      problems.push(`${event.body.call}: run ${event.body.run} without a doubt before it`);
    runs.set(event.body.call, { run: event.body.run, doubted: false });
  }
  return problems;
}

/** Every call has one. */
export function badReceipts(events: readonly SessionEvent[]): string[] {
  const counts = new Map<string, number>();
  for (const event of events) if (event.type === "agent.tool_use") counts.set(event.body.call, 0);
  for (const { body } of results(events)) counts.set(body.call, (counts.get(body.call) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count !== 1)
    .map(([call, count]) => `${call} has ${count} receipts`);
}

/** The counter knows what really happened: at most once, exactly once when the receipt says so, else a flag. */
function badEffects(finished: Finished, events: readonly SessionEvent[]): string[] {
  const lines = readCounter(finished.workspace);
  const problems: string[] = [];
  for (const use of events) {
    if (use.type !== "agent.tool_use" || use.body.name !== "bash") continue;
    const line = lineOf(use);
    const count = lines.filter((candidate) => candidate === line).length;
    const receipt = results(events).find((result) => result.body.call === use.body.call);
    const flagged = receipt?.body.in_doubt === true;
    if (count > 1) problems.push(`${line} happened ${count} times`);
    if (count === 0 && !flagged) problems.push(`${line} never happened, and its receipt does not say so`);
  }
  return problems;
}

function lineOf(use: SessionEvent<"agent.tool_use">): string {
  const input = use.body.input as { readonly command: string };
  return /echo (\S+)/.exec(input.command)?.[1] ?? "";
}

function badEnd(sessionId: SessionId, events: readonly SessionEvent[]): string[] {
  const state = foldEvents(sessionId, events);
  const problems: string[] = [];
  if (state.stopReason?.type !== "end_turn")
    problems.push(`the session ended as ${state.stopReason?.type ?? "nothing"}`);
  if (state.sandbox !== null) problems.push("the sandbox was not given back");
  return problems;
}

function results(events: readonly SessionEvent[]): SessionEvent<"agent.tool_result">[] {
  return events.filter((event) => event.type === "agent.tool_result");
}

function readCounter(workspace: string): string[] {
  try {
    return readFileSync(join(workspace, COUNTER_FILE), "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch {
    return [];
  }
}
