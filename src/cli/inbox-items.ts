/** What waits for a person, gathered from a session's state and, for the words, from its log. */
import { openDeclarations } from "../core/contract/declaration.ts";
import type { ReviewItem } from "../core/contract/state.ts";
import type { NightshiftError } from "../core/errors.ts";
import type { SessionEvent } from "../core/events/index.ts";
import type { SessionId } from "../core/ids.ts";
import { openApprovals, openQuestions } from "../core/rules/people.ts";
import type { CallState, SessionState } from "../core/state.ts";
import type { Json } from "../core/text.ts";
import { loadState } from "../runtime/load.ts";
import type { OpenHarness } from "../runtime/open.ts";
import type { SessionRecord } from "../store/contract.ts";
import { shortKey } from "./render/asked.ts";
import { stopText } from "./render/event-lines.ts";
import { problemsOf } from "./session-facts.ts";
import { adviceOf, afterStop } from "./standing.ts";

/** One thing that waits for a person. */
export interface InboxItem {
  readonly session: SessionId;
  readonly title: string;
  readonly kind: "question" | "call" | "dependencies" | "change" | "declared" | "stop" | "damage";
  /** A question, a call, a layer, a path, a criterion, or why it stopped. */
  readonly item: string;
  /** Names exactly what is to be looked at; null where the item does. */
  readonly hash: string | null;
  readonly detail: string;
  /** What exactly would run, line by line; empty where nothing would. */
  readonly action: readonly string[];
  readonly choices: readonly string[];
  readonly asked_at: number;
  /** Null: it waits until somebody comes. */
  readonly expires_at: number | null;
  /** What happens when nobody answers. */
  readonly otherwise: string;
  /** The command that answers it favourably. */
  readonly answer: readonly string[];
  /** The command that says no, where that is another answer than the opposite; null elsewhere. */
  readonly refusal: readonly string[] | null;
}

/** All of one session. */
export async function inboxItems(harness: OpenHarness, session: SessionId): Promise<InboxItem[]> {
  const state = await loadState(harness.store, session);
  if (state.phase === "terminated") return [];
  return [
    ...(await questionItems(harness, state)),
    ...(await callItems(harness, state)),
    ...layerItems(state),
    ...(await changeItems(harness, state)),
    ...declaredItems(state),
    ...(await stopItems(harness, state)),
  ];
}

/** What there is to do for a session whose log cannot be read. */
export function damageItem(
  { sessionId, createdAt }: SessionRecord,
  { code, message }: NightshiftError,
): InboxItem {
  return {
    ...{ session: sessionId, title: "damaged", kind: "damage", item: code, hash: null, detail: message },
    ...{ action: [], choices: [], asked_at: createdAt, expires_at: null, otherwise: WAITS, refusal: null },
    answer: ["fsck", sessionId],
  };
}

/** A question that nobody has answered yet, in its words. */
export interface OpenQuestion {
  readonly question: string;
  readonly text: string;
  readonly choices: readonly string[];
  readonly standard: string | null;
  readonly askedAt: number;
  readonly expiresAt: number | null;
}

/** Those of a session, oldest first. */
export async function questionsOf(harness: OpenHarness, state: SessionState): Promise<OpenQuestion[]> {
  const asked = openQuestions(state).map(async ({ question, seq, default: standard, askedAt, expiresAt }) => {
    const event = await eventAt(harness, state.sessionId, seq);
    const body = event?.type === "question.asked" ? event.body : { text: "", choices: [] };
    return { question, text: body.text, choices: body.choices ?? [], standard, askedAt, expiresAt };
  });
  return await Promise.all(asked);
}

async function questionItems(harness: OpenHarness, state: SessionState): Promise<InboxItem[]> {
  const questions = await questionsOf(harness, state);
  return questions.map(({ question, text, choices, standard, askedAt, expiresAt }) => ({
    ...itemOf(state, { kind: "question", item: question, detail: text, askedAt }),
    choices,
    expires_at: expiresAt,
    otherwise:
      standard === null
        ? expiresAt === null
          ? WAITS
          : "the agent goes on by itself"
        : `"${standard}" counts`,
    answer: ["answer", state.sessionId, question, "..."],
  }));
}

/** The input of a call, as stored: what would run. */
export async function inputOf(harness: OpenHarness, session: SessionId, call: CallState): Promise<Json> {
  const event = await eventAt(harness, session, call.seq);
  return event?.type === "agent.tool_use" ? event.body.input : null;
}

