/** `amend`, `waive`, `inbox`, and what `approve` and `deny` say of things to look at: a person's part of a contract. */
import { contractHash } from "../../core/contract/contract.ts";
import type { ReviewItem } from "../../core/contract/state.ts";
import { NightshiftError } from "../../core/errors.ts";
import type { SessionEvent } from "../../core/events/index.ts";
import { event } from "../../core/events/index.ts";
import type { SessionId } from "../../core/ids.ts";
import type { SessionState } from "../../core/state.ts";
import { loadState } from "../../runtime/load.ts";
import type { OpenHarness } from "../../runtime/open.ts";
import { type CommandContext, commandLine, findSession, settingsFor, withHarness } from "../context.ts";
import type { ContractFlags } from "../contract-choice.ts";
import { EXIT } from "../exit-codes.ts";
import { askedOf } from "../render/event-lines.ts";
import { singleLine, wrap } from "../render/text.ts";
import { confirm, type SendFlags, submit } from "./send.ts";

const DAY_MS = 86_400_000;
/** A waiver is for a while; nobody remembers one for ever. */
const WAIVER_STANDARD_MS = 7 * DAY_MS;

/** Flags of `amend`. */
export interface AmendFlags extends SendFlags, ContractFlags {
  readonly author?: string;
}

/** Flags of `waive`. */
export interface WaiveFlags extends SendFlags {
  readonly owner?: string;
  /** Milliseconds. */
  readonly for?: number;
}

/** `amend <id> --check … --reason …`: another contract in the place of the sealed one. */
export async function amend(context: CommandContext, id: string, flags: AmendFlags): Promise<number> {
  const { reason } = flags;
  if (reason === undefined) throw reasonMissing("amend");
  const { contractOf } = await import("../contract-choice.ts");
  const settings = await settingsFor(context, flags);
  return withHarness(context, flags, async (harness) => {
    const sessionId = await findSession(harness, id);
    const old = agreementOf(await loadState(harness.store, sessionId)).contract;
    const agreed = await contractOf(flags, old.goal, settings);
    if (agreed === undefined)
      throw new NightshiftError("E_USAGE", "nothing says what is to be met from now on", {
        hint: "Pass --contract with the whole new contract, or --check.",
      });
    const { contract } = agreed;
    const body = { contract, hash: contractHash(contract), reason, author: personOf(context, flags.author) };
    return await submit(context, sessionId, flags, {
      events: [event("control.amend_contract", body)],
      done: "amendment noted",
    });
  });
}

/** `waive <id> <criterion> --reason …`: not asked for, for a while; then asks for a verdict. */
export async function waive(
  context: CommandContext,
  id: string,
  criterion: string,
  flags: WaiveFlags,
): Promise<number> {
  const { reason } = flags;
  if (reason === undefined) throw reasonMissing("waive");
  return withHarness(context, flags, async (harness) => {
    const sessionId = await findSession(harness, id);
    const { contract } = agreementOf(await loadState(harness.store, sessionId));
    const ids = contract.criteria.map((each) => each.id);
    if (!ids.includes(criterion))
      throw new NightshiftError("E_USAGE", `there is no criterion ${criterion}; there are ${ids.join(", ")}`);
    const expires_at = harness.clock.wallMs() + (flags.for ?? WAIVER_STANDARD_MS);
    const owner = personOf(context, flags.owner);
    return await submit(context, sessionId, flags, {
      events: [
        event("control.waive", { criterion, reason, owner, expires_at }),
        event("control.request_verdict", {}),
      ],
      done: `${criterion} is waived`,
    });
  });
}

/** `inbox [id]`: what waits for a person. */
export function inbox(context: CommandContext, id: string | undefined, flags: SendFlags): Promise<number> {
  const { output } = context;
  return withHarness(context, flags, async (harness) => {
    const sessions = id === undefined ? await newest(harness) : [await findSession(harness, id)];
    const items = (await Promise.all(sessions.map((each) => itemsOf(harness, each)))).flat();
    if (flags.json === true) output.printJson(items);
    else if (items.length === 0) output.print("nothing waits for a person");
    else
      for (const { detail, answer: words } of items)
        output.print(...wrap(`- ${singleLine(detail)}`, output.width), `  ${commandLine(flags, ...words)}`);
    return EXIT.ok;
  });
}

