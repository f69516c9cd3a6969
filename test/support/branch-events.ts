/** Short names for what is asked for and found about branches. */
import { type EventBody, type EventInput, event } from "../../src/core/events/index.ts";
import type { SessionState } from "../../src/core/state.ts";
import { BASE, commitOf } from "./events.ts";

export const publish: EventInput = event("control.publish", {});

/** The receipt that the fold waits for. */
export function publishedBranch(
  { branch }: Pick<SessionState, "branch">,
  more: Partial<EventBody<"branch.published">> = {},
): EventInput {
  const { branch: name = "", source = BASE, verdict = null } = branch?.wanted ?? {};
  const commit = commitOf(90);
  return event("branch.published", {
    branch: name,
    ...{ commit, source, tree: commit, verdict, created: true, ...more },
  });
}

/** The other one. */
export function refusedBranch({ branch }: Pick<SessionState, "branch">): EventInput {
  const { branch: name = "", source = BASE, verdict = null } = branch?.wanted ?? {};
  const reason = "it is checked out";
  return event("branch.refused", { branch: name, source, verdict, code: "E_BRANCH_TAKEN", reason });
}
