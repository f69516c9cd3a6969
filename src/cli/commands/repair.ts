/** `fsck`, `fork` and `erase`: below the store's contract, so that damaged files can be looked at without being opened. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { NightshiftError } from "../../core/errors.ts";
import { isSessionId, type Sequence, type SessionId, sessionId } from "../../core/ids.ts";
import { openIntegrity } from "../../runtime/registry.ts";
import { systemChance, systemClock, uniqueSuffix } from "../../runtime/system.ts";
import type { LogProblem, SessionCheck, StoreCheck } from "../../store/contract.ts";
import type { CheckOptions, ForkResult, StoreIntegrity } from "../../store/integrity/contract.ts";
import { type CommandContext, commandLine, type PlaceFlags, settingsFor } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { formatQuantity } from "../render/format.ts";
import { snakeKeys } from "../render/json-keys.ts";

/** Flags of `fsck`. */
export interface FsckFlags extends PlaceFlags {
  readonly head?: string;
  readonly fork?: boolean;
  readonly into?: string;
  readonly json?: boolean;
}

/** Flags of `fork`. */
export interface ForkFlags extends PlaceFlags {
  readonly at?: number;
  readonly into?: string;
  readonly json?: boolean;
}

/** Flags of `erase`. */
export interface EraseFlags extends PlaceFlags {
  readonly reason: string;
  readonly json?: boolean;
}

/** Checks chain, heads and long texts. @returns 0 when everything is sound */
export async function fsck(
  context: CommandContext,
  id: string | undefined,
  flags: FsckFlags,
): Promise<number> {
  const { output } = context;
  const integrity = await openFolder(context, flags);
  const expectedHead = flags.head === undefined ? undefined : parseHead(flags.head);
  if (id === undefined && (expectedHead !== undefined || flags.fork === true))
    throw new NightshiftError("E_USAGE", "--head and --fork need the session that they are about");
  const named = id === undefined ? undefined : await namedSession(integrity, id);
  const check = await integrity.check({
    ...(named === undefined ? {} : { sessionId: named }),
    ...(expectedHead === undefined ? {} : { expectedHead }),
  } satisfies CheckOptions);
  const problems = [...check.problems, ...check.sessions.flatMap((session) => session.problems)];
  const damaged = check.sessions.find((session) => session.problems.length > 0);
  const repair =
    flags.fork === true && named !== undefined && problems.length > 0
      ? await forkSession(context, integrity, named, flags)
      : undefined;
  if (flags.json === true) {
    output.printJson(snakeKeys({ ok: problems.length === 0, ...check, fork: repair ?? null }));
  } else {
    output.print(...reportOf(check));
    if (repair !== undefined) sayForked(context, repair, flags);
    else if (damaged !== undefined && flags.fork !== true)
      output.note(`next: ${commandLine(flags, "fsck", damaged.sessionId, "--fork")}`);
  }
  return problems.length === 0 ? EXIT.ok : EXIT.internal;
}

/** Copies the sound beginning of a log into a new session. */
export async function fork(context: CommandContext, id: string, flags: ForkFlags): Promise<number> {
  const integrity = await openFolder(context, flags);
  const result = await forkSession(context, integrity, await namedSession(integrity, id), flags);
  if (flags.json === true) context.output.printJson(snakeKeys(result));
  else sayForked(context, result, flags);
  return EXIT.ok;
}

/** Removes the texts of one event for good; the chain still holds. */
export async function erase(
  context: CommandContext,
  id: string,
  seq: number,
  flags: EraseFlags,
): Promise<number> {
  const { output } = context;
  const integrity = await openFolder(context, flags);
  const session = await namedSession(integrity, id);
  const result = await integrity.erase({
    sessionId: session,
    seq,
    at: systemClock.wallMs(),
    reason: flags.reason,
  });
  if (flags.json === true) {
    const { body, blobsDeleted, alsoIn } = result;
    output.printJson({ session_id: session, seq, body, ...Object(snakeKeys({ blobsDeleted, alsoIn })) });
  } else {
    output.print(
      `the texts of event ${seq} are gone, and ${formatQuantity(result.blobsDeleted, "long text")} with them`,
    );
    for (const place of result.alsoIn) output.print(`still in event ${place.seq} of ${place.sessionId}`);
  }
  return EXIT.ok;
}

