import { describe } from "vitest";
import {
  answered,
  approvalAsked,
  called,
  confirmed,
  destroyed,
  destroyRequested,
  idle,
  inDoubt,
  prepared,
  result,
  resume,
  running,
  SANDBOX,
  SESSION,
  said,
  sandboxLost,
  sandboxReady,
  sandboxRequested,
  sandboxRescheduled,
  started,
} from "../../../test/support/events.ts";
import { asking, calling } from "../../../test/support/logs.ts";
import { decideTable, destroy, exec, performs, prepare, provision } from "../../../test/support/steps.ts";
import { type EventInput, event } from "../events/index.ts";
import { append } from "../step.ts";

/** As the rule starts a run: now, in the ready sandbox. */
const starts = (log: readonly EventInput[], call: string, more = {}): EventInput =>
  started(call, 1, { at: 1_700_000_000_000 + log.length * 1000, ...more });

const refused = (call: string, text: string): EventInput =>
  result(call, 0, {
    content: [{ type: "text", text }],
    is_error: true,
    ending: "refused",
    exit_code: null,
    duration_ms: 0,
  });

const one = calling(called(1, 0));
const three = calling(called(1, 0), called(1, 1, "read_only"), called(1, 2, "irreversible"));
const mixed = calling(
  called(1, 0, "read_only"),
  called(1, 1, "reconcilable"),
  called(1, 2, "read_only"),
  called(1, 3, "reconcilable"),
);

describe("from request to receipt", () => {
  decideTable([
    { name: "a call's run is in the log first", log: one, step: append(starts(one, "c1_0")) },
    {
      name: "then it is executed",
      log: [...one, started("c1_0")],
      step: performs(null, exec("c1_0")),
    },
    {
      name: "parallel calls start together",
      log: three,
      step: append(starts(three, "c1_0"), starts(three, "c1_1"), starts(three, "c1_2")),
    },
    {
      name: "and are executed beside each other",
      log: [...three, started("c1_0"), started("c1_1"), started("c1_2")],
      step: performs(null, exec("c1_0"), exec("c1_1"), exec("c1_2")),
    },
    {
      name: "one that is answered is not executed again",
      log: [...three, started("c1_0"), started("c1_1"), started("c1_2"), result("c1_1")],
      step: performs(null, exec("c1_0"), exec("c1_2")),
    },
    {
      name: "input that does not fit is answered without running",
      log: calling(called(1, 0, "read_only", { invalid: "command is missing" })),
      step: append(refused("c1_0", "command is missing")),
    },
    {
      name: "so is what is denied",
      log: calling(called(1, 0, "side_effect", { evaluated_permission: "deny" })),
      step: append(refused("c1_0", "This tool is not allowed here.")),
    },
    {
      name: "both need no sandbox",
      log: [
        ...asking(),
        sandboxLost(),
        answered(1),
        called(1, 0, "side_effect", { evaluated_permission: "deny" }),
      ],
      step: append(refused("c1_0", "This tool is not allowed here.")),
    },
  ]);
});

describe("calls that ask for permission", () => {
  const ask = calling(
    called(1, 0, "read_only"),
    called(1, 1, "side_effect", { evaluated_permission: "ask" }),
  );
  const asked = [...ask, started("c1_0"), result("c1_0")];
  decideTable([
    {
      name: "the calls that are allowed run first",
      log: ask,
      step: append(starts(ask, "c1_0")),
    },
    {
      name: "then a person is asked",
      log: asked,
      step: append(
        approvalAsked(asked, "c1_1"),
        event("session.status_idle", { stop_reason: { type: "requires_action", calls: ["c1_1"] } }),
      ),
    },
    {
      name: "allowed: it starts",
      log: [...asked, idle("requires_action"), confirmed("c1_1", "allow"), running],
      step: append(started("c1_1", 1, { at: 1_700_000_000_000 + 17_000 })),
    },
    {
      name: "allowed before the question was in the log: it starts",
      log: [...ask, confirmed("c1_1", "allow"), started("c1_0")],
      step: append(started("c1_1", 1, { at: 1_700_000_000_000 + 14_000 })),
    },
    {
      name: "denied: the model hears why",
      log: [...asked, idle("requires_action"), confirmed("c1_1", "deny", "not on Fridays"), running],
      step: append(refused("c1_1", "not on Fridays")),
    },
    {
      name: "denied without a word",
      log: [...asked, idle("requires_action"), confirmed("c1_1", "deny"), running],
      step: append(refused("c1_1", "A person did not allow this call.")),
    },
  ]);
});

describe("calls that write", () => {
  decideTable([
    {
      name: "wait for the calls before them",
      log: mixed,
      step: append(starts(mixed, "c1_0")),
    },
    {
      name: "also while those run",
      log: [...mixed, started("c1_0")],
      step: performs(null, exec("c1_0")),
    },
    {
      name: "then look at the file, alone",
      log: [...mixed, started("c1_0"), result("c1_0")],
      step: performs(null, prepare("c1_1")),
    },
    {
      name: "then start with the hashes on record",
      log: [...mixed, started("c1_0"), result("c1_0"), prepared("c1_1", "old", "new")],
      step: append(started("c1_1", 1, { at: 1_700_000_000_000 + 17_000, before: "old", after: "new" })),
    },
    {
      name: "hold back what follows",
      log: [
        ...mixed,
        started("c1_0"),
        result("c1_0"),
        prepared("c1_1", null, "new"),
        started("c1_1", 1, { before: null, after: "new" }),
      ],
      step: performs(null, exec("c1_1")),
    },
    {
      name: "let it go when they are done",
      log: [
        ...mixed,
        started("c1_0"),
        result("c1_0"),
        prepared("c1_1", null, "new"),
        started("c1_1", 1, { before: null, after: "new" }),
        result("c1_1"),
      ],
      step: append(started("c1_2", 1, { at: 1_700_000_000_000 + 19_000 })),
    },
  ]);
});

