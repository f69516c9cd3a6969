/** The model owes an answer, or messages wait: open the turn, check the caps, send the next request. */
import { type EventBody, type EventInput, event } from "../events/index.ts";
import { sandboxId } from "../ids.ts";
import type { SessionState } from "../state.ts";
import { append, inFlight, type Now, perform, type Step } from "../step.ts";
import { attemptNews } from "./attempts.ts";
import { breakerStep } from "./breakers.ts";
import { exceededAttempts, exceededCap, park, type Reservation, worstCase } from "./budget.ts";
import { checkpointBeside, isCheckpointing } from "./checkpoint.ts";
import { type Model, modelToAsk, nameOf } from "./model.ts";
import { requestSandbox } from "./sandbox.ts";
import { openThread, threadWanted } from "./thread.ts";

/** Messages in one event; whoever sends more than clients may gets several. */
const INPUT_MAX = 1000;
/** Answers in a row that may be cut off within their calls before a person is asked. */
const CUT_SHORT_MAX = 3;

/** One decision at a time; the driver asks again on the result and commits them together. */
export function answerOwed(state: SessionState, now: Now): Step {
  const { config } = state;
  if (config === null) return append();
  if (state.attempts.making !== null) return perform(inFlight(state));
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
  return breakerStep(state) ?? sendRequest(state, now);
}

/** Sends what the context is now, if the caps allow it. */
export function sendRequest(state: SessionState, now: Now): Step {
  const { config } = state;
  if (config === null) return append();
  const model = modelToAsk(state, now.at) ?? config.agent.model;
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
