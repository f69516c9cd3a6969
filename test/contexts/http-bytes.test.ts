/**
 * Contexts are a pure function of the log: tested on the bytes that real adapters put on the wire, with and without
 * harnesses that go away in between.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { event } from "../../src/core/events/index.ts";
import { NO_REDACTION } from "../../src/core/seal.ts";
import { createAnthropicModel } from "../../src/model/anthropic.ts";
import type { ModelAdapter } from "../../src/model/contract.ts";
import { createOpenAICompatibleModel } from "../../src/model/openai-compatible.ts";
import type { Script } from "../../src/model/script.ts";
import { type ScriptedServer, startScriptedServer } from "../../src/model/scripted-server.ts";
import { createSession } from "../../src/runtime/client.ts";
import { systemChance, systemClock, systemOwner } from "../../src/runtime/system.ts";
import { wake } from "../../src/runtime/wake.ts";
import { createProcessBackend } from "../../src/sandbox/process.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import { builtinTools } from "../../src/tool/builtin.ts";
import { createLoopWorker } from "../../src/worker/loop.ts";

const LONG = "long text ".repeat(2000);

const script: Script = {
  turns: [
    {
      thinking: "first I look",
      signature: "sig-1",
      text: "Looking.",
      tools: [{ name: "bash", input: { command: "echo one" } }],
    },
    {
      text: "Two at once.",
      tools: [
        { name: "bash", input: { command: "sleep 0.05; echo slow" } },
        { name: "bash", input: { command: "echo quick; exit 3" } },
        { name: "write", input: { file_path: "a.txt", content: LONG } },
      ],
    },
    { tools: [{ name: "read", input: { file_path: "a.txt" } }] },
    { thinking: "nearly", signature: "sig-2", text: "Done." },
  ],
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "nightshift-bytes-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const wires: { readonly name: string; readonly model: (url: string) => ModelAdapter }[] = [
  {
    name: "anthropic",
    model: (baseUrl) =>
      createAnthropicModel({ key: () => "test-key", clock: systemClock, baseUrl: `${baseUrl}/v1` }),
  },
  {
    name: "openai-compatible",
    model: (baseUrl) =>
      createOpenAICompatibleModel({ key: () => "test-key", clock: systemClock, baseUrl: `${baseUrl}/v1` }),
  },
];

test.each(wires)(
  "$name: bodies are byte-identical however often the harness goes away",
  async ({ name, model }) => {
    const whole = await bodiesOf(name, model, Number.POSITIVE_INFINITY);
    const broken = await bodiesOf(name, model, 2);
    expect(whole.sent.length).toBe(script.turns.length);
    // A request whose harness went away is sent again, with the same bytes.
    expect(distinct(broken.sent)).toEqual(whole.sent);
    expect(broken.wakes).toBeGreaterThan(4);
  },
);

test.each(wires)(
  "$name: each request's messages begin with those of the one before",
  async ({ name, model }) => {
    const { sent } = await bodiesOf(name, model, 3);
    const messages = distinct(sent).map((body) =>
      JSON.stringify((JSON.parse(body) as { messages: unknown[] }).messages),
    );
    for (const [index, text] of messages.entries()) {
      const before = messages[index - 1];
      if (before !== undefined) expect(text.startsWith(before.slice(0, -1))).toBe(true);
    }
  },
);

interface Run {
  /** Bodies, in the order they were sent. */
  readonly sent: readonly string[];
  readonly wakes: number;
}

/** Runs the script to its end; a harness goes away after every `progressMax` commits. @returns the bodies sent */
async function bodiesOf(
  name: string,
  model: (url: string) => ModelAdapter,
  progressMax: number,
): Promise<Run> {
  await using server = await startScriptedServer({ script, clock: systemClock, port: 0 });
  const owner = systemOwner("bytes");
  const store = createMemoryStore({ clock: systemClock, probe: { isDead: () => false } });
  const tools = new Map(builtinTools().map((tool) => [tool.name, tool]));
  const workspace = mkdtempSync(join(root, "workspace-"));
  const parts = { store, clock: systemClock, chance: systemChance, redactor: NO_REDACTION };
  const sessionId = await createSession(parts, configOf(name, workspace, [...tools.keys()]), [
    event("user.message", { content: [{ type: "text", text: "Please begin." }] }),
  ]);
  for (let wakes = 1; ; wakes++) {
    const worker = createLoopWorker({ model: model(server.url), tools, clock: systemClock });
    const backend = createProcessBackend({ folder: join(workspace, "..", "sandboxes") });
    const harness = {
      ...{
        store,
        clock: systemClock,
        owner,
        redactor: NO_REDACTION,
        tools,
        version: "test",
        leaseTtlMs: 10_000,
      },
      resolve: async () => ({ worker, backend }),
    };
    const goAway = new AbortController();
    let progress = 0;
    const onProgress = () => {
      progress += 1;
      if (progress > progressMax) goAway.abort();
    };
    const result = await wake(harness, sessionId, { signal: goAway.signal, onProgress });
    if (result.status === "left") return { sent: bodies(server), wakes };
  }
}

function configOf(provider: string, workspace: string, tools: string[]) {
  return {
    metadata: {},
    agent: {
      name: "bytes",
      worker: "loop" as const,
      model: { provider, id: "test-model", max_output_tokens: 1000 },
      system: "You are careful.",
      tools,
    },
    sandbox: { backend: "process", workspace, options: {} },
    limits: {},
    policy: {
      steering: "enqueue" as const,
      idle_timeout_ms: 60_000,
      sandbox_grace_ms: 0,
      tool_wall_ms: 20_000,
      model_failures_max: 5,
      no_contact_ms: 60_000,
    },
  };
}

function bodies(server: ScriptedServer): string[] {
  return server.requests.map((request) => request.body.toString("utf8"));
}

/** Without direct repetitions. */
function distinct(items: readonly string[]): string[] {
  return items.filter((item, index) => item !== items[index - 1]);
}
