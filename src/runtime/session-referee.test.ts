import { expect, test } from "vitest";
import { contractWith, preflightFinished, sealed } from "../../test/support/contract-events.ts";
import { BASE, configWith, SESSION, said } from "../../test/support/events.ts";
import { place } from "../../test/support/logs.ts";
import { type EventInput, event } from "../core/events/index.ts";
import { foldEvents } from "../core/reduce.ts";
import { verdictRequest } from "./session-referee.ts";

const config = configWith();
const fallback = { provider: "scripted", id: "other", max_output_tokens: 500 };
const created = event("session.created", {
  ...config,
  agent: { ...config.agent, fallback },
  sandbox: { ...config.sandbox, checkout: { base: BASE } },
});
const switched = event("model.switched", {
  ...{ from: "scripted:m", to: "scripted:other", until: 2, decided_at: 1, error_class: "rate_limit" },
});
const own = `${config.agent.model.provider}:${config.agent.model.id}`;

test.each<[string, readonly EventInput[], readonly string[]]>([
  ["has not stood in", [], [own]],
  ["has stood in", [switched], [own, "scripted:other"]],
])("a model that %s for the agent's did that much of the work", async (_what, more, expected) => {
  const log = place([created, sealed(contractWith()), said("go"), preflightFinished(), ...more]);
  const reader = {
    getEvents: async (_id: unknown, { types = [] }: { readonly types?: readonly string[] }) =>
      log.filter(({ type }) => types.includes(type)).toReversed(),
  };
  const about = { number: 1, epoch: 1, commit: BASE, done: [] };
  const request = await verdictRequest(reader, foldEvents(SESSION, log), about);
  expect(request.workerModels).toEqual(expected);
});
