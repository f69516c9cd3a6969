/** `resume`: says where a session stands, lifts what holds it, and drives it. */
import { ERROR_CODES, isNightshiftError, messageOf, NightshiftError } from "../../core/errors.ts";
import { type ClientEventInput, event } from "../../core/events/index.ts";
import type { SessionId } from "../../core/ids.ts";
import type { SessionState } from "../../core/state.ts";
import { sendEvents } from "../../runtime/client.ts";
import type { Settings } from "../../runtime/config.ts";
import { type EngineOptions, runEngine } from "../../runtime/engine.ts";
import { findLeftovers } from "../../runtime/leftovers.ts";
import { loadState } from "../../runtime/load.ts";
import type { OpenHarness } from "../../runtime/open.ts";
import { announceWatcher } from "../../runtime/watchers.ts";
import type { SessionRecord } from "../../store/contract.ts";
import { isAgreed, isAsked } from "../ask.ts";
import type { CapFlags } from "../budget-flags.ts";
import { carryOn, type DriveFlags } from "../carry-on.ts";
import { type CommandContext, commandLine, findSession, withHarness } from "../context.ts";
import { checkDayCap } from "../day-cap.ts";
import { detach } from "../detach.ts";
import { EXIT } from "../exit-codes.ts";
import { Interruption } from "../interruption.ts";
import type { Output } from "../output.ts";
import { askedOf } from "../render/asked.ts";
import { formatMoment } from "../render/format.ts";
import { factLines } from "../render/text.ts";
import { spentText } from "../session-facts.ts";
import { activityOf, nextStep, standingOf } from "../standing.ts";
import { capChanges, checkPrice } from "./budget.ts";

/** Flags of `resume`. */
export interface ResumeFlags extends DriveFlags, CapFlags {
  readonly all?: boolean;
  readonly yes?: boolean;
  readonly detach?: boolean;
  readonly concurrency?: number;
}

const CONCURRENCY_STANDARD = 8;
const LOOK_AGAIN_MS = 1000;
/** Pauses between two tries are sat out; who waits for a person, or for hours, is left to somebody who stays. */
const SOON_MS = 60_000;
const PAGE = 1000;

/** One session, or all that are due. */
export function resume(context: CommandContext, id: string | undefined, flags: ResumeFlags): Promise<number> {
  return withHarness(context, flags, async (harness, settings) => {
    if (flags.all !== true) {
      const sessionId = await findSession(harness, id);
      if (flags.detach === true) return detach(context, harness, { sessionId, settings, flags });
      using _watcher = watches(harness, settings, sessionId, flags);
      return await resumeOne(context, harness, { sessionId, settings }, flags);
    }
    if (flags.detach === true)
      throw new NightshiftError("E_USAGE", "--detach is about one session; --all --stay stays by itself", {
        hint: "For a service that does so after each start of the machine: nightshift doctor --install-service",
      });
    using _watcher = watches(harness, settings, null, flags);
    if (id === undefined) return await resumeAll(context, harness, settings.stateFolder, flags);
    throw new NightshiftError("E_USAGE", "resume takes a session or --all, not both");
  });
}

/** Tells others that this process stays, if it does. */
function watches(
  { owner }: OpenHarness,
  { stateFolder }: Settings,
  session: SessionId | null,
  { stay }: ResumeFlags,
): Disposable | null {
  return stay === true ? announceWatcher(stateFolder, { owner, session }) : null;
}

