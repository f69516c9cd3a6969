/** Random stories for {@link ModelSession}: what people send, what performers find, when drivers die. */
import fc from "fast-check";
import type { Intent } from "../../src/core/decide.ts";
import { type EventBody, type EventInput, event } from "../../src/core/events/index.ts";
import type { SessionState } from "../../src/core/state.ts";
import { publish, publishedBranch, refusedBranch } from "./branch-events.ts";
import {
  amend,
  contractWith,
  decidedOn,
  handoffRecorded,
  preflightFinished,
  reviewOf,
  verdictGiven,
  verdictWanted,
  waive,
} from "./contract-events.ts";
import {
  answered,
  called,
  cancel,
  checkpointCreated,
  checkpointFailed,
  commitOf,
  confirmed,
  destroyed,
  failedWith,
  inDoubt,
  interrupt,
  notified,
  pause,
  prepared,
  replied,
  restoredTo,
  result,
  resume,
  rewind,
  said,
  sandboxLost,
  sandboxReady,
  saveNow,
  servicesFailed,
  servicesReady,
  setLimits,
  stop,
} from "./events.ts";
import type { ModelSession } from "./model-session.ts";

/** One thing that happens. `pick` chooses among the intents that are named just then. */
export type Happening =
  | { readonly kind: "client"; readonly event: EventInput }
  | { readonly kind: "performed"; readonly pick: number; readonly outcome: Outcome }
  | { readonly kind: "crash" }
  | { readonly kind: "time"; readonly ms: number };

/** Numbers that choose what a performer finds, whatever its kind. */
interface Outcome {
  readonly way: number;
  readonly incarnation: string;
  readonly effects: readonly (readonly [Effect, Permission, boolean])[];
  readonly content: string | null;
}

type Effect = "read_only" | "idempotent" | "reconcilable" | "side_effect" | "irreversible";
type Permission = "allow" | "ask" | "deny";

const effect: fc.Arbitrary<Effect> = fc.constantFrom(
  "read_only",
  "idempotent",
  "reconcilable",
  "side_effect",
  "irreversible",
);
const permission: fc.Arbitrary<Permission> = fc.constantFrom("allow", "allow", "allow", "ask", "deny");

const outcome: fc.Arbitrary<Outcome> = fc.record({
  way: fc.nat(9),
  incarnation: fc.constantFrom("i1", "i2", "i3"),
  effects: fc.array(fc.tuple(effect, permission, fc.boolean()), { maxLength: 3 }),
  content: fc.constantFrom(null, "old", "new", "third"),
});

const steering = fc.constantFrom("enqueue", "interrupt", "reject", undefined);
const call = fc.tuple(fc.integer({ min: 1, max: 8 }), fc.nat(2)).map(([r, index]) => `c${r}_${index}`);

const client: fc.Arbitrary<EventInput> = fc.oneof(
  { weight: 6, arbitrary: steering.map((how) => said("go", how)) },
  { weight: 3, arbitrary: fc.tuple(call, fc.constantFrom("allow", "deny")).map(([c, r]) => confirmed(c, r)) },
  { weight: 3, arbitrary: fc.constant(resume) },
  { weight: 2, arbitrary: fc.constantFrom(pause, interrupt, stop, saveNow, rewind(0)) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      verdictWanted,
      publish,
      decidedOn("approve"),
      decidedOn("deny"),
      waive(),
      amend(contractWith({ constraints: ["No new dependencies."] })),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 20 }).map((most) => setLimits({ model_requests: most })),
  },
);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 3, arbitrary: client.map((each) => ({ kind: "client" as const, event: each })) },
  {
    weight: 12,
    arbitrary: fc.tuple(fc.nat(7), outcome).map(([pick, found]) => ({
      kind: "performed" as const,
      pick,
      outcome: found,
    })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "crash" as const }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(1, 15_000, 700_000, -5000).map((ms) => ({ kind: "time" as const, ms })),
  },
);

/** A story; one in ten has a cancel in it. */
export const anyStory: fc.Arbitrary<readonly Happening[]> = fc
  .tuple(fc.array(happening, { minLength: 10, maxLength: 80 }), fc.nat(9), fc.nat(79))
  .map(([all, chance, at]) =>
    chance > 0 ? all : all.toSpliced(at, 0, { kind: "client", event: cancel } satisfies Happening),
  );

/** Lets one thing happen. @param named - the intents that are wanted now */
export function happen(session: ModelSession, named: readonly Intent[], what: Happening): void {
  const intent = what.kind === "performed" ? named[what.pick % Math.max(1, named.length)] : undefined;
  if (what.kind === "client") session.submit(what.event);
  if (what.kind === "crash") session.crash();
  if (what.kind === "time") session.pass(what.ms);
  if (what.kind === "performed" && intent !== undefined)
    session.receive(intent, found(intent, what.outcome, session));
}

