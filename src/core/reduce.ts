/**
 * The fold: `reduce(state, event)`. Pure, synchronous and total: any event sequence gives a state, because old
 * logs must load for ever. What a sequence *means* is decided in `decide`; here facts are only noted.
 */
import { assert } from "./errors.ts";
import type { SessionEvent } from "./events/index.ts";
import type { SessionId } from "./ids.ts";
import { reduceAttempts } from "./reduce/attempts.ts";
import { reduceBranch } from "./reduce/branch.ts";
import { noteBreakers } from "./reduce/breakers.ts";
import { noteBudget } from "./reduce/budget.ts";
import { reduceCalls } from "./reduce/calls.ts";
import { reduceCommand } from "./reduce/command.ts";
import { reduceContract } from "./reduce/contract.ts";
import { reduceControl } from "./reduce/control.ts";
import { reduceEnvironment } from "./reduce/environment.ts";
import { reducePeople } from "./reduce/people.ts";
import { reduceRequests } from "./reduce/requests.ts";
import { reduceSandbox } from "./reduce/sandbox.ts";
import { reduceWorkspace } from "./reduce/workspace.ts";
import { emptyState, type SessionState } from "./state.ts";

/** The state after `event`. @throws NightshiftError `E_INTERNAL` when the event is not the next one */
export function reduce(state: SessionState, event: SessionEvent): SessionState {
  assert(
    event.seq === state.seq + 1,
    `event ${event.seq} does not follow ${state.seq} in ${state.sessionId}`,
  );
  // What people wait for, and what attempts are about, is told by events of all domains.
  const known = reduceAttempts(reducePeople(reduceBody(state, event), event), event);
  const next = reduceCommand(known, event, state);
  const placed = { ...next, seq: event.seq, lastEventAt: event.at };
  return {
    ...placed,
    budget: noteBudget(state, placed, event),
    breakers: noteBreakers(state, event),
  };
}

function reduceBody(state: SessionState, event: SessionEvent): SessionState {
  const domain = event.type.slice(0, event.type.indexOf("."));
  switch (domain) {
    case "preflight":
      return reduceContract(state, event);
    case "contract":
    case "verdict":
      return reduceBranch(reduceContract(state, event), event);
    case "branch":
      return reduceBranch(state, event);
    case "approval":
      return reduceContract(reduceEnvironment(state, event), event);
    case "session":
    case "user":
    case "control":
    case "harness":
      return reduceControl(state, event);
    case "budget":
      return reduceContract(reduceControl(state, event), event);
    case "span":
    case "model":
    case "judge":
      return reduceRequests(state, event);
    case "agent":
    case "tool":
      return reduceCalls(state, event);
    case "sandbox":
      return reduceSandbox(state, event);
    case "egress":
      if (event.type !== "egress.decided") return state;
      return event.body.phase === "set_up"
        ? { ...state, setUpEgress: event.body.to }
        : { ...state, egress: event.body.to };
    case "environment":
      return reduceEnvironment(state, event);
    case "checkpoint":
    case "workspace":
      return reduceWorkspace(state, event);
    default:
      return state;
  }
}

/** Folds a whole log, or what follows `from`. */
export function foldEvents(
  sessionId: SessionId,
  events: Iterable<SessionEvent>,
  from?: SessionState,
): SessionState {
  let state = from ?? emptyState(sessionId);
  for (const event of events) state = reduce(state, event);
  return state;
}
