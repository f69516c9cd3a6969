/** A day of 24 hours, in seconds: everything that happens in one night, and what a person reads in the morning. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Form, MARKDOWN, TEXT } from "../../../src/cli/render/report/document.ts";
import { reportLines } from "../../../src/cli/render/report.ts";
import { ACCOUNT_TYPES, accountOf } from "../../../src/core/contract/account.ts";
import type { EventType } from "../../../src/core/events/catalogue.ts";
import type { EventBody, SessionEvent } from "../../../src/core/events/index.ts";
import { workOf } from "../../../src/core/report/work.ts";
import { costCharged } from "../../../src/core/state.ts";
import { type Day, PRICE, simulateDay } from "./day.ts";

const SEED = 1;
const HOUR_MS = 3_600_000;
/** A person reads so much in less than ten minutes: ten lines for each criterion, and as many again for all the rest. */
const REPORT_LINES_MAX = 280;

let day: Day;

beforeAll(async () => {
  day = await simulateDay(SEED);
}, 900_000);

function events<T extends EventType>(type: T): readonly SessionEvent<T>[] {
  return day.log.events.filter((each) => each.type === type) as unknown as readonly SessionEvent<T>[];
}

describe("a simulated day", () => {
  test("ends verified, with every promise kept", () => {
    expect(day.violation, day.tail()).toBeNull();
    expect(day.log.state.stopReason, day.tail()).toMatchObject({ type: "verified" });
    expect(day.log.state.branch?.published).not.toBeNull();
  });

  test("is as long and as full of trouble as a day", () => {
    const first = day.log.events[0];
    const last = day.log.events.at(-1);
    const hours = ((last?.at ?? 0) - (first?.at ?? 0)) / HOUR_MS;
    expect(hours).toBeGreaterThan(20);
    expect(hours).toBeLessThan(30);
    expect(day.requests).toBeGreaterThan(1900);
    expect(
      events("session.thread_created").filter(({ body }) => body.reason === "reset").length,
    ).toBeGreaterThan(39);
    const waits = events("session.status_rescheduled").filter(
      ({ body }) => body.resume_at - body.decided_at > 600_000,
    );
    expect(waits.length).toBeGreaterThan(4);
    expect(events("breaker.tripped").filter(({ body }) => body.cause === "outage").length).toBe(2);
    expect(events("question.answered").length).toBeGreaterThan(8);
    expect(events("question.expired").length).toBe(1);
    expect(day.crashes).toBeGreaterThan(2);
    expect(events("sandbox.lost").length).toBeGreaterThan(2);
    expect(events("budget.exhausted").length).toBeGreaterThan(0);
    expect(day.notices).toEqual(expect.arrayContaining(["blocked", "budget", "done"]));
  });

  test("costs what the provider says, to the micro-dollar, and what it never said stays charged", () => {
    const reserved = new Map(
      events("span.model_request_start").map(({ body }) => [body.request, body.reservation]),
    );
    let settled = 0;
    let unsettled = 0;
    for (const { body } of events("span.model_request_end")) {
      if (body.model_usage === undefined) unsettled += reserved.get(body.request)?.cost_micro_usd ?? 0;
      else settled += costTold(body);
    }
    const { ledger } = day.log.state;
    expect(ledger.costMicroUsd).toBe(settled);
    expect(ledger.unsettledCostMicroUsd).toBe(unsettled);
    expect(costCharged(day.log.state)).toBe(settled + unsettled);
    // Nothing that the provider has answered is missing from the bill.
    const all = [...day.told.keys()].reduce((sum, request) => sum + costOf(request), 0);
    expect(all).toBeLessThanOrEqual(settled + unsettled);
    expect(workOf(day.log.events).spend.costMicroUsd).toBe(settled + unsettled);
  });
});

/** By the provider's own account: what failed before an answer has used nothing. */
function costTold({ request, outcome }: EventBody<"span.model_request_end">): number {
  return outcome === "answered" ? costOf(request) : 0;
}

function costOf(request: number): number {
  const told = day.told.get(request);
  if (told === undefined) return 0;
  return Math.ceil((told.input_tokens * PRICE.input + told.output_tokens * PRICE.output) / 1_000_000);
}

describe("its report", () => {
  const lines = (form: Form): readonly string[] => {
    const { log } = day;
    const account = accountOf(log.events.filter(({ type }) => ACCOUNT_TYPES.includes(type)));
    const head = `${log.rows.length}:${log.rows.at(-1)?.hash}`;
    return reportLines(
      { state: log.state, account, work: workOf(log.events), head, changed: [], now: log.state.lastEventAt },
      form,
      100,
    );
  };

  test.each([
    ["a terminal", TEXT],
    ["a file", MARKDOWN],
  ] as const)("is short, for %s", (_, form) => {
    const text = lines(form);
    expect(text.length).toBeLessThan(REPORT_LINES_MAX);
    expect(Math.max(...text.map(({ length }) => length))).toBeLessThan(500);
  });

  test("says where in the log each thing that happened is, and it is there", () => {
    const text = lines(MARKDOWN).map((line) => line.replaceAll("\\", ""));
    const from = text.indexOf("## Said and found");
    const happened = text
      .slice(from, text.indexOf("## Cost"))
      .filter((line) => /^- (said: |asked: |decided: )/.test(line));
    expect(happened.length).toBeGreaterThan(10);
    expect(happened.filter((line) => !/\(event \d+\)$/.test(line))).toEqual([]);
    const places = text.flatMap((line) =>
      [...line.matchAll(/\bevent (\d+)\b/g)].map(([, seq]) => Number(seq)),
    );
    expect(places.length).toBeGreaterThan(60);
    expect(places.filter((seq) => day.log.events[seq - 1] === undefined)).toEqual([]);
    const met = text.filter((line) => line.includes("first met by commit"));
    const verdicts = met.map((line) => Number(/event (\d+)$/.exec(line)?.[1]));
    expect(new Set(verdicts.map((seq) => day.log.events[seq - 1]?.type))).toEqual(new Set(["verdict.given"]));
    expect(met).toHaveLength(14);
  });

  test("tells everything that a person has to know in the morning", () => {
    const text = lines(TEXT).join("\n");
    for (const words of [
      ...["ends as: verified", "VERIFIED: 14 OF 14", "nobody answered", "ada answered", "branch: "],
      ...["sandboxes lost", "taken up by another process", "caps and breakers", "cap cost_micro_usd"],
      ...[
        "WHAT THE AGENT HAS DECIDED",
        "keep it small",
        "outage: the model failed",
        "the machine slept",
        "claims of success",
        "nightshift apply",
      ],
    ])
      expect(text).toContain(words);
  });
});
