import { describe } from "vitest";
import {
  answered,
  approvalAsked,
  called,
  cancel,
  confirmed,
  created,
  destroyRequested,
  idle,
  inDoubt,
  interrupt,
  interrupted,
  pause,
  prepared,
  result,
  resume,
  running,
  START_MS,
  said,
  sandboxLost,
  started,
  stop,
  terminated,
} from "../../../test/support/events.ts";
import { asking, askingWithSandbox, calling } from "../../../test/support/logs.ts";
import { decideTable, exec, kill, model, performs, provision } from "../../../test/support/steps.ts";
import { type EventInput, event } from "../events/index.ts";
import { append, leave } from "../step.ts";

const notRun = (call: string): EventInput =>
  result(call, 0, {
    content: [{ type: "text", text: "Not run: the person stopped the agent first." }],
    is_error: true,
    ending: "cancelled",
    exit_code: null,
    duration_ms: 0,
  });

const unknown = (call: string, reason: string): EventInput =>
  result(call, 1, {
    content: [
      {
        type: "text",
        text: `Outcome unknown: ${reason}. The command may have run wholly, in part, or not at all. It was not repeated. Look at the actual state before you decide what to do.`,
      },
    ],
    is_error: true,
    ending: "sandbox_lost",
    exit_code: null,
    duration_ms: 0,
    in_doubt: true,
  });

const cutShort = "the run was cut short and then stopped by a person";
const stranded = "the sandbox was lost before the run ended";

describe("while the model answers", () => {
  decideTable([
    { name: "pause waits for it", log: [...askingWithSandbox(), pause], step: performs(600_000, model()) },
    { name: "interrupt ends it", log: [...askingWithSandbox(), interrupt], step: append(interrupted(1)) },
    { name: "stop ends it", log: [...askingWithSandbox(), stop], step: append(interrupted(1)) },
    { name: "cancel ends it", log: [...askingWithSandbox(), cancel], step: append(interrupted(1)) },
    {
      name: "interrupt: then the turn is over",
      log: [...askingWithSandbox(), interrupt, interrupted(1)],
      step: append(idle("end_turn")),
    },
    {
      name: "stop: then it is stopped",
      log: [...askingWithSandbox(), stop, interrupted(1)],
      step: append(idle("stopped")),
    },
    {
      name: "cancel: then it is over for good",
      log: [...askingWithSandbox(), cancel, interrupted(1)],
      step: append(terminated),
    },
    {
      name: "pause: the answer has come, its calls are kept",
      log: [...askingWithSandbox(), pause, answered(1, { stop_reason: "tool_use" }), called(1, 0)],
      step: append(idle("paused")),
    },
    {
      name: "interrupt: the answer has come first, its calls are not run",
      log: [...calling(called(1, 0), called(1, 1)), interrupt],
      step: append(notRun("c1_0"), notRun("c1_1")),
    },
    {
      name: "a sandbox that is being made keeps nobody from halting",
      log: [...asking(), stop, interrupted(1)],
      step: append(idle("stopped")),
    },
  ]);
});

const twoRunning = calling(
  called(1, 0),
  called(1, 1, "read_only"),
  called(1, 2, "reconcilable"),
  started("c1_0"),
  started("c1_1"),
);

describe("while tools run, and another call waits", () => {
  decideTable([
    {
      name: "pause lets them finish, keeps the other",
      log: [...twoRunning, pause],
      step: performs(null, exec("c1_0"), exec("c1_1")),
    },
    {
      name: "pause: then it is paused",
      log: [...twoRunning, pause, result("c1_0"), result("c1_1")],
      step: append(idle("paused")),
    },
    {
      name: "interrupt answers the other",
      log: [...twoRunning, interrupt],
      step: append(notRun("c1_2")),
    },
    {
      name: "interrupt lets those that run finish",
      log: [...twoRunning, interrupt, notRun("c1_2")],
      step: performs(null, exec("c1_0"), exec("c1_1")),
    },
    {
      name: "interrupt: then the turn is over",
      log: [...twoRunning, interrupt, notRun("c1_2"), result("c1_0"), result("c1_1")],
      step: append(idle("end_turn")),
    },
    { name: "stop answers the other", log: [...twoRunning, stop], step: append(notRun("c1_2")) },
    {
      name: "stop kills those that run, and waits for their receipts",
      log: [...twoRunning, stop, notRun("c1_2")],
      step: performs(null, exec("c1_0"), kill("c1_0"), exec("c1_1"), kill("c1_1")),
    },
    {
      name: "stop: one is dead, the other not yet",
      log: [...twoRunning, stop, notRun("c1_2"), result("c1_0", 1, { ending: "cancelled" })],
      step: performs(null, exec("c1_1"), kill("c1_1")),
    },
    {
      name: "cancel kills as well",
      log: [...twoRunning, cancel, notRun("c1_2")],
      step: performs(null, exec("c1_0"), kill("c1_0"), exec("c1_1"), kill("c1_1")),
    },
    {
      name: "a call that looks at its file has not run",
      log: [...calling(called(1, 0, "reconcilable"), prepared("c1_0", "old", "new")), stop],
      step: append(notRun("c1_0")),
    },
  ]);
});

