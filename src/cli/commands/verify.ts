/** `verify`: a commit, or a bundle of evidence, before the same referee again. */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { isNightshiftError, NightshiftError } from "../../core/errors.ts";
import type { SessionId } from "../../core/ids.ts";
import type { OpenHarness } from "../../runtime/open.ts";
import { type CommandContext, findSession, withHarness } from "../context.ts";
import { Interruption } from "../interruption.ts";
import { OUTCOMES, sayVerdict, type VerifyFlags, watch } from "../verdicts.ts";

/** `verify [bundle|session|commit]`: ends as the verdict says. */
export async function verify(
  context: CommandContext,
  target: string | undefined,
  flags: VerifyFlags,
): Promise<number> {
  const path = target === undefined ? undefined : resolve(context.directory, target);
  if (path !== undefined && existsSync(path) && statSync(path).isFile())
    return await (await import("./verify-bundle.ts")).verifyBundle(context, path, flags);
  if (flags.head !== undefined || flags.rerun === true)
    throw new NightshiftError("E_USAGE", "--head and --rerun are for bundles", {
      hint: target === undefined ? "Name the file of one." : `There is no file ${path}.`,
    });
  using interruption = new Interruption();
  const verdict = await withHarness(context, flags, async (harness, settings) => {
    const { sessionId, revision } = await meant(harness, target, flags.commit);
    const request = { sessionId, revision, folder: settings.workspace };
    const { verifyCommit } = await import("../../runtime/verify.ts");
    return await verifyCommit(harness, request, interruption.signal, watch(context));
  });
  if (flags.json === true) context.output.printJson({ verdict });
  else sayVerdict(context, verdict);
  return OUTCOMES[verdict.outcome];
}

/** What is no session is a commit, under the contract of the newest one. */
async function meant(
  harness: OpenHarness,
  target: string | undefined,
  commit: string | undefined,
): Promise<{ readonly sessionId: SessionId; readonly revision: string | null }> {
  try {
    return { sessionId: await findSession(harness, target), revision: commit ?? null };
  } catch (error) {
    const isCommit = isNightshiftError(error, "E_SESSION_UNKNOWN") && commit === undefined;
    if (target === undefined || !isCommit) throw error;
    const [newest] = await harness.store.listSessions({ limit: 1 });
    if (newest === undefined || isFileName(target)) throw meansNothing(target);
    return { sessionId: newest.sessionId, revision: target };
  }
}

/** No revision ends like that, and whoever mistypes the name of a file has no commit in mind. */
function isFileName(target: string): boolean {
  return /\.(bundle|json|zip|tar|gz|tgz)$/i.test(target);
}

function meansNothing(target: string): NightshiftError {
  return new NightshiftError("E_USAGE", `"${target}" is no file here, no session, and no commit to verify`, {
    hint: "Name the file of a bundle (`nightshift export` writes one), a session of `nightshift list`, or a commit.",
  });
}
