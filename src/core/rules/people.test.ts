import { describe, expect, test } from "vitest";
import {
  approvalAsked,
  called,
  confirmed,
  idle,
  pause,
  questionAnswered,
  questioned,
  result,
  running,
  said,
  sandboxLost,
  sandboxReady,
  sandboxRequested,
  started,
  stop,
} from "../../../test/support/events.ts";
import { calling, place, stateOf } from "../../../test/support/logs.ts";
import { decideTable, exec, performs } from "../../../test/support/steps.ts";
import { type EventBody, type EventInput, event } from "../events/index.ts";
import { foldEvents } from "../reduce.ts";
import { append, leave } from "../step.ts";

const START_MS = 1_700_000_000_000;
const HOUR = 3_600_000;

const needs = (questions: readonly string[], calls: readonly string[] = []): EventInput =>
  event("session.status_idle", {
    stop_reason: {
      type: "requires_action",
      calls: [...calls],
      ...(questions.length > 0 && { questions: [...questions] }),
    },
  });

const told = (call: string, text: string): EventInput =>
  result(call, 0, { content: [{ type: "text", text }], exit_code: null, duration_ms: 0 });

const refused = (call: string, text: string): EventInput =>
  result(call, 0, {
    content: [{ type: "text", text }],
    is_error: true,
    ending: "refused",
    exit_code: null,
    duration_ms: 0,
  });

const expired = (question: string, text: string | null, reason: "time" | "unattended" = "time"): EventInput =>
  event("question.expired", { question, text, reason });

const one = calling(...questioned(1, 0));
const two = calling(...questioned(1, 0), ...questioned(1, 1, { text: "When?" }));
const until = (log: readonly EventInput[]): number => START_MS + log.length * 1000 + HOUR;
const timed = calling(...questioned(1, 0, { default: "blue", expires_at: START_MS + HOUR }));

describe("a question", () => {
  decideTable([
    { name: "parks the session", log: one, step: append(needs(["q1_0"])) },
    {
      name: "keeps the sandbox only for its grace",
      log: [...one, needs(["q1_0"])],
      step: leave(START_MS + one.length * 1000 + 60_000),
    },
    {
      name: "then gives it back",
      log: [...one, needs(["q1_0"])],
      now: { at: START_MS + HOUR },
      step: append(event("sandbox.destroy_requested", { sandbox: "sbox_00000001_0" })),
    },
    {
      name: "is not answered by a message",
      log: [...one, needs(["q1_0"]), said("hello?")],
      step: leave(START_MS + one.length * 1000 + 60_000),
    },
    {
      name: "answered: work goes on",
      log: [...one, needs(["q1_0"]), questionAnswered("q1_0", "red")],
      step: append(running),
    },
    {
      name: "the answer is the call's result, and says whose it is",
      log: [...one, needs(["q1_0"]), questionAnswered("q1_0", "red", { channel: "cli" }), running],
      step: append(
        told(
          "c1_0",
          `[harness] Ada answered by cli at ${new Date(START_MS + (one.length + 1) * 1000).toISOString()}:\nred`,
        ),
      ),
    },
    {
      name: "an answer that comes before the session has parked counts",
      log: [...one, questionAnswered("q1_0", "red")],
      step: append(
        told(
          "c1_0",
          `[harness] Ada answered at ${new Date(START_MS + one.length * 1000).toISOString()}:\nred`,
        ),
      ),
    },
    {
      name: "the first answer counts",
      log: [...one, questionAnswered("q1_0", "red"), questionAnswered("q1_0", "green")],
      step: append(
        told(
          "c1_0",
          `[harness] Ada answered at ${new Date(START_MS + one.length * 1000).toISOString()}:\nred`,
        ),
      ),
    },
    {
      name: "an answer to a question that nobody asked changes nothing",
      log: [...one, needs(["q1_0"]), questionAnswered("q9_9", "red")],
      step: leave(START_MS + one.length * 1000 + 60_000),
    },
    {
      name: "a stop ends it",
      log: [...one, needs(["q1_0"]), stop],
      step: append(
        result("c1_0", 0, {
          content: [{ type: "text", text: "Not run: the person stopped the agent first." }],
          is_error: true,
          ending: "cancelled",
          exit_code: null,
          duration_ms: 0,
        }),
      ),
    },
    {
      name: "runs beside commands",
      log: [...calling(...questioned(1, 0), called(1, 1)), started("c1_1")],
      step: performs(null, exec("c1_1")),
    },
  ]);

  test("is forgotten with the receipt of its call", () => {
    const state = stateOf(
      ...one,
      questionAnswered("q1_0", "red"),
      result("c1_0"),
      questionAnswered("q1_0", "green"),
    );
    expect(state.people.questions).toEqual([]);
  });

  test("is bounded in number: the call that asks too much is refused", () => {
    const many = Array.from({ length: 21 }, (_, index) => questioned(1, index)).flat();
    const state = stateOf(...calling(...many));
    expect(state.people.questions).toHaveLength(20);
  });
});