/** One thing that waits for a person. */
interface InboxItem {
  readonly session: SessionId;
  /** A call, a layer, a path, or a criterion. */
  readonly item: string;
  /** Names exactly what is to be looked at; null where the item does. */
  readonly hash: string | null;
  readonly detail: string;
  /** The command that answers it favourably. */
  readonly answer: readonly string[];
}

const SESSIONS_MAX = 200;

async function newest(harness: OpenHarness): Promise<SessionId[]> {
  return (await harness.store.listSessions({ limit: SESSIONS_MAX })).map(({ sessionId }) => sessionId);
}

async function itemsOf(harness: OpenHarness, session: SessionId): Promise<InboxItem[]> {
  const state = await loadState(harness.store, session);
  const asked = askedOf(state.stopReason).map((item) => ({
    ...{ session, item, hash: null, answer: ["approve", session, item] },
    detail: /^c\d+_\d+$/.test(item) ? `may call ${item} run?` : "may the changed dependencies be installed?",
  }));
  const verdict = openReview(state).length > 0 ? await newestVerdict(harness, session) : undefined;
  const looked = openReview(state).map(({ path, hash }) => {
    const detail = verdict?.body.review.find((each) => each.hash === hash)?.detail ?? path;
    return { session, item: path, hash, detail: `${path}: ${detail}`, answer: ["approve", session, path] };
  });
  return [...asked, ...looked, ...declaredItems(state)];
}

/** What the agent says that it cannot meet, as long as the newest verdict says so, too. */
function declaredItems({ contract, sessionId }: SessionState): InboxItem[] {
  const given = contract?.given?.criteria ?? [];
  const open = (contract?.declared ?? []).filter(({ criterion, status }) =>
    given.some((each) => each.criterion === criterion && each.status === status),
  );
  return open.map(({ criterion, status, reason }) => ({
    ...{ session: sessionId, item: criterion, hash: null },
    detail: `the agent calls ${criterion} ${status}: ${reason}`,
    answer: ["waive", sessionId, criterion, "--reason", "..."],
  }));
}

async function newestVerdict(
  harness: OpenHarness,
  session: SessionId,
): Promise<SessionEvent<"verdict.given"> | undefined> {
  const [event] = await harness.store.getEvents(session, {
    backwards: true,
    limit: 1,
    types: ["verdict.given"],
  });
  return event?.type === "verdict.given" ? event : undefined;
}

/** What the newest verdict asks a person to look at, and nobody has decided. */
function openReview({ contract }: SessionState): readonly ReviewItem[] {
  if (contract === null) return [];
  return contract.review.filter(({ hash }) => !contract.decisions.some((each) => each.hash === hash));
}

/** `approve <id> <what>` and `deny <id> <what>`: a call, a layer, or what a verdict asks about; `all` for all of that. */
export async function answer(
  context: CommandContext,
  id: string,
  what: string,
  flags: SendFlags & { readonly result: "allow" | "deny" },
): Promise<number> {
  return withHarness(context, flags, async (harness) => {
    const sessionId = await findSession(harness, id);
    const state = await loadState(harness.store, sessionId);
    const meant = openReview(state).filter(
      ({ item, path }) => what === "all" || what === item || what === path,
    );
    if (meant.length === 0) return await confirm(context, sessionId, what, flags);
    const author = personOf(context, undefined);
    const result = flags.result === "allow" ? "approve" : "deny";
    const reason = flags.reason === undefined ? {} : { reason: flags.reason };
    const events = meant.map(({ item, hash }) =>
      event("approval.decided", { item, hash, result, author, ...reason }),
    );
    return await submit(context, sessionId, flags, { events, done: `${flags.result} noted` });
  });
}

function agreementOf({ contract, sessionId }: SessionState): NonNullable<SessionState["contract"]> {
  if (contract !== null) return contract;
  throw new NightshiftError("E_USAGE", `${sessionId} has no contract`, {
    hint: "A session gets one when it is made: nightshift run --check ...",
  });
}

function personOf({ environment }: CommandContext, named: string | undefined): string {
  return named ?? environment.USER ?? environment.LOGNAME ?? "a person";
}

function reasonMissing(command: string): NightshiftError {
  return new NightshiftError("E_USAGE", `${command} needs --reason`, { hint: "The report lists it." });
}
