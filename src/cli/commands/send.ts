/** `send`, `interrupt`, `pause`, `stop`, `retry`, `approve`, `deny`: what a person says to a session from another terminal. */
import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { messageOf, NightshiftError } from "../../core/errors.ts";
import { type ClientEventInput, event } from "../../core/events/index.ts";
import type { SessionId } from "../../core/ids.ts";
import { actionHash } from "../../core/people/action.ts";
import { LAYER_ITEM } from "../../core/reduce/environment.ts";
import type { SessionState } from "../../core/state.ts";
import { sendEvents } from "../../runtime/client.ts";
import { loadState } from "../../runtime/load.ts";
import type { OpenHarness } from "../../runtime/open.ts";
import type { SessionPolicy } from "../../runtime/session-config.ts";
import { type CommandContext, commandLine, findSession, type PlaceFlags, withHarness } from "../context.ts";
import { EXIT } from "../exit-codes.ts";
import { inputOf } from "../inbox-items.ts";
import { askedOf } from "../render/asked.ts";
import { formatQuantity } from "../render/format.ts";
import { singleLine } from "../render/text.ts";

/** Flags of all these commands. */
export interface SendFlags extends PlaceFlags {
  readonly json?: boolean;
  readonly reason?: string;
  /** Of `send`. */
  readonly steering?: SessionPolicy["steering"];
}

/** `send <id> <text...>`: a message; `-` reads it from standard input. */
export function send(
  context: CommandContext,
  id: string,
  words: readonly string[],
  flags: SendFlags,
): Promise<number> {
  const text = words.length === 1 && words[0] === "-" ? readFileSync(0, "utf8") : words.join(" ");
  if (text.trim() === "") throw new NightshiftError("E_USAGE", "the message is empty");
  const message = event("user.message", {
    content: [{ type: "text", text }],
    ...(flags.steering === undefined ? {} : { steering: flags.steering }),
  });
  return submit(context, id, flags, { events: [message], done: "message queued" });
}

/** `submit <id>`: client events as JSON on standard input, a list of `{type, body}`; all of them, or none. */
export async function submitEvents(context: CommandContext, id: string, flags: SendFlags): Promise<number> {
  const text = readFileSync(0, "utf8");
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new NightshiftError("E_EVENT_INVALID", `standard input is not JSON: ${messageOf(error)}`);
  }
  const { validateClientEvents } = await import("../../core/events/validate.ts");
  const events = validateClientEvents(parsed);
  return submit(context, id, flags, { events, done: formatQuantity(events.length, "event") });
}

/** `interrupt <id>`: aborts the model's answer; running tools may finish. */
export function interrupt(context: CommandContext, id: string, flags: SendFlags): Promise<number> {
  return submit(context, id, flags, { events: [event("user.interrupt", {})], done: "interrupt asked for" });
}

/** `pause <id>`: no new model request until `resume`. */
export function pause(context: CommandContext, id: string, flags: SendFlags): Promise<number> {
  return submit(context, id, flags, {
    events: [event("control.pause", reasonOf(flags))],
    done: "pause asked for",
  });
}

/** `stop <id>`: kills running tools; with `--cancel` the session is over for good. */
export function stop(
  context: CommandContext,
  id: string,
  flags: SendFlags & { readonly cancel?: boolean },
): Promise<number> {
  const type = flags.cancel === true ? "control.cancel" : "control.stop";
  return submit(context, id, flags, {
    events: [event(type, reasonOf(flags))],
    done: flags.cancel === true ? "cancel asked for" : "stop asked for",
  });
}

/** `retry <id>`: a new attempt from a fresh context, whatever it rests for. */
export function retry(context: CommandContext, id: string, flags: SendFlags): Promise<number> {
  return submit(context, id, flags, {
    events: [event("control.retry", reasonOf(flags))],
    done: "a new attempt asked for",
  });
}

/**
 * `approve <id> <what>` and `deny <id> <what>`: may this call run, or run again when its outcome is unknown; may the
 * dependencies of this layer be installed?
 */
export function confirm(
  context: CommandContext,
  id: string,
  what: string,
  flags: SendFlags & { readonly result: "allow" | "deny" },
): Promise<number> {
  return withHarness(context, flags, async (harness) => {
    const sessionId = await findSession(harness, id);
    const state = await loadState(harness.store, sessionId);
    const waiting = askedOf(state.stopReason);
    if (!waiting.includes(what.split("@")[0] ?? "")) {
      throw new NightshiftError("E_USAGE", `${sessionId} does not ask about ${what}`, {
        hint: waiting.length === 0 ? "It asks about nothing now." : `It asks about ${waiting.join(", ")}.`,
      });
    }
    await sendEvents(harness, sessionId, [await answerTo(context, harness, state, { what, flags })]);
    await say(context, harness, sessionId, { flags, done: `${flags.result} noted` });
    return EXIT.ok;
  });
}

