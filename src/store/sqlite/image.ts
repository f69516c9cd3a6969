/** What a private copy of a state folder holds, read row by row and trusting nothing. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isNightshiftError, messageOf, NightshiftError } from "../../core/errors.ts";
import { asSessionId, type Sequence, type SessionId } from "../../core/ids.ts";
import type { LogProblem } from "../contract.ts";
import type { ImageEvent, ImageHead, ImageSession, LogImage } from "../integrity/contract.ts";
import { readBlob } from "./blobs.ts";
import { openDatabase, type SqlDatabase, type SqlRow, type SqlStatement, type SqlValue } from "./database.ts";
import { DATABASE_FILE, HEADS_FILE } from "./folder.ts";
import { HeadsFile, headDigest } from "./heads.ts";
import { copyFolder, type FolderCopy } from "./image-files.ts";
import { hexOf } from "./rows.ts";
import { migrate, schemaState } from "./schema.ts";
import { storeError } from "./sql-errors.ts";

const SELECT_SESSIONS = "SELECT id, key, seq, hash, epoch FROM sessions WHERE key > ? ORDER BY key LIMIT 1";
const SELECT_EVENTS = `SELECT e.seq, e.at, e.type, e.v, e.body, e.hash, e.append_id, x.body_hash, x.replacement_hash
  FROM events e LEFT JOIN erasures x ON x.session = e.session AND x.seq = e.seq
  WHERE e.session = ? AND e.seq > ? ORDER BY e.seq LIMIT ?`;
const SELECT_ORPHANS = `SELECT session, count(*) FROM events
  WHERE session NOT IN (SELECT key FROM sessions) GROUP BY session`;
const CHECK_PROBLEMS_MAX = 20;
const TITLE = /^nightshift heads 1\n {44}\n$/;

/**
 * Copies a state folder and opens the copy. A damaged one gives an image with problems.
 * @throws NightshiftError `E_STORE_NEWER`, `E_STORE_FULL`, `E_STORE_IO`, `E_STORE_READ_ONLY`
 */
export async function openImage(folder: string): Promise<SqliteImage> {
  const copy = await copyFolder(folder);
  try {
    return new SqliteImage(folder, copy);
  } catch (error) {
    copy.remove();
    throw storeError(error, folder);
  }
}

/** {@link LogImage} of a state folder. */
export class SqliteImage implements LogImage {
  readonly problems: LogProblem[] = [];
  readonly unchecked: string[] = [];
  readonly #folder: string;
  readonly #copy: FolderCopy;
  readonly #heads: HeadsFile | undefined;
  readonly #database: SqlDatabase | undefined;
  readonly #statements = new Map<string, SqlStatement>();
  readonly #sessions: readonly ImageSession[];

  constructor(folder: string, copy: FolderCopy) {
    this.#folder = folder;
    this.#copy = copy;
    this.#heads = this.#openHeads();
    this.#database = this.#openDatabase();
    this.#sessions = this.#readSessions();
    this.#checkOrphans();
    this.#checkHeads();
  }

  sessions(): readonly ImageSession[] {
    return this.#sessions;
  }

  lostHead(sessionId: SessionId): ImageHead | undefined {
    if (this.#sessions.some((session) => session.sessionId === sessionId)) return undefined;
    return this.#heads?.find(headDigest(sessionId))?.head;
  }

  events(session: ImageSession, after: Sequence, limit: number): readonly ImageEvent[] {
    return this.#reading(() => this.statement(SELECT_EVENTS).all(session.key, after, limit).map(decodeEvent));
  }

  blob(blobHash: string): string {
    return this.#reading(() => readBlob(this, blobHash, true));
  }

  close(): void {
    this.#heads?.close();
    try {
      this.#database?.close();
    } finally {
      this.#copy.remove();
    }
  }

  /** A prepared statement on the copy. */
  statement(sql: string): SqlStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#database === undefined) throw new NightshiftError("E_LOG_CORRUPT", "there is no database");
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #found(message: string, code: LogProblem["code"] = "E_LOG_CORRUPT"): void {
    this.problems.push({ code, message });
  }

