/**
 * The effects. One small performer per kind of intent; each returns the events that say what came of it, and
 * treats a lost sandbox as such an outcome. What a performer throws stops the driver.
 */
import type { Clock } from "../core/clock.ts";
import type { Context } from "../core/context.ts";
import { messagesOf } from "../core/context.ts";
import type { Intent } from "../core/decide.ts";
import { assert, isNightshiftError, messageOf, NightshiftError } from "../core/errors.ts";
import { type EventBody, type EventInput, event } from "../core/events/index.ts";
import type { Sequence } from "../core/ids.ts";
import type { Wanted } from "../core/rules/budget.ts";
import type { CallState, SandboxState, SessionState } from "../core/state.ts";
import type { Json } from "../core/text.ts";
import type { Fence, Sandbox, SandboxBackend } from "../sandbox/contract.ts";
import type { Tool } from "../tool/contract.ts";
import { doubtFrom, receiptOf, refusedAnswer, withoutTool } from "../tool/receipts.ts";
import type { Worker } from "../worker/contract.ts";
import { checkpointOf, filesOf, goneWithTheLastOne, type OpenWorkspaces } from "./checkouts.ts";
import { lostEvent, type SandboxConnections } from "./connections.ts";
import { type Deadlines, within } from "./deadlines.ts";
import { type HandoffParts, recordHandoff } from "./handoffs.ts";
import type { Notifier } from "./notify/contract.ts";
import { notify } from "./notify/notify.ts";
import { type SessionAttempts, watchAttempt } from "./session-attempts.ts";
import type { SessionBranch } from "./session-branch.ts";
import { mountsOf } from "./session-config.ts";
import type { SessionLayers } from "./session-layers.ts";
import type { SessionReferee } from "./session-referee.ts";
import { type SessionServices, serve } from "./session-services.ts";
import { surroundingsFor } from "./surroundings.ts";
import type { WayOut } from "./way-out.ts";

/** Kept output of one execution. */
const OUTPUT_BYTES = 100_000;
const PROVISION_TIMEOUT_MS = 120_000;
/** For a large repository that is checked out for the first time. */
const FILES_TIMEOUT_MS = 30 * 60_000;
/** For what a daemon that lives answers at once. */
const CONTACT_TIMEOUT_MS = 30_000;
const DESTROY_TIMEOUT_MS = 60_000;
/** How long past its own limit an execution may stay silent before its daemon counts as lost. */
const DAEMON_GRACE_MS = 30_000;
const DESTROY_TRIES = 3;

/** What performers work with. */
export interface PerformerParts {
  /** Null for sessions whose worker is a program. */
  readonly worker: Worker | null;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly backend: SandboxBackend;
  /** For sessions with a checkout of their own. */
  readonly workspaces: OpenWorkspaces;
  /** For sessions that may reach hosts. */
  readonly wayOut: WayOut | null;
  /** For sessions whose commands need more than the files. */
  readonly layers: SessionLayers | null;
  /** For sessions with a contract. */
  readonly referee: SessionReferee | null;
  /** For sessions whose work becomes a branch. */
  readonly branch: SessionBranch | null;
  readonly handoffs: HandoffParts;
  /** For people who are away. */
  readonly notifier: Notifier | null;
  /** For sessions whose worker is a program. */
  readonly attempts: SessionAttempts | null;
  /** For sessions whose sandboxes have ports of their own. */
  readonly services: SessionServices | null;
  readonly connections: SandboxConnections;
  /** Of the lease. */
  readonly epoch: number;
  readonly deadlines: Deadlines;
  readonly clock: Clock;
  /** Called for output of a running command, for live views; never stored from here. */
  readonly onOutput?: (call: CallState, text: string) => void;
  /** The same for a program that works by itself. */
  readonly onProgramOutput?: (text: string) => void;
}

