/**
 * Whoever is away is told how a session came to rest: done, blocked, at a cap, or going nowhere; nothing else. Each
 * target gets each such rest at least once, and the log says what became of it. Nobody waits for it but the lease.
 */
import type { Notice } from "../people/state.ts";
import type { SessionState } from "../state.ts";
import type { Intent, NoticeTarget } from "../step.ts";

/** What is still to be sent. */
export function owedNotices(state: SessionState, targets: readonly NoticeTarget[]): Intent[] {
  const { notice } = state.people;
  if (notice === null || state.phase !== "idle") return [];
  const kind = noticeKind(state);
  return targets
    .filter(({ name, kinds }) => kind !== null && kinds.includes(kind) && !notice.told.includes(name))
    .map(({ name }) => ({
      kind: "notify",
      key: `notify/${notice.seq}/${name}`,
      seq: notice.seq,
      target: name,
    }));
}

/** What a rest is for somebody who is away; null when there is nothing to tell. */
export function noticeKind({
  stopReason,
  contract,
}: Pick<SessionState, "stopReason" | "contract">): Notice | null {
  switch (stopReason?.type) {
    case "end_turn":
      // Under a contract a verdict ends work, and this is a turn that a person has cut short.
      return contract === null ? "done" : null;
    case "verified":
    case "already_green":
      return "done";
    case "requires_action":
    case "review":
    case "unmet":
    case "refusal":
    case "max_tokens":
    case "failed":
    case "retries_exhausted":
      return "blocked";
    case "budget_reached":
      return "budget";
    case "stalled":
      return "stall";
    default:
      // A person has stopped it, and knows; or it goes on by itself.
      return null;
  }
}
