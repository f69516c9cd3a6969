/** `events` and `logs`: the log itself, for programs and for people. */
import { NightshiftError } from "../../core/errors.ts";
import { EVENT_VERSIONS, type SessionEvent } from "../../core/events/index.ts";
import { eventId, type Sequence, type SessionId } from "../../core/ids.ts";
import type { OpenHarness } from "../../runtime/open.ts";
import { follow } from "../../store/follow.ts";
import { type CommandContext, findSession, type PlaceFlags, withHarness } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { Interruption } from "../interruption.ts";
import { EventView } from "../render/event-lines.ts";
import { formatTime } from "../render/format.ts";
import { pad, singleLine, truncate } from "../render/text.ts";

/** Flags of both. */
export interface EventsFlags extends PlaceFlags {
  readonly json?: boolean;
  readonly follow?: boolean;
  readonly after?: number;
  readonly types?: readonly string[];
  readonly verbose?: boolean;
  readonly tail?: number;
}

const PAGE = 500;

/** `events <id>`: one line per event; with `--json` the whole event. */
export function events(context: CommandContext, id: string | undefined, flags: EventsFlags): Promise<number> {
  const { output } = context;
  return withHarness(context, flags, async (harness) => {
    const sessionId = await findSession(harness, id);
    const show = (item: SessionEvent): void => {
      if (flags.json === true) output.printJson(asJson(sessionId, item));
      else output.print(summaryLine(item, output.width));
    };
    return play(context, harness, { sessionId, flags, types: checkedTypes(flags.types), show });
  });
}

/** `logs <id>`: the session as a story. */
export function logs(context: CommandContext, id: string | undefined, flags: EventsFlags): Promise<number> {
  const { output } = context;
  return withHarness(context, flags, async (harness) => {
    const sessionId = await findSession(harness, id);
    const view = new EventView({ width: output.width, verbose: flags.verbose ?? false });
    const show = (item: SessionEvent): void => output.print(...view.lines(item));
    return play(context, harness, { sessionId, flags, types: undefined, show });
  });
}

interface Playing {
  readonly sessionId: SessionId;
  readonly flags: EventsFlags;
  readonly types: readonly string[] | undefined;
  readonly show: (item: SessionEvent) => void;
}

async function play(context: CommandContext, harness: OpenHarness, what: Playing): Promise<number> {
  const { sessionId, flags, types, show } = what;
  const after = await startOf(harness, what);
  if (flags.follow === true) {
    using interruption = new Interruption();
    const signal = AbortSignal.any([interruption.signal, context.output.gone]);
    for await (const item of follow(harness.store, sessionId, { after, signal, ...(types && { types }) })) {
      show(item);
      await context.output.drained();
    }
    return EXIT.ok;
  }
  let position = after;
  for (;;) {
    const page = await harness.store.getEvents(sessionId, {
      after: position,
      limit: PAGE,
      ...(types && { types }),
    });
    for (const item of page) show(item);
    position = page.at(-1)?.seq ?? position;
    await context.output.drained();
    if (page.length < PAGE || context.output.gone.aborted) return EXIT.ok;
  }
}

async function startOf(harness: OpenHarness, { sessionId, flags }: Playing): Promise<Sequence> {
  if (flags.tail === undefined) return flags.after ?? 0;
  const record = await harness.store.getSession(sessionId);
  return Math.max(flags.after ?? 0, (record?.seq ?? 0) - flags.tail);
}

function checkedTypes(types: readonly string[] | undefined): readonly string[] | undefined {
  const unknown = types?.find((type) => !Object.hasOwn(EVENT_VERSIONS, type));
  if (unknown === undefined) return types;
  throw new NightshiftError("E_USAGE", `there is no event type "${unknown}"`, {
    hint: `The types are ${Object.keys(EVENT_VERSIONS).join(", ")}.`,
  });
}

function asJson(sessionId: SessionId, item: SessionEvent): { readonly [field: string]: unknown } {
  return {
    id: eventId(sessionId, item.seq),
    session_id: sessionId,
    seq: item.seq,
    at: new Date(item.at).toISOString(),
    type: item.type,
    body: item.body,
  };
}

function summaryLine(item: SessionEvent, width: number): string {
  const lead = `${String(item.seq).padStart(6)} ${formatTime(item.at)} ${pad(item.type, 26)} `;
  return truncate(lead + singleLine(JSON.stringify(item.body).slice(0, 1000)), width);
}