describe("while tools run in a sandbox that is lost", () => {
  const log = [...calling(called(1, 0), started("c1_0")), sandboxLost()];
  decideTable([
    { name: "stop tells that nobody knows", log: [...log, stop], step: append(unknown("c1_0", stranded)) },
    {
      name: "interrupt tells that nobody knows",
      log: [...log, interrupt],
      step: append(unknown("c1_0", stranded)),
    },
    {
      name: "pause leaves the question open",
      log: [...log, pause],
      step: append(
        event("tool.in_doubt", {
          call: "c1_0",
          run: 1,
          finding: "unknown",
          reason: "the sandbox was lost",
        }),
      ),
    },
    {
      name: "pause: then it is paused",
      log: [...log, pause, inDoubt("c1_0")],
      step: append(idle("paused")),
    },
  ]);
});

describe("while a call is in doubt", () => {
  const log = calling(called(1, 0, "irreversible"), started("c1_0"), inDoubt("c1_0"));
  const waiting = [...log, idle("requires_action")];
  decideTable([
    { name: "pause keeps the question", log: [...log, pause], step: append(idle("paused")) },
    {
      name: "interrupt tells that nobody knows",
      log: [...log, interrupt],
      step: append(unknown("c1_0", cutShort)),
    },
    { name: "stop tells that nobody knows", log: [...log, stop], step: append(unknown("c1_0", cutShort)) },
    {
      name: "stop while a person is asked",
      log: [...waiting, stop],
      step: append(unknown("c1_0", cutShort)),
    },
    {
      name: "an interrupt while a person is asked has nothing to end",
      log: [...waiting, interrupt],
      step: leave(START_MS + 13_000 + 60_000),
    },
    {
      name: "a pause while a person is asked",
      log: [...waiting, pause],
      step: append(idle("paused")),
    },
    {
      name: "after which the question is asked again",
      log: [...waiting, pause, idle("paused"), resume, running],
      step: append(
        approvalAsked([], "c1_0", { run: 2, why: "in_doubt", through_seq: waiting.length + 4 }),
        event("session.status_idle", { stop_reason: { type: "requires_action", calls: ["c1_0"] } }),
      ),
    },
    {
      name: "unless it was answered meanwhile",
      log: [...waiting, pause, idle("paused"), confirmed("c1_0", "deny", "no"), resume, running],
      step: append(unknown("c1_0", "no")),
    },
  ]);
});

describe("while nothing happens", () => {
  const rested = [...askingWithSandbox(), answered(1), idle("end_turn")];
  decideTable([
    { name: "interrupt has nothing to end", log: [...rested, interrupt], step: leave(START_MS + 70_000) },
    { name: "pause", log: [...rested, pause], step: append(idle("paused")) },
    { name: "stop", log: [...rested, stop], step: append(idle("stopped")) },
    { name: "cancel", log: [...rested, cancel], step: append(terminated) },
    { name: "cancel before the first wake", log: [created(), said("go"), cancel], step: append(terminated) },
    {
      name: "pause before the first wake",
      log: [created(), said("go"), pause],
      step: append(idle("paused")),
    },
    {
      name: "a pause before the first wake, taken back",
      log: [created(), said("go"), pause, resume],
      step: append(running),
    },
    {
      name: "controls of a session that is over change nothing",
      log: [...rested, cancel, terminated, stop, pause, resume],
      step: append(destroyRequested()),
    },
  ]);
});

