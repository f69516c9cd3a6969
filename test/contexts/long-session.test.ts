/**
 * A session of two hundred turns through five fresh contexts: real files, a real harness, a model that knows nothing
 * but what its context says.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { contractHash } from "../../src/core/contract/contract.ts";
import { event, type SessionEvent } from "../../src/core/events/index.ts";
import type { SessionId } from "../../src/core/ids.ts";
import type { Json } from "../../src/core/text.ts";
import type { ModelRequest } from "../../src/model/contract.ts";
import { createScriptedModel, type ScriptTurn } from "../../src/model/scripted.ts";
import { createSession, newSessionId } from "../../src/runtime/client.ts";
import { openHarness } from "../../src/runtime/open.ts";
import { chooseSandbox } from "../../src/runtime/registry.ts";
import { sessionConfig } from "../../src/runtime/session-config.ts";
import { systemClock } from "../../src/runtime/system.ts";
import { wake } from "../../src/runtime/wake.ts";
import { contractWith } from "../support/contract-events.ts";
import { bodiesOf } from "../support/world.ts";

const TURNS = 200;
const RESETS = 5;
const BAD = "module.exports = 'a hack';\n";

const contract = contractWith({
  goal: "Make answer.js export 42.",
  constraints: ["never touch: vendor/**", "Keep it short."],
  criteria: [
    {
      id: "answer",
      description: "answer.js exports 42.",
      steps: [],
      check: { argv: ["node", "check.js"], folder: "", shell: false },
      role: "earn",
      rubric: [],
      needs: [],
    },
  ],
  protect: ["check.js"],
});

let folder = "";
let repository = "";
let sandbox = "";
beforeEach(async (context) => {
  sandbox = (await chooseSandbox(process.env).catch(() => undefined)) ?? "process";
  if (sandbox === "process") return context.skip("checks need a sandbox that isolates");
  folder = mkdtempSync(join(tmpdir(), "nightshift-contexts-"));
  repository = join(folder, "project");
  mkdirSync(join(repository, "vendor"), { recursive: true });
  writeFileSync(join(repository, "answer.js"), "module.exports = 0;\n");
  writeFileSync(join(repository, "vendor/lib.js"), "module.exports = 'theirs';\n");
  writeFileSync(join(repository, "check.js"), "process.exit(require('./answer.js') === 42 ? 0 : 1);\n");
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "one");
});
afterEach(() => {
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
});

function git(...words: readonly string[]): string {
  const identity = ["-c", "user.name=me", "-c", "user.email=me@example.org"];
  return execFileSync("git", [...identity, ...words], { cwd: repository, encoding: "utf8" }).trim();
}

const call = (name: string, input: Json): ScriptTurn => ({ tools: [{ name, input }] });
const write = (file_path: string, content: string): ScriptTurn => call("write", { file_path, content });

/** Turns that it has made in all contexts together: only the test counts them, no context could. */
class Agent {
  turns = 0;
  /** What it did first in each context that began with a next step. */
  readonly firstActions: { readonly told: string; readonly done: string }[] = [];

  respond(request: ModelRequest): ScriptTurn {
    this.turns += 1;
    const [opening] = request.messages;
    const answers = request.messages.filter(({ role }) => role === "assistant").length;
    const last = request.messages.at(-1);
    if (last?.role === "user" && last.text.includes("Call hand_off now")) return this.#handOff();
    const told = /# Exact next step\nRun: (.+)/.exec(opening?.role === "user" ? opening.text : "")?.[1];
    if (answers === 0 && told !== undefined) {
      this.firstActions.push({ told, done: told });
      return call("bash", { command: told });
    }
    if (this.turns > TURNS)
      return answers % 2 === 0 ? write("answer.js", "module.exports = 42;\n") : call("request_verdict", {});
    // In each context it tries what was given up, and what it may never do.
    if (answers === 1) return write("answer.js", BAD);
    if (answers === 2) return write("vendor/lib.js", "module.exports = 'mine';\n");
    if (answers === 3) return write("answer.js", `module.exports = ${this.turns};\n`);
    if (answers % 10 === 0) return call("bash", { command: `echo turn ${this.turns}` });
    return call("declare", {
      criterion: "other",
      status: "blocked",
      reason: "?",
      evidence: `turn ${this.turns}`,
    });
  }