describe("several questions", () => {
  decideTable([
    { name: "park together", log: two, step: append(needs(["q1_0", "q1_1"])) },
    {
      name: "are answered in any order",
      log: [...two, needs(["q1_0", "q1_1"]), questionAnswered("q1_1", "now"), running],
      step: append(
        told(
          "c1_1",
          `[harness] Ada answered at ${new Date(START_MS + (two.length + 1) * 1000).toISOString()}:\nnow`,
        ),
      ),
    },
    {
      name: "the other one is waited for",
      log: [...two, needs(["q1_0", "q1_1"]), questionAnswered("q1_1", "now"), running, result("c1_1")],
      step: append(needs(["q1_0"])),
    },
  ]);
});

describe("the end of a question's time", () => {
  const parked = [...timed, needs(["q1_0"])];
  decideTable([
    {
      name: "makes the session due",
      log: [
        ...parked,
        event("sandbox.destroy_requested", { sandbox: "sbox_00000001_0" }),
        event("sandbox.destroyed", { sandbox: "sbox_00000001_0" }),
      ],
      step: leave(START_MS + HOUR),
    },
    {
      name: "is an event before anything follows",
      log: parked,
      now: { at: START_MS + HOUR },
      step: append(expired("q1_0", "blue")),
    },
    {
      name: "then the default is the answer",
      log: [...parked, expired("q1_0", "blue"), running],
      step: append(
        told(
          "c1_0",
          `[harness] Nobody answered q1_0 by ${new Date(START_MS + parked.length * 1000).toISOString()}, so your default counts:\nblue`,
        ),
      ),
    },
    {
      name: "without a default the agent goes on by itself",
      log: [...one, needs(["q1_0"]), expired("q1_0", null), running],
      step: append(
        refused(
          "c1_0",
          `[harness] Nobody answered q1_0 by ${new Date(START_MS + (one.length + 1) * 1000).toISOString()}. Go on without: take the safest reading, or declare the criterion blocked.`,
        ),
      ),
    },
    {
      name: "is noticed beside commands that run",
      log: [
        ...calling(...questioned(1, 0, { default: "blue", expires_at: until([]) }), called(1, 1)),
        started("c1_1"),
      ],
      now: { at: START_MS + HOUR - 5000 },
      step: performs(5000, exec("c1_1")),
    },
    {
      name: "waits while a person holds the session",
      log: [...parked, pause, idle("paused")],
      now: { at: START_MS + 2 * HOUR },
      step: append(event("sandbox.destroy_requested", { sandbox: "sbox_00000001_0" })),
    },
    {
      name: "an answer after it changes nothing",
      log: [...parked, expired("q1_0", "blue"), questionAnswered("q1_0", "red"), running],
      step: append(
        told(
          "c1_0",
          `[harness] Nobody answered q1_0 by ${new Date(START_MS + parked.length * 1000).toISOString()}, so your default counts:\nblue`,
        ),
      ),
    },
  ]);
});