describe("while messages wait", () => {
  const log = [...askingWithSandbox(), said("first")];
  decideTable([
    {
      name: "interrupt: they are the next turn",
      log: [...log, interrupt, interrupted(1), idle("end_turn")],
      step: append(running),
    },
    {
      name: "stop: one that was sent before it keeps waiting",
      log: [...log, stop, interrupted(1), idle("stopped")],
      step: leave(START_MS + 12_000 + 60_000),
    },
    {
      name: "stop: one that was sent after it is the redirection",
      log: [...log, stop, said("second"), interrupted(1), idle("stopped")],
      step: append(running),
    },
    {
      name: "stop, message, stop: the last word counts",
      log: [...log, stop, said("second"), stop, interrupted(1), idle("stopped")],
      step: leave(START_MS + 14_000 + 60_000),
    },
    {
      name: "pause: they wait for the resume",
      log: [...log, pause, said("second"), answered(1), idle("paused"), said("third")],
      step: leave(START_MS + 13_000 + 60_000),
    },
    {
      name: "cancel: they are dropped",
      log: [...log, cancel, interrupted(1), terminated],
      step: append(destroyRequested()),
    },
  ]);
});

describe("one control after another", () => {
  const log = askingWithSandbox();
  const paused = append(idle("paused"));
  decideTable([
    { name: "the stronger one counts", log: [...log, cancel, stop], step: append(interrupted(1)) },
    {
      name: "also when it came first",
      log: [...log, cancel, stop, interrupt, pause, interrupted(1)],
      step: append(terminated),
    },
    {
      name: "pause, resume: as if nothing had been said",
      log: [...log, pause, resume],
      step: performs(600_000, model()),
    },
    {
      name: "stop, resume before it is carried out: it stops, and goes on",
      log: [...log, stop, resume, interrupted(1), idle("stopped")],
      step: append(running),
    },
    {
      name: "with what it owed",
      log: [...log, stop, resume, interrupted(1), idle("stopped"), running],
      step: append({
        type: "span.model_request_start",
        body: {
          request: 2,
          session_thread_id: "sthr_00000001_0",
          epoch: 1,
          model: "scripted:m",
          through_seq: 14,
          context_hash: "hash",
          reservation: { tokens: 1100, cost_micro_usd: 0 },
        },
      }),
    },
    {
      name: "stop, resume, stop: the last word counts",
      log: [...log, stop, resume, stop, interrupted(1), idle("stopped")],
      step: leave(START_MS + 13_000 + 60_000),
    },
    {
      name: "interrupt, pause: the turn ends, then it is paused",
      log: [...log, interrupt, pause, interrupted(1), idle("end_turn")],
      step: paused,
    },
    {
      name: "pause, interrupt: the same",
      log: [...log, pause, interrupt, interrupted(1), idle("end_turn")],
      step: paused,
    },
    {
      name: "pause, then a message that interrupts: the message waits for the resume",
      log: [...log, pause, said("else", "interrupt"), interrupted(1), idle("end_turn")],
      step: paused,
    },
    {
      name: "pause, interrupt, resume: the pause is taken back",
      log: [...log, pause, interrupt, resume, interrupted(1), idle("end_turn")],
      step: leave(START_MS + 13_000 + 60_000),
    },
    {
      name: "stop, pause: a message does not lift it any more",
      log: [...log, stop, pause, interrupted(1), idle("stopped"), idle("paused"), said("x")],
      step: leave(START_MS + 13_000 + 60_000),
    },
    {
      name: "pause, stop: the stop replaces it, and a message goes on",
      log: [...log, pause, stop, interrupted(1), idle("stopped"), said("x")],
      step: append(running),
    },
    {
      name: "a paused session that is stopped",
      log: [...log, answered(1), idle("paused"), stop],
      step: append(idle("stopped")),
    },
  ]);
});

describe("a sandbox that is being made", () => {
  decideTable([
    {
      name: "goes on being made while a pause waits for the model",
      log: [...asking(), pause],
      step: performs(600_000, model(), provision()),
    },
  ]);
});
