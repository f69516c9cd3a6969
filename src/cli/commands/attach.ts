/** `attach`: looks at a session that somebody else drives, or nobody, and touches nothing. */
import { NightshiftError } from "../../core/errors.ts";
import type { SessionId } from "../../core/ids.ts";
import { loadState } from "../../runtime/load.ts";
import type { OpenHarness } from "../../runtime/open.ts";
import { watchersOf } from "../../runtime/watchers.ts";
import type { SessionRecord } from "../../store/contract.ts";
import { sumUp } from "../carry-on.ts";
import { type CommandContext, commandLine, findSession, withHarness } from "../context.ts";
import { type DriveOutcome, watchToRest } from "../drive.ts";
import { EXIT, exitOfState } from "../exit-codes.ts";
import { Interruption } from "../interruption.ts";
import { listenForLeaving } from "../leave-keys.ts";
import { hasScreen, openView, type ViewFlags } from "../session-view.ts";
import { standingOf } from "../standing.ts";

/** Events before the beginning that are shown as well. */
const TAIL = 20;

/** Ends by itself when the session rests, as a command that has driven it would. */
export function attach(context: CommandContext, id: string | undefined, flags: ViewFlags): Promise<number> {
  return withHarness(context, flags, async (harness, { stateFolder }) => {
    const sessionId = await findSession(harness, id);
    const record = await recordOf(harness, sessionId);
    using interruption = new Interruption();
    const outcome = await watch(context, harness, record, {
      flags,
      stateFolder,
      signal: interruption.signal,
    });
    const state = await loadState(harness.store, sessionId);
    if (outcome === "left") {
      const standing = standingOf(state, await recordOf(harness, sessionId), harness.clock.wallMs());
      context.output.note(`left; ${standing.text}`, `next: ${commandLine(flags, "attach", sessionId)}`);
      return interruption.exitCode ?? EXIT.interrupted;
    }
    const exitCode = exitOfState(state);
    await sumUp(context, harness, state, { flags, exitCode, interrupted: false });
    return exitCode;
  });
}

async function recordOf({ store }: OpenHarness, sessionId: SessionId): Promise<SessionRecord> {
  const record = await store.getSession(sessionId);
  if (record !== undefined) return record;
  throw new NightshiftError("E_SESSION_UNKNOWN", `there is no session ${sessionId}`);
}

async function watch(
  context: CommandContext,
  harness: OpenHarness,
  { sessionId, seq }: SessionRecord,
  place: { readonly flags: ViewFlags; readonly stateFolder: string; readonly signal: AbortSignal },
): Promise<DriveOutcome> {
  const { flags, stateFolder, signal } = place;
  const { calls } = await loadState(harness.store, sessionId);
  const left = new AbortController();
  const isKeyed = hasScreen(context) && flags.json !== true;
  using _keys = isKeyed ? listenForLeaving(() => left.abort()) : null;
  await using view = await openView(context, harness, sessionId, {
    flags,
    calls,
    isDriver: false,
    keys: "q leaves; the session goes on",
    watchers: () => watchersOf(stateFolder, sessionId, harness.owner).map(({ owner }) => owner.pid),
  });
  return await watchToRest({
    harness,
    sessionId,
    after: Math.max(0, seq - TAIL),
    signal: AbortSignal.any([signal, left.signal, context.output.gone]),
    show: (item) => view.show(item),
  });
}
