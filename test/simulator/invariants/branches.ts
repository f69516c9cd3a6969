/** Promises about branches: whoever reads "verified" finds one, and it holds what was verified. */
import type { SessionEvent } from "../../../src/core/events/index.ts";
import { BASE, type Files } from "../checkouts.ts";
import type { Invariant } from "../judge.ts";
import type { ObservedLog } from "../log.ts";

type Published = SessionEvent<"branch.published">;

function isReceipt(event: SessionEvent): event is Published | SessionEvent<"branch.refused"> {
  return event.type === "branch.published" || event.type === "branch.refused";
}

/** Before a session says that it is verified, its branch is made, or the log says why it is not. */
export function verifiedMeansABranch(): Invariant {
  return {
    promise: "verified-means-a-branch",
    onEvent: ({ log, event }) => {
      if (event.type !== "session.status_idle" || event.body.stop_reason.type !== "verified") return null;
      const given = log.events.findLast((each) => each.type === "verdict.given");
      if (given === undefined || given.body.commit === BASE) return null;
      const isTold = log.events.some((each) => isReceipt(each) && each.body.source === given.body.commit);
      return isTold ? null : `verified by verdict ${given.body.number}, and no word of its branch`;
    },
    atEnd: ({ logs }) => {
      const open = logs.find(({ state }) => (state.branch?.wanted ?? null) !== null);
      return open === undefined ? null : `the branch ${open.state.branch?.wanted?.branch} was never made`;
    },
  };
}

/** Its head has the files of the verdict, and a verdict that it names was positive; nobody asks for another one. */
export function aBranchHoldsWhatWasVerified(): Invariant {
  return {
    promise: "a-branch-holds-what-was-verified",
    onEvent: ({ log, event, checkouts }) => {
      if (event.type === "branch.refused" && event.body.code === "E_WORKSPACE_DAMAGED")
        return event.body.reason;
      if (event.type !== "branch.published") return null;
      const { branch, commit, source, tree, verdict } = event.body;
      // By their content: two sessions that write the same have one commit, made twice.
      if (textOf(checkouts.filesOf(commit)) !== textOf(checkouts.filesOf(source)))
        return `${branch} has other files`;
      if (verdict === null) return null;
      const given = log.events.findLast(
        (each) => each.type === "verdict.given" && each.body.number === verdict,
      ) as SessionEvent<"verdict.given"> | undefined;
      const isFound = given?.body.outcome === "met" && given.body.commit === source;
      return isFound && given.body.tree_b === tree
        ? null
        : `${branch} names verdict ${verdict}, which is none of it`;
    },
  };
}

function textOf(files: Files = new Map()): string {
  return JSON.stringify([...files].sort());
}

/** Nobody who has lost the lease moves a branch behind the back of whoever has it. */
export function branchesAreWhereTheLogSays(): Invariant {
  const newest = new Map<string, Published>();
  return {
    promise: "branches-are-where-the-log-says",
    onEvent: ({ event }) => {
      if (event.type === "branch.published") newest.set(event.body.branch, event);
      return null;
    },
    atEnd: ({ checkouts, logs }) => {
      for (const [name, { body }] of newest) {
        // Two sessions may be told to use one name; then one of them is refused, or follows the other.
        const others = logs.filter((log) => hasPublished(log, name));
        if (others.length > 1) continue;
        if (checkouts.branch(name) !== body.commit)
          return `${name} is at ${checkouts.branch(name)}, and the log says ${body.commit}`;
      }
      return null;
    },
  };
}

function hasPublished({ events }: ObservedLog, name: string): boolean {
  return events.some((each) => each.type === "branch.published" && each.body.branch === name);
}