/** Checking a folder that is not there would make it. */
async function openFolder(context: CommandContext, flags: PlaceFlags): Promise<StoreIntegrity> {
  const { stateFolder } = await settingsFor(context, flags);
  if (existsSync(stateFolder)) return openIntegrity("sqlite", stateFolder);
  throw new NightshiftError("E_SESSION_UNKNOWN", `there is no state folder ${stateFolder}`, {
    hint: "Name the state folder with --state, or its project with -C.",
  });
}

/** A session by its id or the beginning of it. The store is not opened for that: opening changes damaged files. */
async function namedSession(integrity: StoreIntegrity, text: string): Promise<SessionId> {
  if (isSessionId(text) && text.length >= "sesn_".length + 24) return text;
  const prefix = text.startsWith("sesn_") ? text : `sesn_${text}`;
  const { sessions } = await integrity.check();
  const found = sessions.map((session) => session.sessionId).filter((each) => each.startsWith(prefix));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  if (only === undefined) throw new NightshiftError("E_SESSION_UNKNOWN", `there is no session ${text}`);
  throw new NightshiftError("E_USAGE", `${found.length} sessions begin with ${text}`, {
    hint: "Give more characters of the id.",
  });
}

async function forkSession(
  context: CommandContext,
  integrity: StoreIntegrity,
  from: SessionId,
  flags: ForkFlags,
): Promise<ForkResult> {
  const to = sessionId(uniqueSuffix(systemClock, systemChance));
  return integrity.fork({
    from,
    to,
    at: systemClock.wallMs(),
    due: null,
    ...(flags.at === undefined ? {} : { atSeq: flags.at }),
    ...(flags.into === undefined ? {} : { folder: resolve(context.directory, flags.into) }),
  });
}

function sayForked({ output }: CommandContext, result: ForkResult, flags: ForkFlags): void {
  const place = flags.into === undefined ? flags : { ...flags, state: flags.into };
  output.print(
    `forked   ${result.sessionId}, a copy up to event ${result.atSeq}`,
    `head     ${result.seq}:${result.hash}`,
  );
  output.note(`next: ${commandLine(place, "resume", result.sessionId)}`);
}

function reportOf(check: StoreCheck): string[] {
  const lines = check.sessions.flatMap(sessionLines);
  for (const problem of check.problems) lines.push(problemLine("files", problem));
  for (const text of check.unchecked) lines.push(`unchecked: ${text}`);
  if (lines.length === 0) lines.push("no sessions");
  return lines;
}

function sessionLines({ sessionId: id, events, head, validSeq, problems }: SessionCheck): string[] {
  if (problems.length === 0)
    return [`ok   ${id}  ${formatQuantity(events, "event")}`, `     head ${head.seq}:${head.hash}`];
  return [
    `BAD  ${id}  sound up to event ${validSeq} of ${events}`,
    ...problems.map((problem) => problemLine("    ", problem)),
  ];
}

function problemLine(lead: string, { code, seq, message }: LogProblem): string {
  return `${lead} ${code}${seq === undefined ? "" : ` at event ${seq}`}: ${message}`;
}

/** `position:hash`, as reports print it. @throws NightshiftError `E_USAGE` */
export function parseHead(text: string): { readonly seq: Sequence; readonly hash: string } {
  const match = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text);
  if (match !== null) return { seq: Number(match[1]), hash: match[2] ?? "" };
  throw new NightshiftError("E_USAGE", `--head takes position:hash as reports print it, not "${text}"`);
}