async function callItems(harness: OpenHarness, state: SessionState): Promise<InboxItem[]> {
  const approvals = openApprovals(state);
  const { stopReason, sessionId } = state;
  const named = stopReason?.type === "requires_action" ? stopReason.calls : [];
  const open = state.calls.filter(
    ({ call, status, confirmation }) =>
      status !== "answered" &&
      confirmation === null &&
      (named.includes(call) || approvals.some((each) => each.call === call)),
  );
  const items = open.map(async (call): Promise<InboxItem> => {
    const approval = approvals.find((each) => each.call === call.call);
    const again = call.status === "in_doubt" ? " again, although nobody knows whether it has" : "";
    const name = approval === undefined ? call.call : `${call.call}@${approval.hash.slice(0, HASH_SHOWN)}`;
    return {
      ...itemOf(state, {
        kind: "call",
        item: call.call,
        detail: `may ${call.name} run${again}?`,
        askedAt: approval?.askedAt ?? state.idleSince,
      }),
      hash: approval?.hash ?? null,
      action: actionLines(await inputOf(harness, sessionId, call)),
      expires_at: approval?.expiresAt ?? null,
      otherwise: approval?.expiresAt == null ? WAITS : "it counts as denied",
      answer: ["approve", sessionId, name],
    };
  });
  return await Promise.all(items);
}

const WAITS = "it waits";
const HASH_SHOWN = 12;

/** Nothing is left out: a person approves all of it. */
function actionLines(input: Json): string[] {
  if (typeof input === "object" && input !== null && "command" in input && Object.keys(input).length === 1)
    return String(input.command).split("\n");
  return JSON.stringify(input, null, 1).split("\n");
}

function layerItems(state: SessionState): InboxItem[] {
  const { stopReason, sessionId, idleSince } = state;
  if (stopReason?.type !== "requires_action" || stopReason.environment === undefined) return [];
  const item = shortKey(stopReason.environment);
  const detail = "may the changed dependencies be installed?";
  return [
    {
      ...itemOf(state, { kind: "dependencies", item, detail, askedAt: idleSince }),
      hash: stopReason.environment,
      otherwise: "it waits; commands find the dependencies that there were",
      answer: ["approve", sessionId, item],
    },
  ];
}

async function changeItems(harness: OpenHarness, state: SessionState): Promise<InboxItem[]> {
  const open = openReview(state);
  const verdict = open.length > 0 ? await newestVerdict(harness, state.sessionId) : undefined;
  return open.map(({ path, hash }) => {
    const detail = verdict?.body.review.find((each) => each.hash === hash)?.detail ?? path;
    const askedAt = verdict?.at ?? state.idleSince;
    return {
      ...itemOf(state, { kind: "change", item: path, detail: `${path}: ${detail}`, askedAt }),
      hash,
      answer: ["approve", state.sessionId, path],
    };
  });
}

/** What the newest verdict asks a person to look at, and nobody has decided. */
export function openReview({ contract }: SessionState): readonly ReviewItem[] {
  if (contract === null) return [];
  return contract.review.filter(({ hash }) => !contract.decisions.some((each) => each.hash === hash));
}

function declaredItems(state: SessionState): InboxItem[] {
  return openDeclarations(state.contract).map(({ criterion, status, reason }) => {
    const detail = `the agent calls ${criterion} ${status}: ${reason}`;
    return {
      ...itemOf(state, { kind: "declared", item: criterion, detail, askedAt: state.idleSince }),
      answer: ["waive", state.sessionId, criterion, "--reason", "..."],
      refusal: ["deny", state.sessionId, criterion, "--reason", "..."],
    };
  });
}

/** What only a person lifts, and no question says. */
async function stopItems({ store }: OpenHarness, state: SessionState): Promise<InboxItem[]> {
  const { hold, stopReason, sessionId, idleSince } = state;
  if (stopReason === null || hold === null || CALM.has(hold)) return [];
  const problems = (await problemsOf(store, state)).map(({ code, message }) => `${code}: ${message}`);
  const advice = adviceOf(stopReason);
  return [
    {
      ...itemOf(state, {
        kind: "stop",
        item: stopReason.type,
        detail: [stopText(stopReason), ...problems, ...(advice === null ? [] : [advice])].join("\n"),
        askedAt: idleSince,
      }),
      answer: afterStop(sessionId, stopReason),
    },
  ];
}

/** What a person has asked for themselves, or what other items say. */
const CALM: ReadonlySet<string> = new Set(["paused", "stopped", "requires_action"]);

function itemOf(
  { sessionId, config }: SessionState,
  what: Pick<InboxItem, "kind" | "item" | "detail"> & { readonly askedAt: number },
): Omit<InboxItem, "answer"> {
  const { kind, item, detail, askedAt } = what;
  return {
    ...{ session: sessionId, title: config?.title ?? "", kind, item, hash: null, detail },
    ...{ action: [], choices: [], asked_at: askedAt, expires_at: null, otherwise: WAITS, refusal: null },
  };
}

async function eventAt(
  harness: OpenHarness,
  session: SessionId,
  seq: number,
): Promise<SessionEvent | undefined> {
  const [event] = await harness.store.getEvents(session, { after: seq - 1, limit: 1 });
  return event;
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