/** The committed fold at the moment a performer starts, and the ways to be stopped and to show life. */
export interface Moment {
  readonly state: SessionState;
  /** The committed fold as it is by now. */
  readonly latest: () => SessionState;
  readonly context: Context;
  readonly signal: AbortSignal;
  readonly onSignOfLife: () => void;
  /** Takes note of facts that nobody asked for; they are committed whatever becomes of the intent. */
  readonly onFacts: (facts: readonly EventInput[]) => void;
  /** The same for one, and waits until it is in the log. @returns its place there */
  readonly onFact: (fact: EventInput) => Promise<Sequence>;
  /**
   * The same for a reservation, which is refused when the day has no room for it.
   * @throws NightshiftError `E_CAP_REACHED`, with `data.exhausted`
   */
  readonly onReservation: (fact: EventInput, wanted: Wanted) => Promise<Sequence>;
  /** Is the lease ours at this very moment? For effects outside of everything that knows of epochs. */
  readonly isHeld: () => Promise<boolean>;
}

/** Performs an intent that is in the committed fold. @throws NightshiftError `E_SANDBOX_STALE` for a fenced driver */
export async function performIntent(
  parts: PerformerParts,
  intent: Intent,
  moment: Moment,
): Promise<readonly EventInput[]> {
  switch (intent.kind) {
    case "model":
      return askModel(parts, intent.request, moment);
    case "exec":
      return orLost(parts, moment, () => execute(parts, intent, moment));
    case "prepare":
      return orLost(parts, moment, () => prepare(parts, intent.call, moment));
    case "cancel":
      return orLost(parts, moment, async () => {
        const sandbox = await connect(parts, moment);
        await inContact(parts, moment, () => sandbox.cancel(intent.execId));
        return [];
      });
    case "provision":
      return provision(parts, sandboxOf(moment), moment);
    case "services":
      return orLost(parts, moment, () => serve(parts, moment, () => connect(parts, moment)));
    case "checkpoint":
      return checkpoint(parts, intent.number, moment);
    case "attempt":
      return orLost(parts, moment, async () =>
        watchAttempt(parts, intent, moment, await connect(parts, moment)),
      );
    case "preflight":
      return [event("preflight.finished", await refereeOf(parts).preflight(moment.state, moment.signal))];
    case "verdict":
      return judge(parts, moment);
    case "publish":
      return branchOf(parts).publish(moment.state, moment.isHeld, moment.signal);
    case "handoff":
      return [await recordHandoff(parts.handoffs, intent.number, moment.state, moment.signal)];
    case "notify":
      return [event("notification.sent", await notify(parts.notifier, intent, moment.state, moment.signal))];
    case "destroy":
      return destroy(parts, sandboxOf(moment), moment);
  }
}

function branchOf({ branch }: PerformerParts): SessionBranch {
  if (branch !== null) return branch;
  throw new NightshiftError("E_BACKEND_UNKNOWN", "this harness was opened without branches");
}

/** What a cap stands in the way of goes on once a person has raised it. */
async function judge(parts: PerformerParts, moment: Moment): Promise<readonly EventInput[]> {
  try {
    return [event("verdict.given", await refereeOf(parts).verdict(moment))];
  } catch (error) {
    if (moment.signal.aborted || !isNightshiftError(error, "E_CAP_REACHED")) throw error;
    return [event("budget.exhausted", error.data.exhausted as EventBody<"budget.exhausted">)];
  }
}

function refereeOf({ referee }: PerformerParts): SessionReferee {
  if (referee !== null) return referee;
  throw new NightshiftError("E_BACKEND_UNKNOWN", "this harness was opened without a referee");
}

async function askModel(
  parts: PerformerParts,
  request: number,
  moment: Moment,
): Promise<readonly EventInput[]> {
  const { context, signal, onSignOfLife } = moment;
  const { worker } = parts;
  assert(context.thread !== null && worker !== null, "a model request has a thread and a worker");
  return worker.advance({
    request,
    thread: context.thread,
    messages: messagesOf(context),
    onSignOfLife,
    signal,
  });
}

