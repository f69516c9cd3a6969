import { describe } from "vitest";
import {
  accepted,
  answered,
  called,
  created,
  idle,
  pause,
  rejected,
  running,
  said,
  started,
  terminated,
} from "../../../test/support/events.ts";
import { askingWithSandbox, calling } from "../../../test/support/logs.ts";
import { decideTable, exec, model, performs } from "../../../test/support/steps.ts";
import { append, leave } from "../step.ts";

const strict = { policy: { steering: "reject" } } as const;
const eager = { policy: { steering: "interrupt" } } as const;

describe("a message while the agent works", () => {
  decideTable([
    {
      name: "enqueue: waits for the next request",
      log: [...askingWithSandbox(), said("also")],
      step: performs(600_000, model()),
    },
    {
      name: "enqueue: waits while tools run",
      log: calling(called(1, 0), started("c1_0"), said("also")),
      step: performs(null, exec("c1_0")),
    },
    {
      name: "reject: is refused on the record",
      log: [...askingWithSandbox(strict), said("also"), said("and this")],
      step: append(rejected(10, 11)),
    },
    {
      name: "reject: and that is all",
      log: [...askingWithSandbox(strict), said("also"), rejected(10)],
      step: performs(600_000, model()),
    },
    {
      name: "reject: applies before anything else that is under way",
      log: [...askingWithSandbox(strict), said("also"), pause],
      step: append(rejected(10)),
    },
    {
      name: "interrupt: ends the request first",
      log: [...askingWithSandbox(eager), said("also")],
      step: append({
        type: "span.model_request_end",
        body: { request: 1, outcome: "interrupted", is_error: false, duration_ms: 0 },
      }),
    },
    {
      name: "a message can want otherwise than the session: enqueue",
      log: [...askingWithSandbox(strict), said("also", "enqueue")],
      step: performs(600_000, model()),
    },
    {
      name: "a message can want otherwise than the session: reject",
      log: [...askingWithSandbox(), said("also", "reject")],
      step: append(rejected(10)),
    },
  ]);
});

describe("a message while it does not", () => {
  decideTable([
    { name: "reject: is welcome when idle", log: [created(strict), said("go")], step: append(running) },
    {
      name: "reject: both of two that come together",
      log: [created(strict), said("go"), said("and"), running],
      step: append({
        type: "session.thread_created",
        body: {
          session_thread_id: "sthr_00000001_0",
          agent_name: "tester",
          reason: "start",
          renderer: 1,
          system: "Be brief.",
          tools: ["shell", "write"].map((name) => ({ name, description: `runs ${name}`, input_schema: {} })),
          model: { provider: "scripted", id: "m", max_output_tokens: 1000 },
          from_seq: 2,
        },
      }),
    },
    {
      name: "interrupt: there is nothing to interrupt",
      log: [...askingWithSandbox(eager), answered(1), idle("end_turn"), said("more")],
      step: append(running),
    },
    {
      name: "the agent's own end of turn does not lose a message that came before it",
      log: [...askingWithSandbox(), said("more"), answered(1)],
      step: append(accepted(10)),
    },
    {
      name: "a session that is over ignores it",
      log: [created(), terminated, said("go")],
      step: leave(null),
    },
  ]);
});
