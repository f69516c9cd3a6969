/** Facts about a program that works by itself: its attempts, its requests through the gateway, and what came of both. */
import { isDayCap } from "../budget/state.ts";
import { type CommandState, type CountedInput, type GatewayRequest, NO_COMMAND } from "../command/state.ts";
import type { EventBody, SessionEvent } from "../events/index.ts";
import type { SessionState } from "../state.ts";
import { verdictWished } from "./contract.ts";
import { settled } from "./requests.ts";

/** Smaller bodies say little: what a provider adds of its own is as large as they are. */
const TELLING_BYTES_MIN = 4096;
const MILLION = 1_000_000;

/** Notes what events of any domain mean for such a session. @param before - the state without this event */
export function reduceCommand(state: SessionState, event: SessionEvent, before: SessionState): SessionState {
  if (event.type === "session.created")
    return event.body.agent.worker === "command" ? { ...state, command: NO_COMMAND } : state;
  const { command } = state;
  if (command === null) return state;
  const update = (changes: Partial<CommandState>): SessionState => ({
    ...state,
    command: { ...command, ...changes },
  });
  switch (event.type) {
    case "attempt.started": {
      const { incarnation = "" } = event.body;
      // Whether a day's cap still holds was asked before; it is asked again of what this attempt wants.
      const exhausted = isDayCap(command.exhausted?.cap ?? "") ? null : command.exhausted;
      const begun = update({ incarnation, hasChanged: false, exhausted });
      return withUnsaved({ ...begun, answerOwed: false }, event.at);
    }
    case "checkpoint.created":
      return event.body.files_changed > 0 ? update({ hasChanged: true }) : state;
    case "attempt.ended":
      // Whatever it says of itself: what it has left is looked at.
      return { ...state, contract: state.contract && verdictWished(state.contract, "attempt") };
    case "verdict.given":
      return update({ fruitless: isFruitless(before, state) ? command.fruitless + 1 : 0 });
    case "budget.exhausted":
      return update({ exhausted: event.body });
    case "control.set_limits":
      return update({ exhausted: null });
    case "control.resume":
    case "user.message":
      return update({ fruitless: 0 });
    case "control.retry":
      return state.phase === "terminated" ? state : { ...update({ fruitless: 0 }), answerOwed: true };
    case "gateway.request_started":
      return started(update, state, command, event);
    case "gateway.request_ended":
      return ended(update, state, command, event.body);
    default:
      return state;
  }
}

/** A program may change any file at any time. */
function withUnsaved(state: SessionState, at: number): SessionState {
  const { workspace } = state;
  if (workspace === null) return state;
  const unsavedSince = workspace.unsaved === 0 ? at : workspace.unsavedSince;
  return { ...state, workspace: { ...workspace, unsaved: workspace.unsaved + 1, unsavedSince } };
}

/** Against the verdict before; the first one is against the base, of which all is known. */
function isFruitless({ contract: last, command }: SessionState, { contract: now }: SessionState): boolean {
  if (command?.hasChanged !== false) return false;
  const statuses = (contract: SessionState["contract"]): string => JSON.stringify(contract?.given?.criteria);
  return last?.given == null || statuses(last) === statuses(now);
}

type Update = (changes: Partial<CommandState>) => SessionState;

function started(
  update: Update,
  state: SessionState,
  command: CommandState,
  { body, at }: Pick<SessionEvent<"gateway.request_started">, "body" | "at">,
): SessionState {
  const { request: number, epoch, body_bytes: bodyBytes, reservation } = body;
  const open = [...command.open, { number, epoch, startedAt: at, bodyBytes, reservation }];
  return {
    ...update({ requests: number, open }),
    ledger: { ...state.ledger, requests: state.ledger.requests + 1 },
  };
}

function ended(
  update: Update,
  state: SessionState,
  command: CommandState,
  body: EventBody<"gateway.request_ended">,
): SessionState {
  const request = command.open.find(({ number }) => number === body.request);
  if (request === undefined) return state;
  const open = command.open.filter((each) => each !== request);
  const counted = countedAfter(command.counted, request, body.model_usage);
  return { ...update({ open, counted }), ledger: settled(state.ledger, request, body) };
}

function countedAfter(
  counted: CountedInput | null,
  { bodyBytes }: GatewayRequest,
  usage: EventBody<"gateway.request_ended">["model_usage"],
): CountedInput | null {
  if (usage === undefined || bodyBytes < TELLING_BYTES_MIN) return counted;
  const tokens = usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens;
  if (tokens === 0) return counted;
  return {
    bytes: Math.max(bodyBytes, counted?.bytes ?? 0),
    density: Math.max(Math.ceil((tokens * MILLION) / bodyBytes), counted?.density ?? 0),
  };
}
