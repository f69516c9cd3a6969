/** What a fork consists of: the sound beginning of a log under a new name, and the event that says so. */
import { bodyHash, eventHash, genesisHash } from "../../core/chain.ts";
import { NightshiftError } from "../../core/errors.ts";
import { EVENT_VERSIONS, event } from "../../core/events/index.ts";
import type { Sequence, SessionId } from "../../core/ids.ts";
import { blobHashes } from "../../core/seal.ts";
import type { Json } from "../../core/text.ts";
import type { SessionCheck } from "../contract.ts";
import { sessionUnknown } from "../failures.ts";
import type { ForkRequest, ImageEvent, ImageSession, LogImage } from "./contract.ts";

/** An event of the new log. */
export interface ForkEvent extends ImageEvent {
  readonly erasure: null;
  /** The long texts that it needs, by hash. */
  readonly blobs: readonly string[];
}

const PAGE = 100;

/** The session to fork, as it is in the image. @throws NightshiftError `E_SESSION_UNKNOWN`, `E_LOG_CORRUPT` */
export function originalOf(image: LogImage, sessionId: SessionId): ImageSession {
  const session = image.sessions().find((each) => each.sessionId === sessionId);
  if (session !== undefined) return session;
  const problem = image.problems[0];
  if (problem === undefined) throw sessionUnknown(sessionId);
  throw new NightshiftError("E_LOG_CORRUPT", `${sessionId} is not to be found: ${problem.message}`, {
    data: { sessionId },
  });
}

/**
 * How far to copy. A commit is all or nothing, so half of one is left out unless it was asked for.
 * @throws NightshiftError `E_LOG_CORRUPT` when the log is not sound as far as asked, or not at all
 */
export function forkPosition(
  image: LogImage,
  session: ImageSession,
  check: SessionCheck,
  atSeq?: Sequence,
): Sequence {
  const { validSeq } = check;
  if (atSeq !== undefined && atSeq > validSeq) {
    const finding = check.problems[0]?.message ?? `the log ends at event ${check.head.seq}`;
    throw new NightshiftError("E_LOG_CORRUPT", `event ${atSeq} cannot be copied: ${finding}`, {
      hint: `The log is sound up to event ${validSeq}; fork there.`,
      data: { sessionId: session.sessionId, validSeq },
    });
  }
  const position = atSeq ?? wholeCommits(image, session, validSeq);
  if (position >= 1) return position;
  throw new NightshiftError("E_LOG_CORRUPT", `no event of ${session.sessionId} is sound`, {
    hint: "There is nothing to go on from; restore the state folder from a backup.",
    data: { sessionId: session.sessionId },
  });
}

/** The last position at or before `seq` that ends a commit. */
function wholeCommits(image: LogImage, session: ImageSession, seq: Sequence): Sequence {
  if (seq === session.seq) return seq;
  const next = readable(() => image.events(session, seq, 1))?.[0];
  if (next?.seq === seq + 1 && next.appendId !== null) return seq;
  for (let position = seq; position >= 1; position--) {
    const [first] = image.events(session, position - 1, 1);
    if (first?.appendId !== null) return position - 1;
  }
  return 0;
}

function readable<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** The new log, chained anew because the session's name is part of every hash; `session.forked` comes last. */
export function* forkedEvents(
  image: LogImage,
  session: ImageSession,
  atSeq: Sequence,
  request: ForkRequest,
): Generator<ForkEvent, void, void> {
  let previous = genesisHash(request.to);
  let headHash = "";
  for (let after = 0; after < atSeq; ) {
    for (const original of image.events(session, after, Math.min(PAGE, atSeq - after))) {
      headHash = original.hash;
      after = original.seq;
      // Drivers count their appends from epoch 1 in every log, so the copy must not have used up their names.
      const appendId = original.appendId === null ? null : `copy ${original.seq}`;
      const copied = chained(request.to, previous, { ...original, appendId, erasure: null });
      previous = copied.hash;
      yield copied;
    }
  }
  const { body } = event("session.forked", { from: request.from, at_seq: atSeq, head_hash: headHash });
  yield chained(request.to, previous, {
    seq: atSeq + 1,
    at: request.at,
    type: "session.forked",
    v: EVENT_VERSIONS["session.forked"],
    body: JSON.stringify(body),
    hash: "",
    appendId: `fork ${atSeq}`,
    erasure: null,
  });
}

function chained(
  sessionId: SessionId,
  previous: string,
  copied: ImageEvent & { readonly erasure: null },
): ForkEvent {
  const { seq, at, type, v, body } = copied;
  const hash = eventHash(previous, { session: sessionId, seq, type, v, at }, bodyHash(body));
  return { ...copied, hash, blobs: [...blobHashes(JSON.parse(body) as Json)] };
}
