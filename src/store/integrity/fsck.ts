/** Checks every log of an image: chain, density, heads, long texts, and the schema of each event. */
import { bodyHash, eventHash, genesisHash } from "../../core/chain.ts";
import { isNightshiftError, messageOf } from "../../core/errors.ts";
import type { SessionEvent } from "../../core/events/index.ts";
import type { Sequence } from "../../core/ids.ts";
import { blobHashes, hydrate } from "../../core/seal.ts";
import type { Json } from "../../core/text.ts";
import { upcast } from "../../core/upcast.ts";
import type { LogProblem, SessionCheck, StoreCheck } from "../contract.ts";
import { sessionUnknown } from "../failures.ts";
import type { CheckOptions, ImageEvent, ImageHead, ImageSession, LogImage } from "./contract.ts";

/** Says what is wrong with an event; `core/events/validate.ts` has the real one, which loads the catalogue. */
export type Validate = (event: SessionEvent) => string | undefined;

const PAGE = 100;
/** Findings per log; where more is wrong, the rest is not told. */
const PROBLEMS_MAX = 20;

/** @throws NightshiftError `E_SESSION_UNKNOWN` */
export function checkImage(image: LogImage, options: CheckOptions, validate: Validate): StoreCheck {
  const { sessionId, expectedHead } = options;
  const sessions = image.sessions().filter((each) => sessionId === undefined || each.sessionId === sessionId);
  const checks = sessions.map((session) => new LogCheck(image, session, validate).run(expectedHead));
  if (sessionId !== undefined && checks.length === 0) checks.push(checkMissing(image, options));
  return {
    sessions: checks,
    problems: image.problems,
    unchecked: [...image.unchecked, ...sessions.filter((each) => each.head === null).map(withoutHead)],
  };
}

function withoutHead({ sessionId }: ImageSession): string {
  return `${sessionId} has no head in the heads file: commits lost from its end would not show`;
}

/** A session that was asked for and is not in the database. */
function checkMissing(image: LogImage, { sessionId, expectedHead }: CheckOptions): SessionCheck {
  const id = sessionId ?? ("" as never);
  const seen = image.lostHead(id) ?? expectedHead;
  if (seen === undefined && image.problems.length === 0) throw sessionUnknown(id);
  const message =
    seen === undefined
      ? "the session is not there, and the files are damaged"
      : `the session is not there, but its event ${seen.seq} was acknowledged`;
  const problems: LogProblem[] = [{ code: "E_LOG_LOST", seq: 1, message }];
  return { sessionId: id, events: 0, head: { seq: 0, hash: genesisHash(id) }, validSeq: 0, problems };
}

/** One log, event by event. */
class LogCheck {
  readonly #image: LogImage;
  readonly #session: ImageSession;
  readonly #validate: Validate;
  readonly #problems: LogProblem[] = [];
  /** Hashes by position, for the positions that heads name. */
  readonly #hashes = new Map<Sequence, string>();
  #events = 0;
  #last: { readonly seq: Sequence; readonly hash: string };

  constructor(image: LogImage, session: ImageSession, validate: Validate) {
    this.#image = image;
    this.#session = session;
    this.#validate = validate;
    this.#last = { seq: 0, hash: genesisHash(session.sessionId) };
  }

  run(expectedHead: CheckOptions["expectedHead"]): SessionCheck {
    const { sessionId, head } = this.#session;
    const watched = new Set([head?.seq, expectedHead?.seq]);
    for (const event of this.#readable()) {
      this.#checkPlace(event);
      this.#checkContent(event);
      if (watched.has(event.seq)) this.#hashes.set(event.seq, event.hash);
      this.#events += 1;
      this.#last = event;
    }
    this.#checkRow();
    if (head !== null) this.#checkHead(head, "the heads file");
    if (expectedHead !== undefined) this.#checkHead({ ...expectedHead, epoch: 0 }, "the given head");
    const { seq, hash } = this.#last;
    const problems = this.#problems.toSorted((left, right) => (left.seq ?? 0) - (right.seq ?? 0));
    const firstBad = problems.find((problem) => problem.seq !== undefined)?.seq ?? seq + 1;
    return { sessionId, events: this.#events, head: { seq, hash }, validSeq: firstBad - 1, problems };
  }

  /** Every event that can be read, page by page; where a page cannot, one by one. */
  *#readable(): Generator<ImageEvent, void, void> {
    let limit = PAGE;
    for (let after = 0; ; ) {
      let events: readonly ImageEvent[];
      try {
        events = this.#image.events(this.#session, after, limit);
      } catch (error) {
        if (limit === 1) return this.#found(codeOf(error), after + 1, `cannot be read: ${messageOf(error)}`);
        limit = 1;
        continue;
      }
      yield* events;
      const last = events.at(-1);
      if (last === undefined || last.seq <= after) return;
      after = last.seq;
    }
  }