describe("approvals", () => {
  const ask = calling(called(1, 0, "side_effect", { evaluated_permission: "ask" }));
  const asked = approvalAsked(ask, "c1_0");
  const hash = (asked.body as EventBody<"approval.requested">).hash;
  const parked = [...ask, asked, needs([], ["c1_0"])];
  const allow = (more: { readonly hash?: string }): EventInput =>
    event("user.tool_confirmation", { call: "c1_0", result: "allow", ...more });
  const restored = event("workspace.restored", {
    checkpoint: 1,
    commit: "a".repeat(40),
    content: [{ type: "text", text: "gone" }],
    calls: [],
  } as never);

  decideTable([
    {
      name: "are asked for with the hash of the exact action",
      log: ask,
      step: append(asked, needs([], ["c1_0"])),
    },
    {
      name: "let exactly that run",
      log: [...parked, allow({ hash }), running],
      step: append(started("c1_0", 1, { at: START_MS + (parked.length + 2) * 1000 })),
    },
    {
      name: "of something else change nothing: X was approved, the action is Y",
      log: [...parked, allow({ hash: "0".repeat(64) })],
      step: leave(START_MS + (parked.length - 1) * 1000 + 60_000),
    },
    {
      name: "do not let other input run, wherever it came from: it is asked anew",
      log: [...parked, allow({ hash }), running],
      now: { inputOf: () => ({ command: "rm -rf /" }) },
      step: append(
        approvalAsked([], "c1_0", { through_seq: parked.length + 2, input: { command: "rm -rf /" } }),
        needs([], ["c1_0"]),
      ),
    },
    {
      name: "end when the files are no longer those that were looked at",
      log: [
        ...parked,
        allow({ hash }),
        sandboxLost(),
        sandboxRequested(),
        sandboxReady("i2"),
        restored,
        running,
      ],
      step: append(approvalAsked([], "c1_0", { through_seq: parked.length + 6 }), needs([], ["c1_0"])),
    },
    {
      name: "given after that for what was before it, change nothing",
      log: [
        ...parked,
        sandboxLost(),
        sandboxRequested(),
        sandboxReady("i2"),
        restored,
        allow({ hash }),
        running,
      ],
      step: append(approvalAsked([], "c1_0", { through_seq: parked.length + 6 }), needs([], ["c1_0"])),
    },
    {
      name: "end after their time, as an event",
      log: parked,
      now: { at: START_MS + 48 * HOUR },
      step: append(event("approval.expired", { call: "c1_0", hash, reason: "time" })),
    },
    {
      name: "that nobody gave are denied",
      log: [...parked, event("approval.expired", { call: "c1_0", hash, reason: "time" }), running],
      step: append(refused("c1_0", "Nobody approved it in time, so it counts as denied.")),
    },
    {
      name: "given after their time change nothing",
      log: [
        ...parked,
        event("approval.expired", { call: "c1_0", hash, reason: "time" }),
        allow({ hash }),
        running,
      ],
      step: append(refused("c1_0", "Nobody approved it in time, so it counts as denied.")),
    },
    {
      name: "a denial without a hash counts, for what older clients send",
      log: [...parked, confirmed("c1_0", "deny", "no"), running],
      step: append(refused("c1_0", "no")),
    },
  ]);

  test("of the original are none of its fork", () => {
    const fork = event("session.forked", {
      from: "sesn_00000009",
      at_seq: parked.length + 1,
      head_hash: "x",
    });
    const state = foldEvents("sesn_00000002" as never, place([...parked, allow({ hash }), fork]));
    expect(state.calls[0]?.confirmation).toBeNull();
    expect(state.people.approvals[0]?.isStale).toBe(true);
  });
});

describe("a run that nobody is to be asked in", () => {
  const unattended = (log: readonly EventInput[]): EventInput[] =>
    log.map((each) =>
      each.type === "session.created"
        ? event("session.created", { ...each.body, policy: { ...each.body.policy, questions: "none" } })
        : each,
    );
  decideTable([
    {
      name: "takes the default at once",
      log: unattended(timed),
      step: append(expired("q1_0", "blue", "unattended")),
    },
    {
      name: "says so when there is none",
      log: [...unattended(one), expired("q1_0", null, "unattended")],
      step: append(
        refused(
          "c1_0",
          "[harness] Nobody is there to answer in this run. Go on without: take the safest reading, or declare the criterion blocked.",
        ),
      ),
    },
    {
      name: "denies what needs a person",
      log: unattended([
        ...calling(called(1, 0, "side_effect", { evaluated_permission: "ask" })),
        approvalAsked(one.slice(0, -1), "c1_0"),
      ]),
      step: (state) =>
        append(
          event("approval.expired", {
            call: "c1_0",
            hash: state.people.approvals[0]?.hash ?? "",
            reason: "unattended",
          }),
        ),
    },
  ]);
});