  #handOff(): ScriptTurn {
    return call("hand_off", {
      next_step: `Run: echo step-${this.turns}`,
      decisions: [`Decision ${this.turns}.`],
      tried_and_failed: [{ approach: "a hack", reason: "it exports a text", files: ["answer.js"] }],
      unmet: [],
    });
  }
}

test("hands over five times, keeps its constraints, and is verified in the end", async () => {
  const agent = new Agent();
  const model = createScriptedModel((request) => agent.respond(request), { clock: systemClock });
  await using harness = await openHarness({
    stateFolder: join(folder, "state"),
    models: { scripted: model },
    environment: { PATH: process.env.PATH ?? "", HOME: folder },
  });
  const base = git("rev-parse", "HEAD");
  const session = newSessionId(harness);
  const workspaces = await harness.workspaces();
  await workspaces.prepare(
    session,
    repository,
    { dirty: "ignore", base, atMs: 0 },
    new AbortController().signal,
  );
  const config = sessionConfig({
    model: { provider: "scripted", id: "any", max_output_tokens: 1000 },
    sandbox,
    workspace: repository,
    base,
    contract,
    policy: {
      sandbox_grace_ms: 0,
      // It works on for two hundred turns without getting on, which is what breakers are for.
      breakers: {
        same_call: "off",
        oscillation: "off",
        no_progress: "off",
        resets: "off",
        tool_failure: "off",
      },
      context: { mode: "reset", window_tokens: 20_000, fill_max: 0.2, compact: false, resets_help: false },
    },
  });
  const sealed = event("contract.sealed", { contract, hash: contractHash(contract), source: "test" });
  const question = event("user.message", { content: [{ type: "text", text: "Go." }] });
  await createSession(harness, config, [sealed, question], session);
  const end = await wake(harness, session);
  const log = await logOf(harness, session);

  expect(end).toMatchObject({ state: { stopReason: { type: "verified" } } });
  expect(agent.turns).toBeGreaterThanOrEqual(TURNS);
  const resets = bodiesOf(log, "context.decided").filter(({ choice }) => choice === "reset");
  expect(resets.length).toBeGreaterThanOrEqual(RESETS);

  const handoffs = bodiesOf(log, "handoff.recorded");
  const calls = firstCalls(log);
  expect(handoffs.length).toBeGreaterThanOrEqual(RESETS);
  for (const [index, { frontier, goal, constraints, corrections, source }] of handoffs.entries()) {
    expect(source).toBe("model");
    expect({ goal, constraints }).toEqual({ goal: contract.goal, constraints: contract.constraints });
    expect(`Run: ${calls[index]}`).toBe(frontier.next_step);
    // It says that nothing is unmet; the log knows better.
    expect(corrections.map(({ question }) => question)).toEqual(["Which criteria are unmet?"]);
  }

  const refused = bodiesOf(log, "attempt.repeat_refused");
  expect(refused.length).toBeGreaterThanOrEqual(RESETS);
  expect(refused[0]).toMatchObject({ path: "answer.js", reason: "a hack: it exports a text" });
  const results = bodiesOf(log, "agent.tool_result").map(({ content }) => String(content[0]?.text));
  expect(results.filter((text) => text.includes("never touch: vendor/**")).length).toBeGreaterThanOrEqual(
    RESETS,
  );
  expect(bodiesOf(log, "tool.started").length).toBeGreaterThan(0);
}, 300_000);

/** The command of the first call in each context but the first. */
function firstCalls(log: readonly SessionEvent[]): readonly string[] {
  const commands: string[] = [];
  let isFresh = false;
  for (const { type, body } of log) {
    if (type === "session.thread_created") isFresh = body.reason === "reset";
    if (type !== "agent.tool_use" || !isFresh) continue;
    commands.push((body.input as { readonly command?: string }).command ?? "");
    isFresh = false;
  }
  return commands;
}

async function logOf(
  { store }: Awaited<ReturnType<typeof openHarness>>,
  session: SessionId,
): Promise<readonly SessionEvent[]> {
  const events: SessionEvent[] = [];
  for (;;) {
    const page = await store.getEvents(session, { after: events.length, limit: 1000 });
    if (page.length === 0) return events;
    events.push(...page);
  }
}