async function execute(
  parts: PerformerParts,
  intent: Extract<Intent, { kind: "exec" }>,
  moment: Moment,
): Promise<EventInput[]> {
  const { call } = intent;
  const tool = parts.tools.get(call.name);
  if (tool === undefined || tool.operation === "session") return [withoutTool(call)];
  const { operation } = tool;
  const sandbox = await connect(parts, moment);
  const wallMs = moment.state.config?.policy.tool_wall_ms ?? 0;
  const request = {
    execId: intent.execId,
    incarnation: call.incarnation,
    operation,
    input: inputOf(call, moment),
    limits: { wallMs, outputBytes: OUTPUT_BYTES },
    ...(call.intended === null ? {} : { expectedBefore: call.intended.before }),
  };
  const onOutput = (text: string) => {
    moment.onSignOfLife();
    parts.onOutput?.(call, text);
  };
  try {
    const reply = await within(parts.deadlines, wallMs + DAEMON_GRACE_MS, moment.signal, (signal) =>
      sandbox.execute(request, { signal, onOutput }),
    );
    noteDecisions(parts, moment);
    const news = parts.services?.news(sandbox, moment.state) ?? [];
    if (news.length > 0) moment.onFacts(news);
    return [receiptOf(call, reply)];
  } catch (error) {
    // What a daemon cannot note down it does not begin.
    if (!isNightshiftError(error, "E_SANDBOX_UNAVAILABLE")) throw error;
    return [doubtFrom(call, "not_started", error.message)];
  }
}

async function prepare(parts: PerformerParts, call: CallState, moment: Moment): Promise<EventInput[]> {
  const tool = parts.tools.get(call.name);
  if (tool === undefined) return [withoutTool(call)];
  assert(tool.operation === "write" || tool.operation === "edit", `${tool.name} changes a file`);
  const sandbox = await connect(parts, moment);
  const { operation } = tool;
  const reply = await inContact(parts, moment, (signal) =>
    sandbox.prepare(operation, inputOf(call, moment), signal),
  );
  if (reply.status === "prepared") {
    return [
      event("tool.prepared", { call: call.call, path: reply.path, before: reply.before, after: reply.after }),
    ];
  }
  if (call.status !== "in_doubt") return [refusedAnswer(call, reply.reason)];
  // The edit no longer applies, perhaps because it has happened: what the file holds now tells.
  const now = reply.before ?? null;
  return [event("tool.prepared", { call: call.call, path: "", before: now, after: now })];
}

async function provision(
  parts: PerformerParts,
  sandbox: SandboxState,
  moment: Moment,
): Promise<EventInput[]> {
  const { config } = moment.state;
  assert(config !== null, "a session has a configuration");
  try {
    const files = await within(parts.deadlines, FILES_TIMEOUT_MS, moment.signal, (signal) =>
      filesOf(
        { open: parts.workspaces, backend: parts.backend, fence: fenceOf(parts, moment) },
        sandbox,
        moment.state,
        signal,
      ),
    );
    const { mounts, facts, ...around } = await surroundingsFor(parts, sandbox, files, moment);
    const spec = {
      id: sandbox.id,
      ...files,
      ...around,
      fence: fenceOf(parts, moment),
      noContactMs: config.policy.no_contact_ms,
      options: config.sandbox.options,
      mounts: [...mounts, ...mountsOf(config.sandbox.options)],
      ...(parts.wayOut && { egress: await parts.wayOut.open(moment.signal) }),
    };
    const made = await within(parts.deadlines, PROVISION_TIMEOUT_MS, moment.signal, (signal) =>
      parts.backend.provision(spec, signal),
    );
    const ready = event("sandbox.ready", {
      sandbox: sandbox.id,
      incarnation: made.incarnation,
      handle: { ...made.handle },
      ...(made.limits && { limits: { ...made.limits } }),
    });
    return [...facts, ready, ...goneWithTheLastOne(sandbox, moment.state)];
  } catch (error) {
    // Whoever has the lease now makes it; a fenced driver has nothing to say of it.
    if (moment.signal.aborted || isNightshiftError(error, "E_SANDBOX_STALE")) throw error;
    return [lostEvent({ sandbox: sandbox.id }, error)];
  }
}

async function checkpoint(parts: PerformerParts, number: number, moment: Moment): Promise<EventInput[]> {
  const { state, signal } = moment;
  const running = await endLost(parts, moment);
  if (running !== null)
    return [event("checkpoint.failed", { number, reason: running.slice(0, 2000), code: "E_WORKSPACE_BUSY" })];
  const events = await checkpointOf(parts.workspaces, state, number, parts.clock, signal);
  const made = events.find((each) => each.type === "checkpoint.created");
  if (made === undefined || parts.layers === null) return events;
  return [...events, ...(await parts.layers.examine(state, made.body.commit, signal))];
}

