import { describe } from "vitest";
import {
  answered,
  asked,
  called,
  failedWith,
  interrupt,
  interrupted,
  lost,
  rescheduled,
  START_MS,
} from "../../../test/support/events.ts";
import { asking } from "../../../test/support/logs.ts";
import { reduceTable } from "../../../test/support/reduce-table.ts";
import { event } from "../events/index.ts";

describe("requests and the ledger", () => {
  const open = {
    number: 1,
    epoch: 1,
    startedAt: START_MS + 7000,
    reservation: { tokens: 1100, cost_micro_usd: 0 },
  };
  const priced = [...asking().slice(0, 7), asked(1, { reservation: { tokens: 1100, cost_micro_usd: 77 } })];
  reduceTable([
    {
      name: "a request starts: counted, reserved, the turn before it is over",
      before: [...asking().slice(0, 7), called(0, 0)],
      event: asked(1),
      changes: (before) => ({
        requests: 1,
        request: { ...open, startedAt: START_MS + 8000 },
        calls: [],
        ledger: { ...before.ledger, requests: 1 },
      }),
    },
    {
      name: "an answer settles it by its usage",
      before: priced,
      event: answered(1, {
        cost_micro_usd: 5,
        model_usage: {
          input_tokens: 1,
          output_tokens: 2,
          cache_read_input_tokens: 3,
          cache_creation_input_tokens: 4,
        },
      }),
      changes: (before) => ({
        request: null,
        answerOwed: false,
        // 1100 were reserved, of which 1000 for the answer.
        inputSurplus: 100 - 8,
        ledger: {
          ...before.ledger,
          inputTokens: 1,
          outputTokens: 2,
          cacheReadTokens: 3,
          cacheWriteTokens: 4,
          costMicroUsd: 5,
        },
      }),
    },
    {
      name: "an answer that hides its usage stays charged at the reservation",
      before: priced,
      event: event("span.model_request_end", {
        request: 1,
        outcome: "answered",
        is_error: false,
        stop_reason: "end_turn",
        duration_ms: 1,
      }),
      changes: (before) => ({
        request: null,
        answerOwed: false,
        ledger: {
          ...before.ledger,
          unsettledRequests: 1,
          unsettledTokens: 1100,
          unsettledCostMicroUsd: 77,
        },
      }),
    },
    {
      name: "a refusal",
      before: asking(),
      event: answered(1, { stop_reason: "refusal" }),
      changes: (before) => ({
        request: null,
        answerOwed: false,
        refused: true,
        ledger: { ...before.ledger, inputTokens: 100, outputTokens: 10 },
      }),
    },
    {
      name: "an answer that was cut short is counted",
      before: asking(),
      event: answered(1, { stop_reason: "max_tokens" }),
      changes: (before) => ({
        request: null,
        answerOwed: false,
        cutShort: 1,
        ledger: { ...before.ledger, inputTokens: 100, outputTokens: 10 },
      }),
    },
    {
      name: "a whole one ends the row",
      before: [...asking(), answered(1, { stop_reason: "max_tokens" }), asked(2)],
      event: answered(2),
      changes: (before) => ({
        request: null,
        answerOwed: false,
        cutShort: 0,
        ledger: { ...before.ledger, inputTokens: 200, outputTokens: 20 },
      }),
    },
    {
      name: "a failure is counted and stays owed",
      before: asking(),
      event: failedWith(1, "rate_limit", { retry_after_ms: 9 }),
      changes: (before) => ({
        request: null,
        retry: {
          errorClass: "rate_limit",
          message: "scripted rate_limit",
          failures: 1,
          since: START_MS + 8000,
          failedAt: START_MS + 8000,
          retryAfterMs: 9,
          resumeAt: null,
          decidedAt: START_MS + 8000,
        },
        ledger: { ...before.ledger, unsettledRequests: 1, unsettledTokens: 1100 },
      }),
    },
    {
      name: "its back-off is noted",
      before: [...asking(), failedWith(1, "overloaded")],
      event: rescheduled(START_MS + 99_000, START_MS + 9000),
      changes: (before) => ({
        retry: { ...before.retry!, resumeAt: START_MS + 99_000, decidedAt: START_MS + 9000 },
      }),
    },
    { name: "a back-off of nothing", before: asking(), event: rescheduled(1, 1), changes: {} },
    {
      name: "a loss is counted",
      before: asking(),
      event: lost(1),
      changes: (before) => ({
        request: null,
        losses: 1,
        ledger: { ...before.ledger, unsettledRequests: 1, unsettledTokens: 1100 },
      }),
    },
    {
      name: "an interrupted one is charged, and no failure",
      before: [...asking(), interrupt],
      event: interrupted(1),
      changes: (before) => ({
        request: null,
        ledger: { ...before.ledger, unsettledRequests: 1, unsettledTokens: 1100 },
      }),
    },
    { name: "the end of another request", before: asking(), event: answered(2), changes: {} },
    { name: "a second end", before: [...asking(), answered(1)], event: answered(1), changes: {} },
  ]);
});