async function answerTo(
  context: CommandContext,
  harness: OpenHarness,
  state: SessionState,
  said: { readonly what: string; readonly flags: SendFlags & { readonly result: "allow" | "deny" } },
): Promise<ClientEventInput> {
  const { stopReason } = state;
  const { result, reason } = said.flags;
  const author = personOf(context, undefined);
  if (stopReason?.type === "requires_action" && stopReason.environment !== undefined)
    return event("approval.decided", {
      item: LAYER_ITEM,
      hash: stopReason.environment,
      result: result === "allow" ? "approve" : "deny",
      author,
      ...reasonOf({ reason }),
    });
  const [call = "", seen = ""] = said.what.split("@");
  const hash = await lookedAt(harness, state, { call, seen });
  const message = reason === undefined ? {} : { deny_message: reason };
  return event("user.tool_confirmation", {
    ...{ call, result, author, channel: "cli" },
    ...message,
    ...(hash !== null && { hash }),
  });
}

/**
 * The hash of the approval, made anew from what the log says would run.
 * @param seen - how the hash began that the person was shown
 * @throws NightshiftError `E_APPROVAL_STALE`
 */
async function lookedAt(
  harness: OpenHarness,
  state: SessionState,
  { call, seen }: { readonly call: string; readonly seen: string },
): Promise<string | null> {
  const { sessionId: session, people, calls } = state;
  const asked = people.approvals.find((each) => each.call === call);
  const called = calls.find((each) => each.call === call);
  if (asked === undefined || called === undefined) return null;
  const input = await inputOf(harness, session, called);
  const action = {
    session,
    call,
    run: called.run + 1,
    name: called.name,
    input,
    throughSeq: asked.throughSeq,
  };
  const hash = actionHash(action);
  if (asked.isStale || hash !== asked.hash || !hash.startsWith(seen))
    throw new NightshiftError("E_APPROVAL_STALE", `what ${call} would do is not what was looked at`);
  return hash;
}

/** Who says it. */
export function personOf({ environment }: CommandContext, named: string | undefined): string {
  const name = named ?? environment.USER ?? environment.LOGNAME ?? userInfo().username;
  return singleLine(name).slice(0, AUTHOR_LENGTH_MAX) || "a person";
}

const AUTHOR_LENGTH_MAX = 256;

/** What a command sends. */
interface Submission {
  readonly events: readonly ClientEventInput[];
  readonly done: string;
  /** What else a program is told. */
  readonly facts?: { readonly [field: string]: unknown };
  /** What else a person is told. */
  readonly lines?: readonly string[];
  /** @throws NightshiftError when it makes no sense for this session */
  readonly check?: (state: SessionState) => void;
}

/** Sends it, and says who will act on it. */
export function submit(
  context: CommandContext,
  id: string,
  flags: SendFlags,
  submission: Submission,
): Promise<number> {
  return withHarness(context, flags, async (harness) => {
    const sessionId = await findSession(harness, id);
    submission.check?.(await loadState(harness.store, sessionId));
    await sendEvents(harness, sessionId, submission.events);
    const { done, facts, lines } = submission;
    if (flags.json !== true && lines !== undefined) context.output.print(...lines.map(singleLine));
    await say(context, harness, sessionId, { flags, done, ...(facts && { facts }) });
    return EXIT.ok;
  });
}

/** Who will act on it, or how to get somebody to. */
export async function say(
  context: CommandContext,
  harness: OpenHarness,
  sessionId: SessionId,
  what: { readonly flags: SendFlags } & Pick<Submission, "done" | "facts">,
): Promise<void> {
  const { output } = context;
  const record = await harness.store.getSession(sessionId);
  const driver = record?.held === true ? record.owner : null;
  if (what.flags.json === true) {
    const seq = record?.seq ?? null;
    output.printJson({ session_id: sessionId, seq, driver_pid: driver?.pid ?? null, ...what.facts });
    return;
  }
  if (driver !== null) {
    output.print(`${what.done}; process ${driver.pid} drives ${sessionId} and acts on it`);
    return;
  }
  output.print(`${what.done}; nobody drives it now`);
  output.note(`next: ${commandLine(what.flags, "resume", sessionId)}`);
}

function reasonOf(flags: { readonly reason?: string | undefined }): { readonly reason?: string } {
  return flags.reason === undefined ? {} : { reason: flags.reason.slice(0, 500) };
}
