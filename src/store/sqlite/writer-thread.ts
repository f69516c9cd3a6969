/** The writer's thread: takes what has arrived, commits it together, answers, and waits for more. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { Committer } from "./commit.ts";
import { Connection } from "./connection.ts";
import { openDatabase } from "./database.ts";
import { HEADS_FILE } from "./folder.ts";
import { HeadsFile } from "./heads.ts";
import { unpack } from "./parcel.ts";
import { failureOf, type WriteOutcome, type WriteRequest } from "./requests.ts";
import { storeError } from "./sql-errors.ts";
import { type ThreadMessage, type ThreadSettings, WAL_PAGES } from "./thread-writer.ts";
import { LOCK_TRIES_MAX } from "./writer.ts";

/**
 * Most requests in one transaction. With more of them a sync is shared by more, but then all callers wait while the
 * writer works, and the writer while they do; with some, one part goes on while the next is being committed.
 */
const BATCH_REQUESTS_MAX = 32;
/** Pause between two tries to get the lock. */
const LOCK_PAUSE_MS = 1;

/** Nothing to do for so long is a moment for a checkpoint. */
const IDLE_MS = 20;
const SPIN_NANOSECONDS = 100_000n;
const CAN_SPIN = availableParallelism() > 1;

interface Files {
  readonly heads: HeadsFile;
  readonly connection: Connection;
  readonly committer: Committer;
}

const { folder, port, signal } = workerData as ThreadSettings;
const pauses = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
let files: Files | undefined;

run();

function run(): void {
  for (;;) {
    const count = Atomics.load(signal, 0);
    const { requests, isLast } = take();
    for (let start = 0; start < requests.length; start += BATCH_REQUESTS_MAX) {
      port.postMessage(commit(requests.slice(start, start + BATCH_REQUESTS_MAX)));
    }
    if (isLast) break;
    if (requests.length > 0 || arrivesSoon(count)) continue;
    if (Atomics.wait(signal, 0, count, IDLE_MS) !== "timed-out") continue;
    files?.committer.checkpoint();
    Atomics.wait(signal, 0, count);
  }
  files?.connection.close();
  files?.heads.close();
  port.close();
}

/** Looks for more for a moment: callers often answer at once, and being woken costs more than that moment. */
function arrivesSoon(count: number): boolean {
  if (!CAN_SPIN) return false;
  const end = process.hrtime.bigint() + SPIN_NANOSECONDS;
  do {
    for (let looks = 0; looks < 50; looks++) if (Atomics.load(signal, 0) !== count) return true;
  } while (process.hrtime.bigint() < end);
  return false;
}

/** All that has arrived. */
function take(): { readonly requests: WriteRequest[]; readonly isLast: boolean } {
  const requests: WriteRequest[] = [];
  for (;;) {
    const received = receiveMessageOnPort(port) as { readonly message: ThreadMessage } | undefined;
    if (received === undefined) return { requests, isLast: false };
    if (received.message === "end") return { requests, isLast: true };
    requests.push(...unpack(received.message));
  }
}

/** One outcome for each request, come what may. */
function commit(requests: readonly WriteRequest[]): readonly WriteOutcome[] {
  for (let tries = 1; ; tries++) {
    try {
      files ??= openFiles();
      return files.committer.commitBatch(requests);
    } catch (error) {
      const failure = storeError(error, folder);
      if (failure.code !== "E_STORE_BUSY" || tries >= LOCK_TRIES_MAX) {
        return requests.map(() => ({ kind: "failed", failure: failureOf(failure) }));
      }
      Atomics.wait(pauses, 0, 0, LOCK_PAUSE_MS);
    }
  }
}

function openFiles(): Files {
  const heads = new HeadsFile(join(folder, HEADS_FILE));
  try {
    const connection = new Connection({ folder, heads, openDatabase, walPages: WAL_PAGES });
    return { heads, connection, committer: new Committer(connection, heads) };
  } catch (error) {
    heads.close();
    throw error;
  }
}