  #reading<Result>(read: () => Result): Result {
    try {
      return read();
    } catch (error) {
      throw storeError(error, join(this.#folder, DATABASE_FILE));
    }
  }

  #openHeads(): HeadsFile | undefined {
    if (!this.#copy.names.has(HEADS_FILE)) {
      this.unchecked.push("there is no heads file: commits lost from the end of a log would not show");
      return undefined;
    }
    const path = join(this.#copy.folder, HEADS_FILE);
    const title = readFileSync(path).toString("latin1", 0, 64);
    // The file is never synced, so this is what a power failure may leave.
    if (/^\0*$/.test(title))
      this.unchecked.push("the heads file has no title: a power failure may have taken it");
    else if (!TITLE.test(title)) this.#found("the title of the heads file is damaged");
    return new HeadsFile(path);
  }

  #openDatabase(): SqlDatabase | undefined {
    const path = join(this.#copy.folder, DATABASE_FILE);
    if (!this.#copy.names.has(DATABASE_FILE)) {
      if (this.#heads?.holdsAny())
        this.#found("the database is gone, but the heads file is not", "E_LOG_LOST");
      return undefined;
    }
    let database: SqlDatabase | undefined;
    try {
      database = openDatabase(path);
      this.#setUp(database, path);
      return database;
    } catch (error) {
      if (isNightshiftError(error, "E_STORE_NEWER")) throw error;
      this.#found(`the database cannot be read: ${messageOf(error)}`);
      return database;
    }
  }

  #setUp(database: SqlDatabase, path: string): void {
    database.exec("PRAGMA cell_size_check = ON");
    database.exec("PRAGMA trusted_schema = OFF");
    const state = schemaState(database, path);
    if (state === "empty" && this.#heads?.holdsAny())
      this.#found("the database is empty, but the heads file names sessions", "E_LOG_LOST");
    // The copy is ours: an older database is read as today's would be.
    if (state !== "current") migrate(database, path);
    const findings = structureFindings(database);
    for (const finding of findings) this.#found(`the database's structure is damaged: ${finding}`);
    // An index that disagrees with its table would hide events that are there.
    if (findings.length > 0) tryTo(() => database.exec("REINDEX"));
  }

  #readSessions(): ImageSession[] {
    const sessions: ImageSession[] = [];
    if (this.#database === undefined) return sessions;
    try {
      for (let after = 0; ; ) {
        const row = this.statement(SELECT_SESSIONS).get(after);
        if (row === undefined) return sessions;
        after = wholeNumber(row[1], "key");
        sessions.push(this.#decodeSession(row));
      }
    } catch (error) {
      this.#found(`the list of sessions cannot be read to its end: ${messageOf(error)}`);
      return sessions;
    }
  }

  #decodeSession([id, keyValue, seq, hash, epoch]: SqlRow): ImageSession {
    const key = wholeNumber(keyValue, "key");
    const sessionId = asSessionId(text(id, "id"));
    const slot = this.#heads?.read(key) ?? "empty";
    const isForeign = typeof slot === "object" && slot.digest !== headDigest(sessionId);
    if (isForeign) this.#found(`the heads file says that the place of ${sessionId} is another session's`);
    return {
      sessionId,
      key,
      seq: wholeNumber(seq, "seq"),
      hash: hexOf(hash),
      epoch: wholeNumber(epoch, "epoch"),
      head: typeof slot === "object" && !isForeign ? slot : null,
    };
  }

  /** Events whose session has no row: nobody would ever read them. */
  #checkOrphans(): void {
    if (this.#database === undefined) return;
    tryTo(() => {
      for (const [key, count] of this.statement(SELECT_ORPHANS).all())
        this.#found(`${count} events belong to session ${key}, which is not there`);
    });
  }

  /** Heads of sessions that are not there, and slots that do not add up. */
  #checkHeads(): void {
    const heads = this.#heads;
    if (heads === undefined) return;
    const keys = new Set(this.#sessions.map((session) => session.key));
    for (let key = 1; key < heads.slots; key++) {
      const slot = heads.read(key);
      if (slot === "damaged") this.#found(`slot ${key} of the heads file is damaged`);
      if (typeof slot !== "object" || keys.has(key)) continue;
      const message = `a session (digest ${slot.digest}) had ${slot.seq} events and is not in the database`;
      this.#found(message, "E_LOG_LOST");
    }
  }
}

/** What SQLite's own check says, but for "ok". */
function structureFindings(database: SqlDatabase): string[] {
  try {
    const rows = database.prepare(`PRAGMA integrity_check(${CHECK_PROBLEMS_MAX})`).all();
    return rows.map(([finding]) => String(finding)).filter((finding) => finding !== "ok");
  } catch (error) {
    return [messageOf(error)];
  }
}

function tryTo(run: () => void): void {
  try {
    run();
  } catch {
    // What could not be done shows in what is read afterwards.
  }
}

function decodeEvent(row: SqlRow): ImageEvent {
  const [seq, at, type, v, body, hash, appendId, bodyHash, replacementHash] = row;
  return {
    seq: wholeNumber(seq, "seq"),
    at: wholeNumber(at, "at"),
    type: text(type, "type"),
    v: wholeNumber(v, "v"),
    body: text(body, "body"),
    hash: hexOf(hash),
    appendId: appendId === null ? null : text(appendId, "append_id"),
    erasure: bodyHash == null ? null : { bodyHash: hexOf(bodyHash), replacementHash: hexOf(replacementHash) },
  };
}

function wholeNumber(value: SqlValue | undefined, column: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw new NightshiftError("E_LOG_CORRUPT", `column ${column} holds no whole number`);
}

function text(value: SqlValue | undefined, column: string): string {
  if (typeof value === "string") return value;
  throw new NightshiftError("E_LOG_CORRUPT", `column ${column} holds no text`);
}