describe("the sandbox behind the calls", () => {
  const unprovisioned = [...asking(), answered(1), called(1, 0)];
  const idleFailed = (code: string): ReturnType<typeof append> =>
    append(event("session.status_idle", { stop_reason: { type: "failed", code } }));
  decideTable([
    {
      name: "is waited for while it is being made",
      log: unprovisioned,
      step: performs(null, provision()),
    },
    {
      name: "is asked for again after a while when it could not be had",
      log: [...unprovisioned, sandboxLost("E_SANDBOX_UNAVAILABLE"), sandboxRescheduled(0, 0)],
      step: append(sandboxRequested()),
    },
    {
      name: "the second try is another intent than the first",
      log: [...unprovisioned, sandboxLost(), sandboxRequested()],
      step: performs(null, provision(1)),
    },
    {
      name: "is given up after three failures in a row, with its last code",
      log: [
        ...unprovisioned,
        sandboxLost(),
        sandboxRequested(),
        sandboxLost(),
        sandboxRequested(),
        sandboxLost("E_SANDBOX_UNAVAILABLE"),
      ],
      step: idleFailed("E_SANDBOX_UNAVAILABLE"),
    },
    {
      name: "one death that several calls notice counts once",
      log: [...calling(called(1, 0), called(1, 1)), sandboxLost(), sandboxLost(), sandboxLost()],
      step: append(sandboxRequested()),
    },
    {
      name: "also when some notice it while it is being made again",
      log: [
        ...calling(called(1, 0), called(1, 1)),
        sandboxLost("E_SANDBOX_LOST", SANDBOX, "i1"),
        sandboxRequested(),
        sandboxLost("E_SANDBOX_LOST", SANDBOX, "i1"),
      ],
      step: performs(null, provision(1)),
    },
    {
      name: "or when another incarnation is there already",
      log: [
        ...calling(called(1, 0)),
        sandboxLost("E_SANDBOX_LOST", SANDBOX, "i1"),
        sandboxRequested(),
        sandboxReady("i2"),
        sandboxLost("E_SANDBOX_LOST", SANDBOX, "i1"),
        started("c1_0", 1, { incarnation: "i2" }),
      ],
      step: performs(null, exec("c1_0", 1, "i2")),
    },
    {
      name: "gets new chances when a person resumes",
      log: [
        ...unprovisioned,
        sandboxLost(),
        sandboxRequested(),
        sandboxLost(),
        sandboxRequested(),
        sandboxLost(),
        idle("failed"),
        resume,
        running,
      ],
      step: append(sandboxRequested()),
    },
    {
      name: "a message while it is being made again leaves that intent alone",
      log: [...unprovisioned, sandboxLost(), sandboxRequested(), said("hurry")],
      step: performs(null, provision(1)),
    },
    {
      name: "a command that finished clears its failures",
      log: [
        ...calling(called(1, 0), called(1, 1)),
        sandboxLost(),
        sandboxRequested(),
        sandboxLost(),
        sandboxRequested(),
        sandboxReady("i2"),
        started("c1_0", 1, { incarnation: "i2" }),
        result("c1_0"),
        sandboxLost(),
        sandboxRequested(),
      ],
      step: performs(null, provision(1)),
    },
    {
      name: "when it is lost under a run, it is provisioned again",
      log: [...one, started("c1_0"), sandboxLost()],
      step: append(sandboxRequested()),
    },
    {
      name: "and then the run is asked about, whatever incarnation answers",
      log: [...one, started("c1_0"), sandboxLost(), sandboxRequested(), sandboxReady("i2")],
      step: performs(null, exec("c1_0", 1, "i2")),
    },
    {
      name: "one that is being removed is removed first",
      log: [...one, destroyRequested()],
      step: performs(null, destroy()),
    },
    {
      name: "then another is asked for",
      log: [...one, destroyRequested(), destroyed()],
      step: append(sandboxRequested(`sbox_${SESSION.slice(5)}_1`)),
    },
    {
      name: "news of another sandbox change nothing",
      log: [...one, started("c1_0"), sandboxLost("E", "sbox_other"), sandboxReady("i9", "sbox_other")],
      step: performs(null, exec("c1_0")),
    },
    {
      name: "a late `ready` of one that is ready changes nothing",
      log: [...one, started("c1_0"), sandboxReady("i9", SANDBOX)],
      step: performs(null, exec("c1_0")),
    },
  ]);
});

describe("several calls in several states", () => {
  const log = calling(called(1, 0), called(1, 1, "read_only"), called(1, 2, "irreversible"));
  decideTable([
    {
      name: "decisions come before waiting",
      log: [...log, started("c1_0"), started("c1_1"), started("c1_2"), inDoubt("c1_1")],
      step: append(started("c1_1", 2, { at: 1_700_000_000_000 + 17_000 })),
    },
    {
      name: "waiting for the others comes before asking a person",
      log: [...log, started("c1_0"), started("c1_1"), started("c1_2"), inDoubt("c1_2"), result("c1_1")],
      step: performs(null, exec("c1_0")),
    },
  ]);
});
