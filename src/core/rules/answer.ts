/** The model owes an answer, or messages wait: open the turn, check the caps, send the next request. */
import { openingText } from "../attempt/opening.ts";
import { type EventBody, type EventInput, event } from "../events/index.ts";
import { sandboxId, threadId } from "../ids.ts";
import { contextStart, type SessionState } from "../state.ts";
import { append, type Now, type Step } from "../step.ts";
import { attemptNews } from "./attempts.ts";
import { breakerStep } from "./breakers.ts";
import { exceededAttempts, exceededCap, park, type Reservation, worstCase } from "./budget.ts";
import { checkpointBeside, isCheckpointing } from "./checkpoint.ts";
import { type Model, modelToAsk, nameOf } from "./model.ts";
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
  if (news.length > 0) return withinAttempts(state, news, now);
  const model = modelToAsk(state, now.at) ?? config.agent.model;
  const reason = threadWanted(state, model, now);
  if (reason !== null) return append(openThread(state, config, model, now, reason));
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
  const stopped = breakerStep(state);
  if (stopped !== null) return stopped;
  const reservation = worstCase(state, now);
  const exhausted = exceededCap(state, reservation, now);
  if (exhausted !== null) return park(exhausted, now);
  return append(
    ...sandboxBeside(state, config),
    ...checkpointBeside(state, now.at),
    startRequest(state, model, now, reservation),
  );
}

type Config = EventBody<"session.created">;

/** No attempt begins beyond the cap. */
function withinAttempts(state: SessionState, news: readonly EventInput[], now: Now): Step {
  const begins = news.some(({ type }) => type === "attempt.started");
  const exhausted = begins ? exceededAttempts(state) : null;
  return exhausted === null ? append(...news) : park(exhausted, now);
}

type ThreadReason = EventBody<"session.thread_created">["reason"];

/** Why the next request needs a thread of its own; null when it goes on in the one that is there. */
function threadWanted(
  { thread, attempts }: SessionState,
  model: Model,
  { profile }: Now,
): ThreadReason | null {
  if (thread === null) return "start";
  if (attempts.open?.hasThread === false) return "reset";
  if (!profile.renderers.includes(thread.renderer)) return "upgrade";
  return thread.model === nameOf(model) ? null : "model";
}

function openThread(
  state: SessionState,
  config: Config,
  model: Model,
  now: Now,
  reason: ThreadReason,
): EventInput {
  const opening = reason === "upgrade" || reason === "model" ? null : openingText(state, now.at);
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
    model,
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

function startRequest(state: SessionState, model: Model, now: Now, reservation: Reservation): EventInput {
  return event("span.model_request_start", {
    request: state.requests + 1,
    session_thread_id: state.thread?.id ?? "",
    epoch: now.epoch,
    model: nameOf(model),
    through_seq: state.seq,
    context_hash: now.context().hash,
    reservation,
  });
}
