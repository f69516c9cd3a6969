/** A context window opens, and pins everything that shapes its prefix. */
import { openingText } from "../attempt/opening.ts";
import { type EventBody, type EventInput, event } from "../events/index.ts";
import type { Sequence } from "../ids.ts";
import { threadId } from "../ids.ts";
import { contextStart, type SessionState } from "../state.ts";
import type { Now } from "../step.ts";
import { type Model, nameOf } from "./model.ts";

type Config = EventBody<"session.created">;
/** Why a thread begins. */
export type ThreadReason = EventBody<"session.thread_created">["reason"];

/** Why the next request needs a thread of its own; null when it goes on in the one that is there. */
export function threadWanted(
  { thread, attempts }: SessionState,
  model: Model,
  { profile }: Now,
): ThreadReason | null {
  if (thread === null) return "start";
  if (attempts.open?.hasThread === false) return "reset";
  if (!profile.renderers.includes(thread.renderer)) return "upgrade";
  return thread.model === nameOf(model) ? null : "model";
}

/** The next thread. */
export function openThread(
  state: SessionState,
  config: Config,
  model: Model,
  now: Now,
  reason: ThreadReason,
): EventInput {
  const { handoff, progress } = state.attempts;
  const isFresh = reason === "reset" || reason === "compact";
  const opening = reason === "upgrade" || reason === "model" ? null : openingText(state, now.at);
  const [kept] = progress.recent;
  return event("session.thread_created", {
    session_thread_id: threadId(state.sessionId, state.threads),
    agent_name: config.agent.name,
    reason,
    renderer: now.profile.renderer,
    system: config.agent.system,
    tools: toolsOf(config, now),
    model,
    from_seq: isFresh ? freshStart(state, reason) : Math.min(contextStart(state), state.seq),
    ...(opening !== null && { opening: [{ type: "text", text: opening }] }),
    ...(isFresh && handoff !== null && { handoff: handoff.number }),
    ...(reason === "compact" && kept !== undefined && { keep_from: kept.request }),
  });
}

function toolsOf(config: Config, { profile }: Now): EventBody<"session.thread_created">["tools"] {
  return config.agent.tools.flatMap((name) => {
    const tool = profile.tools.get(name);
    return tool === undefined
      ? []
      : [{ name, description: tool.description, input_schema: { ...tool.inputSchema } }];
  });
}

/** A context that begins anew needs what it begins with, and the messages that nobody has picked up. */
function freshStart({ queue, attempts, seq }: SessionState, reason: ThreadReason): Sequence {
  const [kept] = attempts.progress.recent;
  return Math.min(
    seq + 1,
    queue[0]?.[0]?.seq ?? seq + 1,
    attempts.handoff?.seq ?? seq + 1,
    reason === "compact" ? (kept?.seq ?? seq + 1) : seq + 1,
  );
}
