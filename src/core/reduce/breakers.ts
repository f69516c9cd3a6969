/** Facts about getting anywhere, for breakers. */
import { hash } from "node:crypto";
import type { BreakerState, Cause, TurnCall } from "../budget/breaker-state.ts";
import type { EventBody, SessionEvent } from "../events/index.ts";
import type { SessionState } from "../state.ts";
import type { Text } from "../text.ts";

/** Turns that are remembered: enough for the longest cycle, repeated. */
const RECENT_MAX = 120;
const CHANGES_MAX = 64;
const TOOLS_MAX = 32;

/** Attempts that begin because the one before came to nothing. */
const AGAIN: ReadonlySet<string> = new Set([
  "reset",
  "rewind",
  "restart",
] satisfies EventBody<"attempt.started">["reason"][]);

/** Notes what `event` says about getting anywhere; `before` is the state that it found. */
export function noteBreakers(before: SessionState, event: SessionEvent): BreakerState {
  const { breakers } = before;
  switch (event.type) {
    case "agent.tool_use":
      return { ...breakers, turn: [...breakers.turn, asked(event.body)] };
    case "tool.prepared":
      return withCall(breakers, event.body.call, { path: event.body.path });
    case "agent.tool_result":
      return resulted(before, event.body);
    case "span.model_request_start":
      return { ...turnEnded(breakers), fruitless: breakers.fruitless + 1 };
    case "attempt.started":
      return AGAIN.has(event.body.reason) ? { ...breakers, resets: breakers.resets + 1 } : breakers;
    case "checkpoint.created":
      return checkpointed(breakers, event.body.tree);
    case "workspace.rewound":
      return { ...heard(breakers), files: "0", tree: "" };
    case "verdict.given":
      return judged(breakers, event.body);
    case "breaker.nudged":
      return nudged(breakers, event.body.cause);
    case "user.message":
    case "control.resume":
    case "control.retry":
    case "control.amend_contract":
      return heard(breakers);
    default:
      return breakers;
  }
}

/** A person has looked at it: what came before is no longer held against it. */
function heard(breakers: BreakerState): BreakerState {
  return { ...breakers, recent: [], changes: [], failures: [], fruitless: 0, resets: 0, nudges: [] };
}

function asked({ call, name, input }: EventBody<"agent.tool_use">): TurnCall {
  return { call, name, asked: short(`${name} ${JSON.stringify(input)}`), path: "", result: "" };
}

function withCall(breakers: BreakerState, call: string, changes: Partial<TurnCall>): BreakerState {
  const turn = breakers.turn.map((each) => (each.call === call ? { ...each, ...changes } : each));
  return { ...breakers, turn };
}

function resulted(before: SessionState, body: EventBody<"agent.tool_result">): BreakerState {
  const { breakers } = before;
  const known = breakers.turn.find(({ call }) => call === body.call);
  if (known === undefined) return breakers;
  const text = body.content.map((block) => plain(block.text)).join("\n");
  const result = short(`${body.ending} ${body.exit_code} ${withoutTimes(text)}`);
  const next = withCall(breakers, body.call, { result });
  const counted = { ...next, failures: failuresAfter(next.failures, known.name, body) };
  const call = before.calls.find((each) => each.call === body.call);
  const change = call?.intended ?? null;
  const isChanged = change !== null && !body.is_error && body.run > 0 && change.before !== change.after;
  return isChanged ? changed(counted, known.path, change) : counted;
}

/** A command's own exit status is no failure of the tool: tests that fail are what agents work on. */
function failuresAfter(
  failures: BreakerState["failures"],
  tool: string,
  { ending, is_error, exit_code }: EventBody<"agent.tool_result">,
): BreakerState["failures"] {
  if (ending === "cancelled" || ending === "sandbox_lost") return failures;
  const isFailure = is_error && !(ending === "exited" && exit_code !== null);
  const times = failures.find((each) => each.tool === tool)?.times ?? 0;
  const others = failures.filter((each) => each.tool !== tool);
  return isFailure ? [...others, { tool, times: times + 1 }].slice(-TOOLS_MAX) : others;
}

function changed(
  breakers: BreakerState,
  path: string,
  { before, after }: { readonly before: string | null; readonly after: string | null },
): BreakerState {
  const files = shifted(breakers.files, path, before, after);
  const change = short(`${path} ${before} ${after}`);
  return { ...breakers, files, resets: 0, changes: withChange(breakers.changes, change) };
}

function checkpointed(breakers: BreakerState, tree: string): BreakerState {
  if (tree === breakers.tree) return breakers;
  if (breakers.tree === "") return { ...breakers, tree };
  const change = short(`${breakers.tree} ${tree}`);
  return { ...breakers, tree, resets: 0, changes: withChange(breakers.changes, change) };
}

function withChange(changes: BreakerState["changes"], change: string): BreakerState["changes"] {
  const times = changes.find((each) => each.change === change)?.times ?? 0;
  const others = changes.filter((each) => each.change !== change);
  return [...others, { change, times: times + 1 }].slice(-CHANGES_MAX);
}

/** Turns of late, the open one included. */
export function turnsOf(breakers: BreakerState): readonly string[] {
  return breakers.turn.length === 0 ? breakers.recent : [...breakers.recent, turnKey(breakers)];
}

/** The turn as a whole, so that calls beside each other count once, whichever ends first. */
function turnKey({ turn, files, tree }: BreakerState): string {
  const calls = turn.map((each) => `${each.asked} ${each.result}`).join("\n");
  return short(`${calls}\n${files} ${tree}`);
}

function turnEnded(breakers: BreakerState): BreakerState {
  return { ...breakers, turn: [], recent: turnsOf(breakers).slice(-RECENT_MAX) };
}

function judged(breakers: BreakerState, body: EventBody<"verdict.given">): BreakerState {
  const met = body.criteria.filter(({ status }) => status === "met").length;
  return met > breakers.met ? { ...heard(breakers), met } : breakers;
}

/** What it was told of begins to count anew: it gets the chance to do otherwise. */
function nudged(breakers: BreakerState, cause: Cause): BreakerState {
  const times = breakers.nudges.find((each) => each.cause === cause)?.times ?? 0;
  const nudges = [...breakers.nudges.filter((each) => each.cause !== cause), { cause, times: times + 1 }];
  const next = { ...breakers, nudges };
  switch (cause) {
    case "same_call":
      return { ...next, recent: [], turn: [] };
    case "oscillation":
      return { ...next, changes: [] };
    case "tool_failure":
      return { ...next, failures: [] };
    case "no_progress":
      return { ...next, fruitless: 0 };
    default:
      return next;
  }
}

/** A sum over all files, so that it can be kept without keeping them: equal contents give equal sums, in any order. */
function shifted(files: string, path: string, before: string | null, after: string | null): string {
  const sum = BigInt(`0x${files}`) - share(path, before) + share(path, after);
  return BigInt.asUintN(64, sum).toString(16);
}

function share(path: string, content: string | null): bigint {
  return content === null ? 0n : BigInt(`0x${short(`${path} ${content}`)}`);
}

/** How long something took, and when, says nothing about what came of it. */
function withoutTimes(text: string): string {
  return text
    .replace(/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?/g, "<time>")
    .replace(/\b\d\d:\d\d:\d\d(\.\d+)?\b/g, "<time>")
    .replace(/\b\d+(\.\d+)? ?(ms|s|sec|seconds?|min|minutes?)\b/g, "<time>");
}

function plain(text: Text): string {
  return typeof text === "string" ? text : text.$blob;
}

function short(text: string): string {
  return hash("sha256", text, "hex").slice(0, 16);
}
