/** Events for tests below the harness: what the catalogue accepts, and nothing that repeats. */
import { type EventInput, event } from "../../src/core/events/index.ts";

/** Time of every event; what matters is that it is the same each time. */
export const AT = 1_795_392_000_000;

/** Text that compresses and repeats badly, so that a changed byte is a changed text. */
export function filler(length: number, seed: number): string {
  let state = seed + 1;
  let text = "";
  while (text.length < length) {
    state = (state * 48_271) % 2_147_483_647;
    text += state.toString(36);
  }
  return text.slice(0, length);
}

/** `session.created` that the catalogue accepts. */
export function createdEvent(title: string): EventInput {
  return event("session.created", {
    title,
    metadata: {},
    agent: {
      name: "loop",
      worker: "loop",
      model: { provider: "scripted", id: "script.json", max_output_tokens: 1000 },
      system: "You are careful.",
      tools: ["shell"],
    },
    sandbox: { backend: "process", workspace: "/workspace", options: {} },
    limits: {},
    policy: {
      steering: "enqueue",
      idle_timeout_ms: 600_000,
      sandbox_grace_ms: 0,
      tool_wall_ms: 60_000,
      model_failures_max: 3,
      no_contact_ms: 60_000,
    },
  });
}

/** A message of a person. */
export function messageEvent(text: string): EventInput {
  return event("user.message", { content: [{ type: "text", text }] });
}

/** One turn: what the model said and did, with a long result every few turns. */
export function turnEvents(turn: number): EventInput[] {
  const call = `c${turn}_0`;
  const length = turn % 5 === 0 ? 20_000 : 300;
  return [
    event("agent.message", { request: turn, content: [{ type: "text", text: filler(200, turn) }] }),
    event("agent.tool_use", {
      request: turn,
      call,
      provider_call_id: `toolu_${turn}`,
      name: "shell",
      input: { command: `echo ${turn}` },
      evaluated_permission: "allow",
      effect: "side_effect",
    }),
    event("agent.tool_result", {
      call,
      run: 1,
      content: [{ type: "text", text: filler(length, turn + 1000) }],
      is_error: false,
      ending: "exited",
      exit_code: 0,
      duration_ms: 5,
      dropped_bytes: 0,
      in_doubt: false,
    }),
  ];
}