function found(intent: Intent, how: Outcome, session: ModelSession): EventInput[] {
  const incarnation = session.state.sandbox?.incarnation ?? "";
  const isLost = how.way === 0;
  switch (intent.kind) {
    case "model":
      return how.way < 2
        ? [failedWith(intent.request, how.way === 0 ? "network" : "rate_limit")]
        : answer(intent.request, how);
    case "exec":
      if (isLost) return [sandboxLost("E_SANDBOX_LOST", session.state.sandbox?.id, incarnation)];
      if (how.way < 3)
        return [inDoubt(intent.call.call, intent.call.run, how.way === 1 ? "unknown" : "not_started")];
      return [result(intent.call.call, intent.call.run)];
    case "prepare":
      if (isLost) return [sandboxLost("E_SANDBOX_LOST", session.state.sandbox?.id, incarnation)];
      if (how.way === 1 && intent.call.status !== "in_doubt")
        return [result(intent.call.call, intent.call.run)];
      return [prepared(intent.call.call, how.content, "new")];
    case "cancel":
      return isLost ? [sandboxLost("E_SANDBOX_LOST", session.state.sandbox?.id, incarnation)] : [];
    case "provision":
      if (how.way < 2) return [sandboxLost("E_SANDBOX_UNAVAILABLE", intent.sandbox)];
      return [sandboxReady(how.incarnation, intent.sandbox), ...restored(session.state)];
    case "services":
      if (isLost) return [sandboxLost("E_SANDBOX_LOST", intent.sandbox, incarnation)];
      return [
        how.way < 3
          ? servicesFailed(incarnation, intent.sandbox)
          : servicesReady(incarnation, intent.sandbox),
      ];
    case "checkpoint":
      return [how.way < 2 ? checkpointFailed(intent.number) : checkpointCreated(intent.number)];
    case "preflight":
      return [preflightFinished(how.way === 0 ? "not_found" : undefined)];
    case "verdict":
      return [verdict(intent.number, how, session.state)];
    case "publish":
      return [how.way < 2 ? refusedBranch(session.state) : publishedBranch(session.state)];
    case "handoff":
      return [handoffRecorded(intent.number)];
    case "notify":
      return [notified(intent.seq, intent.target, how.way > 2)];
    case "attempt":
      return [attemptOver(intent.attempt, isLost ? "lost" : "exited")];
    case "destroy":
      return [destroyed(intent.sandbox)];
  }
}

function attemptOver(attempt: number, ending: "lost" | "exited"): EventInput {
  return event("attempt.ended", { attempt, ending, duration_ms: 1 });
}

function verdict(number: number, { way, content }: Outcome, { contract }: SessionState): EventInput {
  const outcome = way === 0 ? "error" : way < 3 ? "review" : way < 7 ? "unmet" : "met";
  const hash = contract?.hash ?? "";
  const firstOnly = outcome === "unmet" && way % 2 === 0;
  return verdictGiven(number, outcome, {
    criteria: statuses(contract, outcome, firstOnly),
    contract_hash: hash,
    commit: commitOf(content === "new" ? 1 : 0),
    review: outcome === "review" ? reviewOf() : [],
  });
}

/** Of every criterion of the contract. */
function statuses(
  contract: SessionState["contract"],
  outcome: EventBody<"verdict.given">["outcome"],
  firstOnly: boolean,
): EventBody<"verdict.given">["criteria"] {
  return (contract?.contract.criteria ?? []).map(({ id }, index) => ({
    criterion: id,
    status: outcome === "met" || (firstOnly && index === 0) ? "met" : outcome === "error" ? "error" : "unmet",
    strength: "in-process",
    reason: "as it was found",
    evidence: [],
  }));
}

function answer(request: number, how: Outcome): EventInput[] {
  const hasCalls = how.effects.length > 0;
  const stop_reason = hasCalls ? "tool_use" : how.way === 9 ? "refusal" : "end_turn";
  const calls = how.effects.map(([kind, evaluated_permission, fits], index) =>
    called(request, index, kind, {
      evaluated_permission,
      ...(fits || how.way < 8 ? {} : { invalid: "it does not fit" }),
    }),
  );
  return [answered(request, { stop_reason }), replied(request, `answer ${request}`), ...calls];
}

/** What a kind performer finds: all goes well, and the model has nothing more to do. */
export function foundWell(intent: Intent, state: SessionState): EventInput[] {
  switch (intent.kind) {
    case "model":
      return [answered(intent.request), replied(intent.request, "done")];
    case "exec":
      return [result(intent.call.call, intent.call.run)];
    case "prepare":
      return [event("tool.prepared", { call: intent.call.call, path: "/a", before: "old", after: "new" })];
    case "cancel":
      return [];
    case "provision":
      return [sandboxReady("i4", intent.sandbox), ...restored(state)];
    case "services":
      return [servicesReady(state.sandbox?.incarnation, intent.sandbox)];
    case "checkpoint":
      return [checkpointCreated(intent.number)];
    case "preflight":
      return [preflightFinished()];
    case "verdict":
      return [
        verdictGiven(intent.number, "met", {
          contract_hash: state.contract?.hash ?? "",
          criteria: statuses(state.contract, "met", false),
        }),
      ];
    case "publish":
      return [publishedBranch(state)];
    case "handoff":
      return [handoffRecorded(intent.number)];
    case "notify":
      return [notified(intent.seq, intent.target)];
    case "attempt":
      return [attemptOver(intent.attempt, "exited")];
    case "destroy":
      return [destroyed(intent.sandbox)];
  }
}

/** What a performer adds when the new sandbox begins with older files than the last one had. */
function restored({ workspace }: SessionState): EventInput[] {
  if (workspace === null || (workspace.unsaved === 0 && !workspace.isStale)) return [];
  const calls = workspace.unsavedCalls.map(({ call }) => call);
  return [restoredTo(workspace.saved.number, calls)];
}
