/** `list`: the sessions of a state folder, newest first. */
import { existsSync } from "node:fs";
import type { SessionRecord } from "../../store/contract.ts";
import {
  type CommandContext,
  commandLine,
  findSession,
  type PlaceFlags,
  settingsFor,
  withHarness,
} from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { formatCount, formatDuration } from "../render/format.ts";
import { pad, singleLine, truncate } from "../render/text.ts";
import { summaryOf } from "../session-facts.ts";

/** Flags of `list`. */
export interface ListFlags extends PlaceFlags {
  readonly json?: boolean;
  readonly ids?: boolean;
  readonly limit?: number;
  readonly after?: string;
}

const LIMIT_STANDARD = 20;

/** Prints a page. */
export async function list(context: CommandContext, flags: ListFlags): Promise<number> {
  const { output } = context;
  const { stateFolder } = await settingsFor(context, flags);
  if (!existsSync(stateFolder)) {
    if (flags.json === true) output.printJson({ sessions: [], next_after: null });
    else if (flags.ids !== true) output.print("no sessions yet");
    return EXIT.ok;
  }
  return withHarness(context, flags, async (harness) => {
    const after = flags.after === undefined ? undefined : await findSession(harness, flags.after);
    const limit = flags.limit ?? LIMIT_STANDARD;
    const page = await harness.store.listSessions({
      limit: limit + 1,
      ...(after !== undefined && { after }),
    });
    const shown = page.slice(0, limit);
    const last = page.length > limit ? shown.at(-1)?.sessionId : undefined;
    const now = harness.clock.wallMs();
    if (flags.json === true) {
      output.printJson({ sessions: shown.map((record) => asJson(record, now)), next_after: last ?? null });
      return EXIT.ok;
    }
    if (flags.ids === true) {
      output.print(...shown.map(({ sessionId }) => sessionId));
      return EXIT.ok;
    }
    if (shown.length === 0) output.print("no sessions yet");
    for (const record of shown) output.print(lineOf(record, now, output.width));
    if (last !== undefined) output.note(`next: ${commandLine(flags, "list", "--after", last)}`);
    return EXIT.ok;
  });
}

function lineOf(record: SessionRecord, now: number, width: number): string {
  const summary = summaryOf(record);
  const age = pad(formatDuration(Math.max(0, now - record.updatedAt)), 12);
  const requests = formatCount(summary?.requests ?? 0).padStart(4);
  const line = `${record.sessionId} ${pad(wordOf(record, now), 13)} ${requests} req  ${age} ${singleLine(summary?.title ?? "")}`;
  return truncate(line.trimEnd(), width);
}

/** The shortest thing to say that is true. */
function wordOf(record: SessionRecord, now: number): string {
  const summary = summaryOf(record);
  if (record.held) return summary?.activity ?? "working";
  if (record.due !== null && record.due <= now) return "due";
  if (summary?.phase === "running") return "scheduled";
  return (summary?.phase === "terminated" ? "over" : summary?.stopReason) ?? "new";
}

function asJson(record: SessionRecord, now: number): { readonly [field: string]: unknown } {
  const summary = summaryOf(record);
  return {
    session_id: record.sessionId,
    title: summary?.title ?? null,
    standing: wordOf(record, now),
    phase: summary?.phase ?? null,
    stop_reason: summary?.stopReason ?? null,
    requests: summary?.requests ?? 0,
    tokens: summary?.tokens ?? 0,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    due_at: record.due,
    driver_pid: record.held ? (record.owner?.pid ?? null) : null,
    head: `${record.seq}:${record.hash}`,
  };
}
