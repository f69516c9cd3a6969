import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { event } from "../core/events/index.ts";
import { createScriptedModel } from "../model/scripted.ts";
import { createMemoryStore } from "../store/memory.ts";
import { createSession, sendEvents } from "./client.ts";
import { openHarness } from "./open.ts";
import { sessionConfig } from "./session-config.ts";
import { systemClock } from "./system.ts";
import { wake } from "./wake.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-open-test-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const hello = event("user.message", { content: [{ type: "text", text: "hello" }] });

test("a session on the memory store and a model that is handed in", async () => {
  const scripted = createScriptedModel({ turns: [{ text: "hi" }] }, { clock: systemClock });
  await using harness = await openHarness({ store: "memory", models: { mine: scripted }, environment: {} });
  const config = { provider: "mine", id: "any", max_output_tokens: 100 };
  const session = await createSession(harness, sessionConfig({ model: config, workspace: "/", tools: [] }), [
    hello,
  ]);
  const result = await wake(harness, session);
  expect(result).toMatchObject({ status: "left", due: null, state: { phase: "idle" } });
  expect(scripted.requestCount).toBe(1);
});

test("what an adapter remembers outlives a wake", async () => {
  const script = join(folder, "script.json");
  writeFileSync(
    script,
    JSON.stringify({ turns: [{ text: "hi", fail: [{ kind: "reset" }] }, { text: "again" }] }),
  );
  await using harness = await openHarness({ store: "memory", environment: {} });
  const config = sessionConfig({ model: `scripted:${script}`, workspace: "/", tools: [] });
  await wake(harness, await createSession(harness, config, [hello]));
  const result = await wake(harness, await createSession(harness, config, [hello]));
  expect(result).toMatchObject({ state: { ledger: { requests: 1 } } });
});

test("a missing key is recorded, not thrown", async () => {
  await using harness = await openHarness({ store: "memory", environment: {} });
  const config = sessionConfig({ model: "anthropic:any", workspace: "/", tools: [] });
  const session = await createSession(harness, config, [hello]);
  const result = await wake(harness, session);
  expect(result).toMatchObject({ state: { stopReason: { type: "failed", code: "E_MODEL_AUTH" } } });
});

test("secrets of the environment do not reach the store", async () => {
  await using harness = await openHarness({ store: "memory", environment: { MY_TOKEN: "a-secret-value" } });
  const session = await createSession(harness, sessionConfig({ model: "ollama:x", workspace: "/" }));
  await sendEvents(harness, session, [
    event("user.message", { content: [{ type: "text", text: "it is a-secret-value" }] }),
  ]);
  const events = await harness.store.getEvents(session, { limit: 10 });
  expect(JSON.stringify(events)).not.toContain("a-secret-value");
});

test("a store that is handed in stays open; one that keeps files needs a folder", async () => {
  const store = createMemoryStore({ clock: systemClock, probe: { isDead: () => false } });
  const harness = await openHarness({ store, environment: {} });
  await harness.close();
  expect(await store.listSessions({ limit: 1 })).toEqual([]);
  await expect(openHarness({ environment: {} })).rejects.toMatchObject({ code: "E_USAGE" });
});

test("without a state folder, a sandbox leaves nothing behind", async () => {
  vi.stubEnv("TMPDIR", join(folder, "temporary"));
  mkdirSync(join(folder, "temporary"));
  const model = createScriptedModel(
    { turns: [{ tools: [{ name: "bash", input: { command: "true" } }] }, { text: "done" }] },
    { clock: systemClock },
  );
  const harness = await openHarness({ store: "memory", models: { scripted: model }, environment: {} });
  const options = { model: "scripted:x", workspace: folder, policy: { sandbox_grace_ms: 0 } };
  const session = await createSession(harness, sessionConfig(options), [hello]);
  expect(await wake(harness, session)).toMatchObject({ status: "left", state: { sandbox: null } });
  await harness.close();
  expect(readdirSync(join(folder, "temporary"))).toEqual([]);
});

test.each([
  [{ store: "redis" }, "E_BACKEND_UNKNOWN", /"redis"; there are memory, sqlite/],
  [{ store: "sqlite" }, "E_USAGE", /needs a state folder/],
  [{ stateFolder: "state" }, "E_USAGE", /"state" is no absolute path/],
])("%j is refused with what is wrong", async (options, code, message) => {
  await expect(openHarness(options)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});
