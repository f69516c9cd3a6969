import { describe, expect, test } from "vitest";
import {
  amend,
  contractWith,
  preflightFinished,
  preflightStarted,
  sealed,
} from "../../../test/support/contract-events.ts";
import {
  accepted,
  answered,
  asked,
  BASE,
  called,
  checkpointRequested,
  created,
  destroyRequested,
  inDoubt,
  result,
  running,
  SANDBOX,
  SERVICES_HASH,
  START_MS,
  said,
  sandboxLost,
  sandboxReady,
  sandboxRequested,
  servicesFailed,
  servicesReady,
  servicesRequested,
  started,
  threadStart,
  woke,
} from "../../../test/support/events.ts";
import { contextOf } from "../../../test/support/logs.ts";
import { decideTable, exec, type IntentOf, model, performs, provision } from "../../../test/support/steps.ts";
import { closeTurn, messagesOf } from "../context.ts";
import { type Contract, servicesHash } from "../contract/contract.ts";
import { contractText } from "../contract/tell.ts";
import { type EventInput, event } from "../events/index.ts";
import type { SandboxId } from "../ids.ts";
import { append } from "../step.ts";

const SERVICES: Contract["services"] = [{ argv: ["serve", "it"], ready: { port: 80 }, within_ms: 5000 }];
const HASH = servicesHash(SERVICES) ?? "";
const requested = (incarnation = "i1"): EventInput => servicesRequested(incarnation, HASH);
const services =
  (incarnation = "i1", hash = HASH): IntentOf =>
  () => ({
    kind: "services",
    key: `services/${SANDBOX}/${incarnation}/${hash}`,
    sandbox: SANDBOX as SandboxId,
  });

const startedAt = (call: string, incarnation = "i1"): EventInput =>
  event("tool.started", { call, run: 1, sandbox: SANDBOX, incarnation, at: soon.at });

const begun = (contract: Contract): EventInput[] => [
  ...[created({ checkout: { base: BASE } }), sealed(contract), said("go"), woke(), running],
  ...[preflightStarted, preflightFinished(), threadStart(2), accepted(3), sandboxRequested()],
  asked(1, { through_seq: 10 }),
];
const asking = begun(contractWith({ services: SERVICES }));
const ready = [...asking, sandboxReady()];
const calling = [...asking, answered(1, { stop_reason: "tool_use" }), called(1, 0), sandboxReady()];
const soon = { at: START_MS + 20_000 };

describe("the services of a contract", () => {
  decideTable([
    { name: "wait for the sandbox", log: asking, step: performs(600_000, model(), provision()) },
    {
      name: "are asked for as soon as it is there, beside the answer",
      log: ready,
      step: append(requested()),
    },
    {
      name: "are started beside it",
      log: [...ready, requested()],
      step: performs(600_000, model(), services()),
    },
    {
      name: "are asked for once",
      log: [...ready, requested(), servicesReady()],
      step: performs(600_000, model()),
    },
    { name: "are asked for before the first command", log: calling, step: append(requested()) },
    {
      name: "are awaited by it",
      log: [...calling, requested()],
      now: soon,
      step: performs(null, services()),
    },
    {
      name: "are there: it runs",
      log: [...calling, requested(), servicesReady()],
      now: soon,
      step: append(startedAt("c1_0")),
    },
    {
      name: "are not there: it runs all the same",
      log: [...calling, requested(), servicesFailed()],
      now: soon,
      step: append(startedAt("c1_0")),
    },
    {
      name: "hold up nothing that runs already",
      log: [...calling, requested(), servicesReady(), started("c1_0"), servicesFailed()],
      now: soon,
      step: performs(null, exec("c1_0")),
    },
    {
      name: "are started anew in the next life of the sandbox",
      log: [
        ...[...calling, requested(), servicesReady(), started("c1_0")],
        ...[sandboxLost("E_SANDBOX_LOST", SANDBOX, "i1"), inDoubt("c1_0", 1, "not_started")],
        ...[sandboxRequested(), sandboxReady("i2")],
      ],
      now: soon,
      step: append(requested("i2")),
    },
    {
      name: "of no contract are none",
      log: [...begun(contractWith()), sandboxReady()],
      step: performs(600_000, model()),
    },
  ]);
});

describe("other services after an amendment", () => {
  const amended = contractWith({ services: [{ ...SERVICES[0]!, argv: ["serve", "more"] }] });
  const log = [...calling, requested(), servicesReady(), started("c1_0"), result("c1_0"), called(1, 1)];
  const agreed = event("contract.amended", {
    ...(amend(amended) as Extract<EventInput, { type: "control.amend_contract" }>).body,
    previous_hash: SERVICES_HASH,
    asked_seq: 1,
    content: [{ type: "text", text: "another one" }],
  });
  decideTable([
    {
      name: "are those of another sandbox, once the work is saved",
      log: [...log, agreed],
      now: soon,
      step: append(checkpointRequested(1, "rest")),
    },
    {
      name: "which takes the place of this one",
      log: [...calling, requested(), servicesReady(), agreed],
      now: soon,
      step: append(destroyRequested()),
    },
    {
      name: "are not started as those that were asked for before",
      log: [...calling, requested(), agreed],
      now: soon,
      step: append(destroyRequested()),
    },
    {
      name: "are waited for although those before them turn out to be ready",
      log: [...calling, requested(), agreed, servicesReady()],
      now: soon,
      step: append(destroyRequested()),
    },
  ]);
});

describe("what the model is told", () => {
  test("which services there are, and nothing where there are none", () => {
    const text = contractText(contractWith({ services: SERVICES }));
    expect(text).toContain("\n- serve it (ready: port 80)\n");
    expect(contractText(contractWith())).not.toMatch(/service/i);
  });

  test("that one is not there", () => {
    const log = [...calling, requested(), servicesFailed(), started("c1_0"), result("c1_0")];
    const messages = messagesOf(closeTurn(contextOf(...log)));
    expect(messages.at(-1)).toEqual({ role: "user", text: "[harness] the service is not there" });
  });
});
