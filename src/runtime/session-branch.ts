/** The branch of one session in the user's repository. */
import { HISTORY_TYPES, historyOf } from "../core/branch/history.ts";
import type { WantedBranch } from "../core/branch/state.ts";
import type { Clock } from "../core/clock.ts";
import { assert, isNightshiftError, messageOf, NightshiftError } from "../core/errors.ts";
import { type EventInput, event, type SessionEvent } from "../core/events/index.ts";
import type { SessionId } from "../core/ids.ts";
import type { SessionState } from "../core/state.ts";
import type { Store } from "../store/contract.ts";
import type { Workspaces } from "../workspace/contract.ts";
import { withRetries } from "./store-retry.ts";

/** What performers ask of it. It may be asked again after a crash: the same log makes the same branch. */
export interface SessionBranch {
  /**
   * Makes or moves the branch that the fold names, or says why not.
   * @param isHeld - asked when nothing is left to do but to move it: a driver that stood still moves nothing
   */
  publish(
    state: SessionState,
    isHeld: () => Promise<boolean>,
    signal: AbortSignal,
  ): Promise<readonly EventInput[]>;
}

/** What it is made of. */
export interface SessionBranchParts {
  readonly store: Pick<Store, "getEvents">;
  readonly clock: Clock;
  readonly workspaces: () => Promise<BranchWorkspaces>;
}

/** What of the workspaces a branch needs. */
export type BranchWorkspaces = Pick<Workspaces, "retell" | "export" | "treeOf">;

const PAGE = 1000;
const REASON_LENGTH_MAX = 2000;

/** The branch of whatever session it is asked about. */
export function createSessionBranch({ store, clock, workspaces }: SessionBranchParts): SessionBranch {
  return {
    async publish({ sessionId, branch }, isHeld, signal) {
      const wanted = branch?.wanted ?? null;
      assert(wanted !== null, "the fold names the branch");
      const { branch: name, source, verdict } = wanted;
      try {
        const own = await workspaces();
        const { commit, tree } = await retellWork(own, store, clock, sessionId, wanted, signal);
        const { created } = await own.export(sessionId, commit, name, signal, isHeld);
        return [event("branch.published", { branch: name, commit, source, tree, verdict, created })];
      } catch (error) {
        // Of the log or the lease, not of the repository: whoever drives next asks again.
        const isOurs = isNightshiftError(error) && /^E_(FENCED|STORE_|LOG_|INTERNAL)/.test(error.code);
        if (signal.aborted || isOurs) throw error;
        const code = isNightshiftError(error) ? error.code : "E_WORKSPACE_GIT";
        const reason = messageOf(error).slice(0, REASON_LENGTH_MAX);
        return [event("branch.refused", { branch: name, source, verdict, code, reason })];
      }
    },
  };
}

/**
 * Makes the commits of the branch in the session's own repository.
 * @throws NightshiftError when its head would have other files than the verdict is about
 */
export async function retellWork(
  workspaces: Pick<Workspaces, "retell" | "treeOf">,
  store: Pick<Store, "getEvents">,
  clock: Clock,
  sessionId: SessionId,
  { source, verdict }: Pick<WantedBranch, "source" | "verdict">,
  signal: AbortSignal,
): Promise<{ readonly commit: string; readonly tree: string }> {
  const events = await readHistory(store, clock, sessionId);
  const commit = await workspaces.retell(sessionId, historyOf(sessionId, events, source), signal);
  const tree = await workspaces.treeOf(sessionId, commit, signal);
  const given = events.find((each) => each.type === "verdict.given" && each.body.number === verdict);
  const judged = given?.type === "verdict.given" ? given.body.tree_b : null;
  if (judged === null || judged === tree) return { commit, tree };
  throw new NightshiftError(
    "E_WORKSPACE_DAMAGED",
    `the branch would have tree ${tree}, and verdict ${verdict} is about ${judged}`,
  );
}

async function readHistory(
  store: Pick<Store, "getEvents">,
  clock: Clock,
  sessionId: SessionId,
): Promise<readonly SessionEvent[]> {
  const events: SessionEvent[] = [];
  for (let after = 0; ; ) {
    const range = { after, limit: PAGE, types: HISTORY_TYPES };
    const page = await withRetries(clock, () => store.getEvents(sessionId, range));
    events.push(...page);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return events;
    after = last.seq;
  }
}
