/** What `run` and `resume` share: drive one session in view of a person, let them interrupt it, and sum up. */
import { isNightshiftError, messageOf } from "../core/errors.ts";
import { event } from "../core/events/index.ts";
import type { Sequence, SessionId } from "../core/ids.ts";
import type { SessionState } from "../core/state.ts";
import { sendEvents } from "../runtime/client.ts";
import { loadState } from "../runtime/load.ts";
import type { OpenHarness } from "../runtime/open.ts";
import { type CommandContext, commandLine } from "./context.ts";
import { driveToRest, isDrivenHere } from "./drive.ts";
import { exitOfState } from "./exit-codes.ts";
import type { Interruption } from "./interruption.ts";
import { factLines, wrap } from "./render/text.ts";
import { resultOf, spentText } from "./session-facts.ts";
import { openView, type ViewFlags } from "./session-view.ts";
import { adviceOf, restText, standingOf } from "./standing.ts";

/** How long a pause may take before the process leaves without having seen it through. */
const PAUSE_GRACE_MS = 3_000;

/** Flags of commands that drive. */
export interface DriveFlags extends ViewFlags {
  /** Stay while something may still come. */
  readonly stay?: boolean;
}

/** Drives until the session rests. @param after - events up to here are known to the person. @returns the exit code */
export async function carryOn(
  context: CommandContext,
  harness: OpenHarness,
  sessionId: SessionId,
  options: {
    readonly after: Sequence;
    /** Calls that were open then. */
    readonly calls: SessionState["calls"];
    /** Made before the session was touched, so that no signal falls between. */
    readonly interruption: Interruption;
    readonly flags: DriveFlags;
  },
): Promise<number> {
  const { output } = context;
  const { flags, interruption } = options;
  // A closed terminal and the end of the machine are nobody's wish to pause: whoever wakes what is due goes on.
  interruption.onFirst((leave, signal) => {
    if (signal === "SIGINT") void pauseThenLeave(context, harness, sessionId, leave);
    else leave();
  });
  {
    const { calls } = options;
    const keys = "Ctrl-C pauses; nothing is lost";
    await using view = await openView(context, harness, sessionId, {
      flags,
      calls,
      keys,
      isDriver: true,
      watchers: () => [],
    });
    await driveToRest({
      harness,
      sessionId,
      after: options.after,
      signal: interruption.signal,
      stays: flags.stay === true,
      trouble: (error) => output.note(`trouble: ${messageOf(error)}; trying again`),
      show: (item) => view.show(item),
    });
  }
  const state = await loadState(harness.store, sessionId);
  // It may have come to its own end in the moment of the signal.
  const interrupted = interruption.exitCode !== null && !hasEnded(state);
  const exitCode = interrupted ? (interruption.exitCode ?? 0) : exitOfState(state);
  await sumUp(context, harness, state, { flags, exitCode, interrupted });
  return exitCode;
}

function hasEnded(state: SessionState): boolean {
  if (state.phase === "terminated") return true;
  return state.phase === "idle" && state.halt === null && state.stopReason?.type !== "paused";
}

function isPaused({ halt, stopReason }: SessionState): boolean {
  return halt?.kind === "pause" || stopReason?.type === "paused";
}

/** A pause is asked for on the record, so that whoever drives next knows; then there is a moment to carry it out. */
async function pauseThenLeave(
  context: CommandContext,
  harness: OpenHarness,
  sessionId: SessionId,
  leave: () => void,
): Promise<void> {
  try {
    if (!(await isDrivenHere(harness, sessionId))) return leave();
    context.output.note("pausing (again to leave at once) ...");
    await sendEvents(harness, sessionId, [event("control.pause", { reason: "interrupted at the terminal" })]);
    await harness.clock.sleep(PAUSE_GRACE_MS);
  } catch (error) {
    // A session that ended in the same moment needs no pause.
    if (!isNightshiftError(error)) throw error;
  }
  leave();
}

/** What it has come to, and the next command. */
export async function sumUp(
  context: CommandContext,
  harness: OpenHarness,
  state: SessionState,
  end: { readonly flags: ViewFlags; readonly exitCode: number; readonly interrupted: boolean },
): Promise<void> {
  const { output } = context;
  const { flags, exitCode } = end;
  const record = await harness.store.getSession(state.sessionId);
  if (record === undefined) return;
  if (flags.json === true) {
    output.printJson({
      ...(await resultOf(harness, state)),
      head: `${record.seq}:${record.hash}`,
      exit_code: exitCode,
    });
    return;
  }
  const standing = standingOf(state, record, harness.clock.wallMs());
  const branch = state.branch?.published;
  const lines = [
    ...(branch == null ? [] : [`branch   ${branch.branch}`]),
    ...factLines("spent", spentText(state), output.width),
    `head     ${record.seq}:${record.hash}`,
  ];
  const reason = state.stopReason;
  if (end.interrupted) {
    const unsettled = state.calls.some((call) => call.status === "started");
    const still = unsettled ? "; a command goes on in its sandbox, its result will be picked up" : "";
    const resume = commandLine(flags, "resume", state.sessionId);
    output.note(`${isPaused(state) ? "paused" : "left"}, nothing lost${still}`, `next: ${resume}`);
  } else if (reason !== null && exitCode !== 0) {
    const why = adviceOf(reason) ?? restText(state);
    output.note(...wrap(why === "stopped" ? why : `stopped: ${why}`, output.width));
    if (standing.next !== null) output.note(`next: ${commandLine(flags, ...standing.next)}`);
  }
  output.print(...lines);
}
