/** `publish`: what is saved of a session becomes a branch of the repository, verified or not. */
import { NightshiftError } from "../../core/errors.ts";
import { event, type SessionEvent } from "../../core/events/index.ts";
import type { Sequence, SessionId } from "../../core/ids.ts";
import { countOf } from "../../core/reduce/portions.ts";
import { sendEvents } from "../../runtime/client.ts";
import { loadState } from "../../runtime/load.ts";
import type { OpenHarness } from "../../runtime/open.ts";
import { type CommandContext, findSession, withHarness } from "../context.ts";
import { driveToRest } from "../drive.ts";
import { EXIT, isErrorCode } from "../exit-codes.ts";
import { Interruption } from "../interruption.ts";
import { type SendFlags, say } from "./send.ts";

/** Flags of `publish`. */
export interface PublishFlags extends SendFlags {
  readonly branch?: string;
}

/** Asks for it on the record, and sees to it unless the session is at work: then whoever drives it does. */
export function publish(
  context: CommandContext,
  id: string | undefined,
  flags: PublishFlags,
): Promise<number> {
  return withHarness(context, flags, async (harness) => {
    const { output } = context;
    using interruption = new Interruption();
    const sessionId = await findSession(harness, id);
    const state = await loadState(harness.store, sessionId);
    if (state.workspace === null) {
      throw new NightshiftError("E_USAGE", `${sessionId} works in a folder as it is, so it has no branch`, {
        hint: "Sessions with a contract, or in a sandbox that isolates, have one.",
      });
    }
    const { branch } = flags;
    const asked = event("control.publish", branch === undefined ? {} : { branch });
    const { seq } = await sendEvents(harness, sessionId, [asked]);
    const isAtWork = state.phase === "running" || countOf(state.queue) > 0;
    if (isAtWork) {
      await say(context, harness, sessionId, { flags, done: "branch asked for" });
      return EXIT.ok;
    }
    const receipt = await receiptOf(harness, sessionId, seq, interruption.signal);
    if (receipt === undefined) return interruption.exitCode ?? EXIT.internal;
    if (receipt.type === "branch.refused") {
      const { code, reason } = receipt.body;
      const patch = { hint: `Take the patch instead: nightshift diff ${sessionId}` };
      const isNoRepository = code === "E_WORKSPACE_SOURCE";
      throw new NightshiftError(
        isErrorCode(code) ? code : "E_WORKSPACE_GIT",
        reason,
        isNoRepository ? patch : {},
      );
    }
    if (flags.json === true) output.printJson({ session_id: sessionId, ...receipt.body });
    else output.print(`${receipt.body.branch} is ${receipt.body.commit}`);
    if (receipt.body.verdict === null)
      output.note("No verdict says that it is good: look with `nightshift report`.");
    return EXIT.ok;
  });
}

type Receipt = SessionEvent<"branch.published"> | SessionEvent<"branch.refused">;

async function receiptOf(
  harness: OpenHarness,
  sessionId: SessionId,
  after: Sequence,
  signal: AbortSignal,
): Promise<Receipt | undefined> {
  let receipt: Receipt | undefined;
  await driveToRest({
    ...{ harness, sessionId, after, signal },
    trouble: () => undefined,
    show: (item) => {
      if (item.type === "branch.published" || item.type === "branch.refused") receipt ??= item;
    },
  });
  return receipt;
}
