/** The model owes an answer, or messages wait: open the turn, check the caps, send the next request. */
import { openingText } from "../attempt/opening.ts";
import { type EventBody, type EventInput, event } from "../events/index.ts";
import { sandboxId, threadId } from "../ids.ts";
import { contextStart, costCharged, type SessionState, tokensCharged } from "../state.ts";
import { append, type Now, type Step } from "../step.ts";
import { attemptNews } from "./attempts.ts";
import { checkpointBeside, isCheckpointing } from "./checkpoint.ts";
import { requestSandbox } from "./sandbox.ts";

/** Messages in one event; whoever sends more than clients may gets several. */
const INPUT_MAX = 1000;
/** Answers in a row that may be cut off within their calls before a person is asked. */
const CUT_SHORT_MAX = 3;

/** One decision at a time; the driver asks again on the result and commits them together. */
export function answerOwed(state: SessionState, now: Now): Step {
  const { config } = state;
  if (config === null) return append();
  const news = attemptNews(state, now.at);
  if (news.length > 0) return append(...news);
  const reason = threadWanted(state, now);
  if (reason !== null) return append(openThread(state, config, now, reason));
  if (state.queue.length > 0) {
    return append(
      event("harness.input_accepted", {
        seqs: state.queue
          .flat()
          .slice(0, INPUT_MAX)
          .map((input) => input.seq),
      }),
    );
  }
  if (state.cutShort >= CUT_SHORT_MAX)
    return append(event("session.status_idle", { stop_reason: { type: "max_tokens" } }));
  const reservation = worstCase(state, config, now);
  const exceeded = exceededCap(state, config, reservation);
  if (exceeded !== null) {
    return append(
      event("budget.exhausted", exceeded),
      event("session.status_idle", { stop_reason: { type: "budget_reached", cap: exceeded.cap } }),
    );
  }
  return append(
    ...sandboxBeside(state, config),
    ...checkpointBeside(state, now.at),
    startRequest(state, config, now, reservation),
  );
}

type Config = EventBody<"session.created">;
type Reservation = EventBody<"span.model_request_start">["reservation"];

type ThreadReason = EventBody<"session.thread_created">["reason"];

/** Why the next request needs a thread of its own; null when it goes on in the one that is there. */
function threadWanted({ thread, attempts }: SessionState, { profile }: Now): ThreadReason | null {
  if (thread === null) return "start";
  if (attempts.open?.hasThread === false) return "reset";
  return profile.renderers.includes(thread.renderer) ? null : "upgrade";
}

function openThread(state: SessionState, config: Config, now: Now, reason: ThreadReason): EventInput {
  const opening = reason === "upgrade" ? null : openingText(state, now.at);
  const tools = config.agent.tools.flatMap((name) => {
    const tool = now.profile.tools.get(name);
    return tool === undefined
      ? []
      : [{ name, description: tool.description, input_schema: { ...tool.inputSchema } }];
  });
  return event("session.thread_created", {
    session_thread_id: threadId(state.sessionId, state.threads),
    agent_name: config.agent.name,
    reason,
    renderer: now.profile.renderer,
    system: config.agent.system,
    tools,
    model: config.agent.model,
    from_seq: reason === "reset" ? resetStart(state) : Math.min(contextStart(state), state.seq),
    ...(opening !== null && { opening: [{ type: "text", text: opening }] }),
  });
}

/** An empty context needs nothing from before its thread but the messages that nobody has picked up. */
function resetStart({ queue, seq }: SessionState): number {
  return queue[0]?.[0]?.seq ?? seq + 1;
}

/** Provisioning starts beside the first request, which does not wait for it. */
function sandboxBeside(state: SessionState, config: Config): EventInput[] {
  if (state.sandbox !== null || config.agent.tools.length === 0 || isCheckpointing(state)) return [];
  return [requestSandbox(state, sandboxId(state.sessionId, state.sandboxes))];
}

function startRequest(state: SessionState, config: Config, now: Now, reservation: Reservation): EventInput {
  return event("span.model_request_start", {
    request: state.requests + 1,
    session_thread_id: state.thread?.id ?? "",
    epoch: now.epoch,
    model: `${config.agent.model.provider}:${config.agent.model.id}`,
    through_seq: state.seq,
    context_hash: now.context().hash,
    reservation,
  });
}

/** Every input token uncached, every output token used; of the context only what is new since the last count. */
function worstCase(state: SessionState, config: Config, now: Now): Reservation {
  const { price, max_output_tokens } = config.agent.model;
  const input = Math.max(0, now.context().tokens - state.inputSurplus);
  const inputPrice = price === undefined ? 0 : Math.max(price.input, price.cache_write);
  const micro = price === undefined ? 0 : (input * inputPrice + max_output_tokens * price.output) / 1_000_000;
  return { tokens: input + max_output_tokens, cost_micro_usd: Math.ceil(micro) };
}

function exceededCap(
  state: SessionState,
  config: Config,
  reservation: Reservation,
): EventBody<"budget.exhausted"> | null {
  const { limits } = config;
  const caps = [
    { cap: "model_requests", limit: limits.model_requests, used: state.ledger.requests, wanted: 1 },
    { cap: "tokens", limit: limits.tokens, used: tokensCharged(state), wanted: reservation.tokens },
    {
      cap: "cost_micro_usd",
      limit: limits.cost_micro_usd,
      used: costCharged(state),
      // Without a price nobody can tell; a cap that is not kept would be worse than none.
      wanted:
        config.agent.model.price === undefined
          ? (limits.cost_micro_usd ?? 0) + 1
          : reservation.cost_micro_usd,
    },
  ];
  for (const { cap, limit, used, wanted } of caps) {
    if (limit !== undefined && used + wanted > limit) return { cap, limit, used, wanted };
  }
  return null;
}
