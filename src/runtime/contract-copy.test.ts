import { hash } from "node:crypto";
import { expect, test } from "vitest";
import { contractWith, sealed } from "../../test/support/contract-events.ts";
import {
  BASE,
  created,
  SESSION,
  START_MS,
  sandboxReady,
  sandboxRequested,
} from "../../test/support/events.ts";
import { stateOf } from "../../test/support/logs.ts";
import { contractHash } from "../core/contract/contract.ts";
import { contractRendering, RENDERING_PATH } from "../core/contract/rendering.ts";
import { type EventInput, event } from "../core/events/index.ts";
import { NO_REDACTION, seal } from "../core/seal.ts";
import { createMemoryStore } from "../store/memory.ts";
import { ContractCopy } from "./contract-copy.ts";
import { systemClock } from "./system.ts";

const amended = contractWith({ constraints: ["keep it short"] });
const [OLD, NEW] = [contractRendering(contractWith()), contractRendering(amended)];
const sha256 = (text: string): string => hash("sha256", text, "hex");

const start = [created({ checkout: { base: BASE } }), sealed(), sandboxRequested(), sandboxReady("i1")];
const change = event("contract.amended", {
  ...{ contract: amended, hash: contractHash(amended), previous_hash: contractHash(contractWith()) },
  ...{ reason: "it was too wide", author: "ada", asked_seq: 1, content: [{ type: "text", text: "anew" }] },
});
const rendered = (incarnation: string): EventInput =>
  event("contract.rendered", {
    ...{ path: RENDERING_PATH, hash: sha256(NEW), contract_hash: contractHash(amended), incarnation },
  });

async function driftOf(log: readonly EventInput[], text: string | null | undefined): Promise<EventInput[]> {
  const store = createMemoryStore({ clock: systemClock, probe: { isDead: () => false } });
  const events = log.map((each) => seal(each, NO_REDACTION));
  await store.create(SESSION, { appendId: "create", at: START_MS, events });
  const read = async () => (typeof text === "string" ? Buffer.from(text) : text);
  const facts: EventInput[] = [];
  await new ContractCopy({ log: store, read }).noteDrift(stateOf(...log), async (fact) => facts.push(fact));
  return facts;
}

test.each<[string, readonly EventInput[], string | null | undefined, string | null]>([
  ["as it was sealed", start, OLD, null],
  ["changed", start, "lies", OLD],
  ["removed", start, null, OLD],
  ["not there, because the project has a file of its own", start, undefined, null],
  ["of the contract before, and nothing has run since", [...start, change], OLD, null],
  ["written anew", [...start, change, rendered("i1")], NEW, null],
  ["the old one, in place of the new", [...start, change, rendered("i1")], OLD, NEW],
  ["the old one, because its files were made anew", [...start, change, rendered("i0")], OLD, null],
  ["kept, though its sandbox was made anew", [...start, change, rendered("i0")], NEW, null],
  ["changed in another sandbox", [...start, change, rendered("i0")], "lies", NEW],
])("a copy that is %s", async (_, log, text, expected) => {
  const found = typeof text === "string" ? sha256(text) : null;
  const drift = { path: RENDERING_PATH, expected: sha256(expected ?? ""), found };
  expect(await driftOf(log, text)).toEqual(expected === null ? [] : [event("contract.drifted", drift)]);
});

test("the same change is noted once, and again where it was made to another text", async () => {
  const drifted = (expected: string): EventInput =>
    event("contract.drifted", {
      ...{ path: RENDERING_PATH, expected: sha256(expected), found: sha256("lies") },
    });
  expect(await driftOf([...start, drifted(OLD)], "lies")).toEqual([]);
  expect(await driftOf([...start, drifted(OLD), change, rendered("i1")], "lies")).toHaveLength(1);
});
