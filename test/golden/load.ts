/**
 * Golden logs: one event a line, as stored (`seq`, `at`, `type`, `v`, `hash`, `body`); long texts stand before the
 * event that needs them, as `{"blob": <hash>, "text": …}`. The session's name is the first line's `session`.
 */
import { hash } from "node:crypto";
import { bodyHash, eventHash, genesisHash } from "../../src/core/chain.ts";
import { NightshiftError } from "../../src/core/errors.ts";
import type { SessionEvent } from "../../src/core/events/index.ts";
import { validateStoredEvent } from "../../src/core/events/validate.ts";
import { asSessionId, type SessionId } from "../../src/core/ids.ts";
import { hydrate } from "../../src/core/seal.ts";
import type { Json } from "../../src/core/text.ts";
import { upcast } from "../../src/core/upcast.ts";

interface BlobLine {
  readonly blob: string;
  readonly text: string;
}

interface EventLine {
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  readonly v: number;
  readonly hash?: string;
  readonly body: Json;
}

/** A golden log, read and checked. */
export interface GoldenLog {
  readonly sessionId: SessionId;
  readonly events: readonly SessionEvent[];
  /** `type@version` of each event as stored. */
  readonly stored: readonly string[];
  /** The same log with every hash in its place. */
  readonly text: string;
}

/**
 * Reads a log the way a store does: chain, long texts, upcasting, schema.
 * @throws NightshiftError `E_EVENT_NEWER`, `E_LOG_CORRUPT`, `E_BLOB_MISSING`
 */
export function loadGolden(text: string, withHashes: "given" | "filled in"): GoldenLog {
  const [title = "", ...lines] = text.trimEnd().split("\n");
  const sessionId = asSessionId((JSON.parse(title) as { session: string }).session);
  const blobs = new Map<string, string>();
  const events: SessionEvent[] = [];
  const stored: string[] = [];
  const written = [title];
  let previous = genesisHash(sessionId);
  for (const line of lines.map((each) => JSON.parse(each) as EventLine | BlobLine)) {
    if ("blob" in line) {
      keepBlob(blobs, line);
      written.push(JSON.stringify(line));
      continue;
    }
    const hashed = checkedHash(previous, sessionId, line, withHashes);
    previous = hashed;
    const { seq, at, type, v, body } = line;
    written.push(JSON.stringify({ seq, at, type, v, hash: hashed, body }));
    stored.push(`${type}@${v}`);
    events.push(readEvent(line, blobs));
  }
  return { sessionId, events, stored, text: `${written.join("\n")}\n` };
}

function keepBlob(blobs: Map<string, string>, { blob, text }: BlobLine): void {
  if (hash("sha256", text, "hex") !== blob) throw corrupt(`blob ${blob} has another hash`);
  blobs.set(blob, text);
}

function checkedHash(
  previous: string,
  session: SessionId,
  line: EventLine,
  withHashes: "given" | "filled in",
): string {
  const { seq, at, type, v, body } = line;
  const expected = eventHash(previous, { session, seq, type, v, at }, bodyHash(JSON.stringify(body)));
  if (line.hash === undefined && withHashes === "filled in") return expected;
  if (line.hash !== expected) throw corrupt(`event ${seq} has hash ${line.hash}, not ${expected}`);
  return expected;
}

function readEvent(line: EventLine, blobs: ReadonlyMap<string, string>): SessionEvent {
  const body = hydrate(line.body, (blobHash) => {
    const text = blobs.get(blobHash);
    if (text === undefined) throw new NightshiftError("E_BLOB_MISSING", `no blob ${blobHash}`);
    return text;
  });
  const event = upcast({ ...line, body: "" }, body);
  const wrong = validateStoredEvent(event);
  if (wrong !== undefined) throw corrupt(`event ${line.seq} (${line.type}): ${wrong}`);
  return event;
}

function corrupt(message: string): NightshiftError {
  return new NightshiftError("E_LOG_CORRUPT", message);
}
