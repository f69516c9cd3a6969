/** How the branch of a session is called. */
import type { SessionId } from "../ids.ts";

/** All branches of ours are below it. */
export const BRANCH_FOLDER = "nightshift";

const SLUG_LENGTH_MAX = 40;
const SHORT_ID_LENGTH = 6;

/** The part of a session's id that a branch has: its end, because ids begin with the time. */
export function shortId(session: SessionId): string {
  return session.slice(-SHORT_ID_LENGTH);
}

/** Lower-case words of a title with `-` between; `work` when it has none that a branch could be called by. */
export function slugOf(title: string): string {
  const words = title
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll("ß", "ss")
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
  let slug = "";
  for (const word of words) {
    const longer = slug === "" ? word : `${slug}-${word}`;
    if (longer.length > SLUG_LENGTH_MAX) break;
    slug = longer;
  }
  return slug === "" ? (words[0]?.slice(0, SLUG_LENGTH_MAX) ?? "work") : slug;
}

/** `nightshift/<slug>-<short id>`. A copy of a session has a branch of its own. */
export function branchName(slug: string, session: SessionId): string {
  return `${BRANCH_FOLDER}/${slug}-${shortId(session)}`;
}
