/**
 * The records that processes of a run have kept in its exchange folder: `record.<id>`, lines of `<mac> <json>`, each
 * line authenticated together with the one before it. Anybody in the sandbox can delete, cut, replace or append to
 * these files, or put something else in their place: all of it ends in a problem or in a record without its end.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { messageOf } from "../../core/errors.ts";

const RECORD_BYTES_MAX = 256 * 1024 ** 2;

const text = z.string().max(100_000);
const common = { n: z.int().nonnegative() };

const recordLine = z.discriminatedUnion("type", [
  z.object({ ...common, type: z.literal("begin"), runner: text }),
  /** A process below has a record of its own: `main.<number>`. */
  z.object({ ...common, type: z.literal("child"), id: z.string().regex(/^[a-z]+(\.\d+)+$/), file: text }),
  /** A process that runs tests for this one, and has seen what this one tells. */
  z.object({ ...common, type: z.literal("worker"), id: z.string().regex(/^[a-z]+(\.\d+)+$/) }),
  z.object({ ...common, type: z.literal("exited"), id: text, code: z.int() }),
  z.object({
    ...common,
    type: z.literal("test"),
    /** Relative to the check's folder; absent: that of the process. */
    file: text.optional(),
    /** Names of suites, then the test's own. */
    path: z.array(text).max(1000),
    status: z.enum(["passed", "failed", "skipped"]),
    /** Another process has to have seen this one pass too. */
    confirm: z.boolean().optional(),
  }),
  /** What the process that ran a test has itself seen of it. */
  z.object({
    ...common,
    type: z.literal("seen"),
    file: text,
    path: z.array(text).max(1000),
    status: z.enum(["passed", "failed"]),
  }),
  /** All that this process was given until now has come to its end. */
  z.object({ ...common, type: z.literal("settled") }),
  /** Assertions that must fail and did not, in words. */
  z.object({ ...common, type: z.literal("canary"), survivors: text }),
  z.object({ ...common, type: z.literal("problem"), message: text }),
  z.object({
    ...common,
    type: z.literal("end"),
    tests: z.int().nonnegative().optional(),
    natural: z.boolean().optional(),
  }),
]);

/** One line, authenticated. */
export type RecordLine = z.infer<typeof recordLine>;

/** What one process has recorded. */
export interface ProcessRecord {
  readonly id: string;
  readonly lines: readonly RecordLine[];
  /** There is no such file. */
  readonly isMissing: boolean;
  /** What is wrong with the file itself. */
  readonly problems: readonly string[];
}

function hmac(key: Buffer, message: string): Buffer {
  return createHmac("sha256", key).update(message).digest();
}

/** The key of a process below. */
export function childKey(key: Buffer, id: string): Buffer {
  return hmac(key, `child:${id}`);
}

/** Reads and authenticates one record. Never throws for what the file has or is. */
export function readRecord(folder: string, id: string, key: Buffer): ProcessRecord {
  const name = `record.${id}`;
  const lines: RecordLine[] = [];
  const problem = (message: string, isMissing = false): ProcessRecord => ({
    ...{ id, lines, isMissing },
    problems: [`${name} ${message}`],
  });
  let content: string;
  try {
    content = readPlainFile(join(folder, name));
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    return problem(isMissing ? "is not there" : `cannot be read: ${messageOf(error)}`, isMissing);
  }
  const lineKey = hmac(key, "record");
  let before = "";
  for (const line of content.split("\n").slice(0, -1)) {
    const mac = line.slice(0, 64);
    const json = line.slice(65);
    const expected = hmac(lineKey, before + json);
    const found = Buffer.from(mac, "hex");
    if (found.length !== expected.length || !timingSafeEqual(found, expected))
      return problem(`is not as it was written, from line ${lines.length + 1} on`);
    before = mac;
    const parsed = recordLine.safeParse(parseJson(json));
    if (!parsed.success || parsed.data.n !== lines.length)
      return problem(`has no such line as its line ${lines.length + 1}`);
    lines.push(parsed.data);
  }
  return content.endsWith("\n") ? { id, lines, isMissing: false, problems: [] } : problem("is cut off");
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** What is read was written by others: no links, no pipes, and not without end. */
export function readPlainFile(path: string): string {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new Error("it is no file");
    if (stat.size > RECORD_BYTES_MAX) throw new Error(`it has more than ${RECORD_BYTES_MAX} bytes`);
    const content = Buffer.alloc(stat.size);
    let size = 0;
    while (size < content.length) {
      const read = readSync(descriptor, content, size, content.length - size, size);
      if (read === 0) break;
      size += read;
    }
    return content.toString("utf8", 0, size);
  } finally {
    closeSync(descriptor);
  }
}