/**
 * A sandbox that is lost to us may live, and its commands go on changing files: what it has left stands still only once
 * it is ended. @returns why it could not be ended; null when nothing runs in it
 */
async function endLost(parts: PerformerParts, moment: Moment): Promise<string | null> {
  const { sandbox } = moment.state;
  if (sandbox?.status !== "lost") return null;
  try {
    await end(parts, sandbox, moment);
    return null;
  } catch (error) {
    if (moment.signal.aborted || isNightshiftError(error, "E_SANDBOX_STALE")) throw error;
    return messageOf(error);
  }
}

function end(parts: PerformerParts, sandbox: SandboxState, moment: Moment): Promise<void> {
  const handle = sandbox.handle ?? undefined;
  return within(parts.deadlines, DESTROY_TIMEOUT_MS, moment.signal, () =>
    parts.backend.destroy(sandbox.id, handle, fenceOf(parts, moment)),
  );
}

async function destroy(parts: PerformerParts, sandbox: SandboxState, moment: Moment): Promise<EventInput[]> {
  parts.connections.drop();
  for (let attempt = 1; ; attempt++) {
    try {
      await end(parts, sandbox, moment);
      noteDecisions(parts, moment);
      await parts.wayOut?.close();
      return [event("sandbox.destroyed", { sandbox: sandbox.id })];
    } catch (error) {
      if (isNightshiftError(error, "E_SANDBOX_STALE")) throw error;
      if (attempt < DESTROY_TRIES) {
        await parts.clock.sleep(200 * attempt, moment.signal);
        continue;
      }
      const detail = `${sandbox.id} could not be removed: ${messageOf(error)}`;
      return [
        event("breaker.tripped", { cause: "sandbox_leak", detail }),
        event("sandbox.destroyed", { sandbox: sandbox.id }),
      ];
    }
  }
}

/** What the sandbox reached, or was kept from, is in the log with the receipts of what it ran. */
function noteDecisions({ wayOut }: PerformerParts, { state, onFacts }: Moment): void {
  const facts = wayOut?.news(state.egress) ?? [];
  if (facts.length > 0) onFacts(facts);
}

/** A lost sandbox is a fact, whoever notices it first. */
async function orLost(
  parts: PerformerParts,
  moment: Moment,
  effect: () => Promise<EventInput[]>,
): Promise<readonly EventInput[]> {
  try {
    return await effect();
  } catch (error) {
    if (moment.signal.aborted || !isNightshiftError(error, "E_SANDBOX_LOST")) throw error;
    const { id, incarnation } = sandboxOf(moment);
    parts.connections.dropLost(incarnation);
    return [lostEvent({ sandbox: id, incarnation }, error)];
  }
}

async function connect(parts: PerformerParts, moment: Moment): Promise<Sandbox> {
  const { connections, referee } = parts;
  const state = sandboxOf(moment);
  const sandbox = connections.at(state) ?? (await inContact(parts, moment, () => connections.to(state)));
  // Whatever runs there finds the contract that is in force.
  await referee?.renewCopy({ ...moment, sandbox });
  return sandbox;
}

function inContact<T>(
  parts: PerformerParts,
  moment: Moment,
  effect: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return within(parts.deadlines, CONTACT_TIMEOUT_MS, moment.signal, effect);
}

function fenceOf({ epoch }: PerformerParts, { state }: Moment): Fence {
  return { session: state.sessionId, epoch };
}

function sandboxOf(moment: Moment): SandboxState {
  const { sandbox } = moment.state;
  assert(sandbox !== null, "the fold names a sandbox");
  return sandbox;
}

/** What is executed is what was logged. */
function inputOf(call: CallState, moment: Moment): Json {
  const pending = moment.context.turn.calls.find((candidate) => candidate.call === call.call);
  assert(pending !== undefined, `call ${call.call} is in the context`);
  return pending.input;
}
