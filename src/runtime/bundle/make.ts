/** Makes a bundle of a session. */
import { NightshiftError } from "../../core/errors.ts";
import type { EventBody } from "../../core/events/index.ts";
import type { SessionId } from "../../core/ids.ts";
import { blobHashes } from "../../core/seal.ts";
import type { Json } from "../../core/text.ts";
import type { Store } from "../../store/contract.ts";
import type { ImageEvent, LogImage, StoreIntegrity } from "../../store/integrity/contract.ts";
import type { Workspaces } from "../../workspace/contract.ts";
import { type Bundle, writeBundle } from "./format.ts";

/** What it is made from. */
export interface BundleSource {
  readonly store: Store;
  readonly integrity: StoreIntegrity;
  readonly workspaces: Workspaces;
}

const PAGE = 1000;

/**
 * The bundle of a session's newest verdict.
 * @throws NightshiftError `E_USAGE` without a verdict, `E_LOG_CORRUPT`, `E_BUNDLE_INVALID` when it is too large
 */
export async function makeBundle(
  { store, integrity, workspaces }: BundleSource,
  sessionId: SessionId,
  signal: AbortSignal,
): Promise<Buffer> {
  const [created] = await store.getEvents(sessionId, { limit: 1 });
  const [given] = await store.getEvents(sessionId, { limit: 1, backwards: true, types: ["verdict.given"] });
  const base = created?.type === "session.created" ? created.body.sandbox.checkout?.base : undefined;
  if (given?.type !== "verdict.given" || base === undefined)
    throw new NightshiftError("E_USAGE", `${sessionId} has no verdict that could be shown`, {
      hint: "A verdict is given when the agent ends its turn, or when it asks for one.",
    });
  const trees = treesOf(given.body);
  const pack = await workspaces.pack(sessionId, { base, commit: given.body.commit, trees }, signal);
  return writeBundle({ ...(await integrity.read((image) => logOf(image, sessionId))), pack });
}

function treesOf({ tree_a, tree_b }: EventBody<"verdict.given">): readonly string[] {
  return [tree_a, tree_b].filter((tree) => tree !== null);
}

/** As it is stored, so that its chain can be computed again. */
function logOf(image: LogImage, sessionId: SessionId): Omit<Bundle, "pack"> {
  const session = image.sessions().find((each) => each.sessionId === sessionId);
  if (session === undefined)
    throw new NightshiftError("E_SESSION_UNKNOWN", `there is no session ${sessionId}`);
  const events: ImageEvent[] = [];
  for (let after = 0; after < session.seq; ) {
    const page = image.events(session, after, PAGE);
    if (page.length === 0) break;
    events.push(...page);
    after = page.at(-1)?.seq ?? session.seq;
  }
  const names = new Set(events.flatMap(({ body }) => [...blobHashes(JSON.parse(body) as Json)]));
  const blobs = new Map([...names].map((name) => [name, image.blob(name)]));
  return { sessionId, head: { seq: session.seq, hash: session.hash }, events, blobs };
}