  #found(code: LogProblem["code"], seq: Sequence | undefined, finding: string): void {
    if (this.#problems.length >= PROBLEMS_MAX) return;
    const message = seq === undefined ? finding : `event ${seq} ${finding}`;
    this.#problems.push({ code, ...(seq !== undefined && { seq }), message });
  }

  #checkPlace(event: ImageEvent): void {
    const expected = this.#last.seq + 1;
    if (event.seq > expected) this.#found("E_LOG_CORRUPT", expected, "is missing");
    // After a gap there is nothing to compare with; the gap has been told.
    else if (!isChained(this.#session, this.#last.hash, event)) {
      this.#found("E_LOG_CORRUPT", event.seq, "does not match its hash");
    }
  }

  #checkContent(event: ImageEvent): void {
    try {
      const stored = JSON.parse(event.body) as Json;
      for (const blobHash of blobHashes(stored)) this.#image.blob(blobHash);
      const body = hydrate(stored, (blobHash) => this.#image.blob(blobHash));
      const wrong = this.#validate(upcast(event, body));
      if (wrong !== undefined) this.#found("E_LOG_CORRUPT", event.seq, `is no ${event.type}: ${wrong}`);
    } catch (error) {
      if (error instanceof SyntaxError) this.#found("E_LOG_CORRUPT", event.seq, "is not JSON");
      else this.#found(codeOf(error), event.seq, `is unusable: ${messageOf(error)}`);
    }
  }

  /** The session's row must name the last event. */
  #checkRow(): void {
    const { seq, hash } = this.#session;
    const last = this.#last;
    if (last.seq < seq) {
      if (!this.#problems.some((problem) => problem.seq === last.seq + 1))
        this.#found("E_LOG_CORRUPT", last.seq + 1, `is missing; the log should end at ${seq}`);
    } else if (last.seq > seq) {
      this.#found("E_LOG_CORRUPT", seq + 1, `stands after the end of the log, which is ${seq}`);
    } else if (last.hash !== hash) {
      this.#found("E_LOG_CORRUPT", undefined, "the session's row has another hash than its last event");
    }
  }

  #checkHead(head: ImageHead, source: string): void {
    const { seq, hash, epoch } = head;
    const last = this.#last;
    if (seq > last.seq) {
      this.#found("E_LOG_LOST", last.seq + 1, `is lost: ${source} shows that event ${seq} was acknowledged`);
    } else if (seq > 0 && this.#hashes.get(seq) !== hash) {
      this.#found("E_LOG_CORRUPT", seq, `is not the one that ${source} names`);
    } else if (epoch > this.#session.epoch) {
      const finding = `${source} knows lease ${epoch}, the session's row only ${this.#session.epoch}`;
      this.#found("E_LOG_LOST", undefined, finding);
    }
  }
}

/** Does the event follow from the one before it, as it is or as it was before it was erased? */
function isChained(session: ImageSession, previous: string, event: ImageEvent): boolean {
  const header = {
    session: session.sessionId,
    seq: event.seq,
    type: event.type,
    v: event.v,
    at: event.at,
  };
  const hashOfBody = bodyHash(event.body);
  if (eventHash(previous, header, hashOfBody) === event.hash) return true;
  const { erasure } = event;
  if (erasure === null || erasure.replacementHash !== hashOfBody) return false;
  return eventHash(previous, header, erasure.bodyHash) === event.hash;
}

const CODES: ReadonlySet<string> = new Set<LogProblem["code"]>([
  "E_LOG_LOST",
  "E_LOG_CORRUPT",
  "E_BLOB_MISSING",
  "E_EVENT_NEWER",
  "E_STORE_IO",
]);

/** The finding that an error amounts to: whatever cannot be read is damaged. */
function codeOf(error: unknown): LogProblem["code"] {
  const code = isNightshiftError(error) ? error.code : "";
  return CODES.has(code) ? (code as LogProblem["code"]) : "E_LOG_CORRUPT";
}