async function resumeOne(
  context: CommandContext,
  harness: OpenHarness,
  { sessionId, settings }: { readonly sessionId: SessionId; readonly settings: Settings },
  flags: ResumeFlags,
): Promise<number> {
  const { output } = context;
  using interruption = new Interruption();
  const state = await loadState(harness.store, sessionId);
  const record = await harness.store.getSession(sessionId);
  if (record === undefined)
    throw new NightshiftError("E_SESSION_UNKNOWN", `there is no session ${sessionId}`);
  if (!record.held && state.config !== null) checkDayCap(settings, state.config);
  const now = harness.clock.wallMs();
  const standing = standingOf(state, record, now);
  const say = flags.json === true ? output.note.bind(output) : output.print.bind(output);
  say(
    `session  ${sessionId}`,
    ...factLines("stands", standing.text, output.width),
    ...factLines("spent", spentText(state), output.width),
  );
  const wanted = liftingEvents(state, record, flags, now);
  // Whoever only watches what another process drives changes nothing.
  const asks = flags.yes !== true && flags.json !== true && (!record.held || wanted.length > 0);
  const next = asks && isAsked() ? nextStep(state, wanted) : null;
  if (next !== null) {
    say(...factLines("next", next, output.width));
    if (!(await isAgreedTo(output, interruption))) return interruption.exitCode ?? EXIT.person;
  }
  if (wanted.length > 0) await sendEvents(harness, sessionId, wanted);
  const [asked] = state.hold === "requires_action" ? askedOf(state.stopReason) : [];
  if (state.hold === "requires_action" && asked === undefined && standing.next !== null)
    output.note("a person has to answer first:", `next: ${commandLine(flags, ...standing.next)}`);
  if (asked !== undefined) {
    output.note(
      "a person has to decide first:",
      `next: ${commandLine(flags, "approve", sessionId, asked)}`,
      `  or: ${commandLine(flags, "deny", sessionId, asked)}`,
    );
  }
  return await carryOn(context, harness, sessionId, {
    after: record.seq,
    calls: state.calls,
    interruption,
    flags,
  });
}

/** Nothing has been touched yet, so that no is a full answer. */
async function isAgreedTo(output: Output, { signal }: Interruption): Promise<boolean> {
  const isYes = await isAgreed(output, "go on?", signal, "yes").catch((error: unknown) => {
    if (!signal.aborted) throw error;
    return false;
  });
  if (!isYes) output.note("nothing was changed");
  return isYes;
}

/** What a person's wish to go on means for this session. A terminated one refuses it with a reason. */
function liftingEvents(
  state: SessionState,
  record: SessionRecord,
  flags: ResumeFlags,
  now: number,
): ClientEventInput[] {
  const changes = capChanges(flags);
  const events: ClientEventInput[] = [];
  if (changes !== null) {
    checkPrice(state, changes.body.limits);
    events.push(changes);
  }
  const isHeld = state.hold !== null && state.hold !== "requires_action";
  // A fork is due only when somebody asks for it; a back-off, or a rest after a failure, is cut short by asking.
  const isWaiting = !record.held && (record.due === null || record.due > now);
  const isFresh = isWaiting && activityOf(state, now) !== "idle";
  if (isHeld || isFresh || isHaltOfPerson(state) || state.phase === "terminated")
    events.push(event("control.resume", {}));
  return events;
}

/** Asked for, but not carried out: nobody drove it, or its process is gone. */
function isHaltOfPerson({ halt }: SessionState): boolean {
  return halt?.kind === "pause" || halt?.kind === "stop" || halt?.kind === "rewind";
}

/** What crashes have left is in nobody's way; a failure to remove it stops nothing. */
async function removeLeftovers(
  harness: OpenHarness,
  stateFolder: string,
  say: (line: string) => void,
): Promise<void> {
  try {
    const workspaces = await harness.workspaces();
    const leftovers = await findLeftovers({ store: harness.store, stateFolder, workspaces });
    for (const { description, remove } of leftovers)
      if (await remove()) say(`removed what was left behind: ${description}`);
  } catch (error) {
    say(`could not look for what was left behind: ${messageOf(error)}`);
  }
}

