/** Checking and repairing the logs of a state folder; loaded only when somebody asks for it. */
import { realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isNightshiftError, NightshiftError } from "../../core/errors.ts";
import type { StoreCheck } from "../contract.ts";
import type {
  CheckOptions,
  EraseRequest,
  EraseResult,
  ForkRequest,
  ForkResult,
  LogImage,
  StoreIntegrity,
} from "../integrity/contract.ts";
import { forkedEvents, forkPosition, originalOf } from "../integrity/fork.ts";
import { checkImage, type Validate } from "../integrity/fsck.ts";
import { Connection } from "./connection.ts";
import { openDatabase } from "./database.ts";
import { eraseEvent, forgetBytes } from "./erasing.ts";
import { fileSystemOf, HEADS_FILE, prepareFolder } from "./folder.ts";
import { storeFork } from "./forking.ts";
import { HeadsFile } from "./heads.ts";
import { openImage } from "./image.ts";
import { storeError } from "./sql-errors.ts";
import { LOCK_TRIES_MAX } from "./writer.ts";

/** @returns checks and repairs of the logs in `folder`, which need not be sound, nor be there at all */
export function createSqliteIntegrity(folder: string): StoreIntegrity {
  return new SqliteIntegrity(folder);
}

class SqliteIntegrity implements StoreIntegrity {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async check(options: CheckOptions = {}): Promise<StoreCheck> {
    const validate = await loadValidate();
    return this.read((image) => checkImage(image, options, validate));
  }

  async fork(request: ForkRequest): Promise<ForkResult> {
    const validate = await loadValidate();
    return this.read(async (image) => {
      const session = originalOf(image, request.from);
      const check = checkImage(image, { sessionId: request.from }, validate).sessions[0];
      if (check === undefined) throw new NightshiftError("E_INTERNAL", `${request.from} was not checked`);
      const atSeq = forkPosition(image, session, check, request.atSeq);
      const folder = request.folder ?? this.#folder;
      if (isSameFolder(folder, this.#folder)) refuseDamaged(image, folder);
      const head = await withFolder(folder, (connection, heads) =>
        whileBusy(() =>
          storeFork(connection, heads, {
            request,
            events: forkedEvents(image, session, atSeq, request),
            textOf: (blobHash) => image.blob(blobHash),
          }),
        ),
      );
      return { sessionId: request.to, atSeq, ...head, problems: check.problems };
    });
  }

  async erase(request: EraseRequest): Promise<EraseResult> {
    const validate = await loadValidate();
    return withFolder(this.#folder, async (connection, heads) => {
      const result = await whileBusy(() => eraseEvent(connection, heads, request, validate));
      await whileBusy(() => forgetBytes(connection));
      return result;
    });
  }

  async read<Result>(use: (image: LogImage) => Result | Promise<Result>): Promise<Result> {
    const image = await openImage(this.#folder);
    try {
      return await use(image);
    } finally {
      image.close();
    }
  }
}

/** The catalogue takes long to load, so it is loaded here and not at the top. */
async function loadValidate(): Promise<Validate> {
  return (await import("../../core/events/validate.ts")).validateStoredEvent;
}

/** Opening a damaged database changes it, and with it what could still be saved by other means. */
function refuseDamaged(image: LogImage, folder: string): void {
  const lost = image.sessions().find(({ seq, head }) => head !== null && head.seq > seq);
  const problem = image.problems[0]?.message ?? (lost && `commits of ${lost.sessionId} are lost`);
  if (problem === undefined) return;
  throw new NightshiftError("E_LOG_CORRUPT", `${folder} is damaged and will not be written to: ${problem}`, {
    hint: "Fork into another state folder.",
    data: { folder },
  });
}

function isSameFolder(one: string, other: string): boolean {
  return realPath(one) === realPath(other);
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** Opens a state folder for one operation of its own. */
async function withFolder<Result>(
  folder: string,
  use: (connection: Connection, heads: HeadsFile) => Result | Promise<Result>,
): Promise<Result> {
  try {
    prepareFolder(folder, fileSystemOf);
    const heads = new HeadsFile(join(folder, HEADS_FILE));
    try {
      const connection = await whileBusy(() => new Connection({ folder, heads, openDatabase }));
      try {
        return await use(connection, heads);
      } finally {
        connection.close();
      }
    } finally {
      heads.close();
    }
  } catch (error) {
    throw storeError(error, folder);
  }
}

/** Tries again while another process holds the lock. */
async function whileBusy<Result>(run: () => Result | Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await run();
    } catch (error) {
      const failure = storeError(error, "");
      if (!isNightshiftError(failure, "E_STORE_BUSY") || tries >= LOCK_TRIES_MAX) throw error;
      await delay(tries);
    }
  }
}