/** Holds of single sessions stay: this is for those that only lack somebody who drives them. */
async function resumeAll(
  context: CommandContext,
  harness: OpenHarness,
  stateFolder: string,
  flags: ResumeFlags,
): Promise<number> {
  const { output } = context;
  using interruption = new Interruption();
  const idle = new AbortController();
  const failed = new Set<SessionId>();
  const exitCodes = new Set<number>();
  let woken = 0;
  await removeLeftovers(harness, stateFolder, (line) => output.note(line));
  const options: EngineOptions = {
    concurrency: flags.concurrency ?? CONCURRENCY_STANDARD,
    onWoken: (sessionId, result) => {
      if (result.status === "held") return;
      woken += 1;
      const word = result.status === "fenced" ? "taken over" : wordOf(result.state);
      if (flags.json === true) output.printJson({ session_id: sessionId, status: word });
      else output.print(`${sessionId}  ${word}`);
    },
    onFailure: (sessionId, error) => {
      failed.add(sessionId);
      const code = isNightshiftError(error) ? error.code : "E_INTERNAL";
      exitCodes.add(ERROR_CODES[code].exit);
      if (flags.json === true)
        output.printJson({ session_id: sessionId, error: { code, message: messageOf(error) } });
      else output.note(`${sessionId}  error[${code}]: ${messageOf(error)}`);
    },
  };
  const engine = runEngine(harness, options, AbortSignal.any([interruption.signal, idle.signal]));
  if (flags.stay !== true) await untilNothingIsDue(harness, failed, interruption.signal);
  else await untilAborted(interruption.signal);
  idle.abort();
  await engine;
  if (woken === 0 && failed.size === 0 && flags.json !== true) output.print("nothing is due");
  if (flags.stay !== true && !interruption.signal.aborted) await sayWhatIsLater(context, harness, flags);
  const [exitCode = EXIT.ok, ...others] = exitCodes;
  return interruption.exitCode ?? (others.length > 0 ? EXIT.internal : exitCode);
}

/** Silence would look like an end. */
async function sayWhatIsLater(
  { output }: CommandContext,
  { store, clock }: OpenHarness,
  flags: ResumeFlags,
): Promise<void> {
  const now = clock.wallMs();
  const { nextDue } = await store.listDue({ now, limit: 1 });
  if (nextDue === null) return;
  output.note(
    `the next session is due at ${formatMoment(nextDue, now)}`,
    `next: ${commandLine(flags, "resume", "--all", "--stay")}`,
  );
}

function wordOf(state: SessionState): string {
  return state.phase === "running" ? "waits" : (state.stopReason?.type ?? state.phase);
}

/** Nothing is due now or soon, besides what failed, and nobody drives what was. */
async function untilNothingIsDue(
  harness: OpenHarness,
  failed: ReadonlySet<SessionId>,
  signal: AbortSignal,
): Promise<void> {
  const { store, clock } = harness;
  while (!signal.aborted) {
    const changed = Promise.withResolvers<void>();
    const unsubscribe = store.subscribe(() => changed.resolve());
    try {
      if (!(await isAnythingDue(harness, failed))) return;
      const timer = new AbortController();
      const tick = clock.sleep(LOOK_AGAIN_MS, AbortSignal.any([signal, timer.signal]));
      await Promise.race([changed.promise, tick.catch(() => undefined)]);
      timer.abort();
    } finally {
      unsubscribe();
    }
  }
}

async function isAnythingDue(
  { store, clock }: OpenHarness,
  failed: ReadonlySet<SessionId>,
): Promise<boolean> {
  const soon = clock.wallMs() + SOON_MS;
  const { ready, heldForMs } = await store.listDue({ now: soon, limit: 1 });
  if (ready.length === 0 && heldForMs === null) return false;
  if (failed.size === 0) return true;
  // What failed stays due; whether anything else does is to be found out one by one.
  let after: SessionId | undefined;
  for (;;) {
    const page = await store.listSessions({ limit: PAGE, ...(after !== undefined && { after }) });
    const isDue = ({ sessionId, due, held }: SessionRecord): boolean =>
      due !== null && (held || due <= soon) && !failed.has(sessionId);
    if (page.some(isDue)) return true;
    after = page.at(-1)?.sessionId;
    if (page.length < PAGE) return false;
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
