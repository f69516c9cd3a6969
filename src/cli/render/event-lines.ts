/**
 * Events as lines for people. Events never draw themselves: what a log looks like is decided here alone. A view
 * remembers the calls it has seen, because a receipt names its call by id only.
 */
import { unreachable } from "../../core/errors.ts";
import type { EventBody, SessionEvent } from "../../core/events/index.ts";
import type { Json, Text } from "../../core/text.ts";
import { agreementLines } from "./agreement-lines.ts";
import { neededText, shortKey } from "./asked.ts";
import { formatBytes, formatDuration, formatStamp, formatTime } from "./format.ts";
import { capName, spendingLine } from "./spending.ts";
import { pad, singleLine, stripControl, truncate, wrap } from "./text.ts";

/** How events are shown. */
export interface EventViewOptions {
  /** Columns of the terminal. */
  readonly width: number;
  /** Also what is only of interest when something went wrong. */
  readonly verbose: boolean;
}

interface Line {
  readonly label: string;
  readonly text: string;
  /** Cut to one line, or wrapped over several. */
  readonly shape: "cut" | "wrapped";
}

const LABEL_WIDTH = 8;
const TIME_WIDTH = 9;
/** Longest text of one event on the screen; the log has it all. */
const TEXT_LINES_MAX = 40;

/** Turns one log, in order, into lines. */
export class EventView {
  readonly #options: EventViewOptions;
  /** Names of tools by call. */
  readonly #calls = new Map<string, string>();

  /** @param calls - calls that were seen before this view begins */
  constructor(
    options: EventViewOptions,
    calls: readonly { readonly call: string; readonly name: string }[] = [],
  ) {
    this.#options = options;
    for (const { call, name } of calls) this.#calls.set(call, name);
  }

  /** The lines of the next event; often none. */
  lines(event: SessionEvent): string[] {
    const textWidth = this.#options.width - TIME_WIDTH - LABEL_WIDTH - 1;
    return this.#describe(event).flatMap(({ label, text, shape }) => {
      const lead = `${formatTime(event.at)} ${pad(truncate(singleLine(label), LABEL_WIDTH), LABEL_WIDTH)} `;
      if (shape === "cut") return [lead + truncate(singleLine(text), textWidth)];
      return hang(lead, wrap(stripControl(text).trimEnd(), textWidth));
    });
  }

  #describe(event: SessionEvent): Line[] {
    const domain = event.type.slice(0, event.type.indexOf("."));
    switch (domain) {
      case "agent":
      case "tool":
        return this.#work(event);
      case "session":
        return describeSession(event);
      case "user":
        return describePerson(event);
      case "control":
      case "contract":
      case "attempt":
      case "context":
      case "handoff":
      case "approval":
      case "question":
      case "preflight":
      case "verdict":
      case "referee":
      case "judge":
      case "branch":
        return [...describePerson(event), ...this.#agreed(event)];
      default:
        return describeHarness(event, this.#options.verbose);
    }
  }

  #agreed(event: SessionEvent): Line[] {
    // Why nothing began is all that there is to read, so none of it is cut.
    const isRefused = event.type === "preflight.finished" && event.body.problems.length > 0;
    return agreementLines(event, this.#options.verbose).map(([label, text, shape]) =>
      isRefused || shape === "whole" ? wrapped(label, text) : cut(label, text),
    );
  }

  #work(event: SessionEvent): Line[] {
    switch (event.type) {
      case "agent.message":
        return [wrapped("agent", plainContent(event.body.content))];
      case "agent.thinking":
        return this.#options.verbose ? [wrapped("thinking", plainText(event.body.text))] : [];
      case "agent.tool_use":
        this.#calls.set(event.body.call, event.body.name);
        return [cut(event.body.name, headlineOf(event.body.input))];
      case "agent.tool_result":
        return [cut(this.#nameOf(event.body.call), outcomeOf(event.body))];
      case "tool.started":
        return event.body.run === 1
          ? []
          : [cut(this.#nameOf(event.body.call), `runs again (run ${event.body.run})`)];
      case "tool.in_doubt":
        return [cut(this.#nameOf(event.body.call), `in doubt: ${event.body.reason}`)];
      default:
        return [];
    }
  }

  #nameOf(call: string): string {
    return this.#calls.get(call) ?? call;
  }
}

function describeSession(event: SessionEvent): Line[] {
  switch (event.type) {
    case "session.created": {
      const { model, tools } = event.body.agent;
      return [
        cut(
          "session",
          `created: ${model.provider}:${model.id}, tools ${tools.length === 0 ? "none" : tools.join(" ")}`,
        ),
      ];
    }
    case "session.forked":
      return [cut("session", `forked from ${event.body.from} at event ${event.body.at_seq}`)];
    case "session.thread_created":
      return event.body.reason === "start" ? [] : [cut("session", `new thread (${event.body.reason})`)];
    case "session.status_idle":
      return [cut("idle", stopText(event.body.stop_reason))];
    case "session.status_rescheduled": {
      const { failures, error_class, resume_at } = event.body;
      return [
        cut(
          "model",
          `failed ${failures === 1 ? "once" : `${failures} times`} (${error_class}); next try at ${formatTime(resume_at)}`,
        ),
      ];
    }
    case "session.status_terminated":
      return [cut("over", event.body.reason)];
    case "session.error":
      return [wrapped("error", `${event.body.error.code}: ${event.body.error.message}`)];
    default:
      return [];
  }
}

function describePerson(event: SessionEvent): Line[] {
  switch (event.type) {
    case "user.message":
      return [wrapped("you", plainContent(event.body.content))];
    case "user.interrupt":
      return [cut("you", "interrupt")];
    case "user.tool_confirmation":
      return [cut("you", `${event.body.result} ${event.body.call}`)];
    case "approval.decided": {
      const { result, item, hash, author } = event.body;
      return [cut("you", `${result} ${item} ${shortKey(hash)} (${author})`)];
    }
    case "control.set_limits": {
      const caps = Object.entries(event.body.limits).map(([cap, value]) => `${cap} ${value}`);
      return [cut("you", `limits: ${caps.join(", ")}`)];
    }
    case "control.pause":
    case "control.resume":
    case "control.stop":
    case "control.cancel": {
      const { reason } = event.body;
      return [cut("you", event.type.slice("control.".length) + (reason === undefined ? "" : `: ${reason}`))];
    }
    default:
      return [];
  }
}

function describeHarness(event: SessionEvent, verbose: boolean): Line[] {
  switch (event.type) {
    case "harness.woke":
      return event.body.epoch === 1 && !verbose
        ? []
        : [cut("harness", `carries on (epoch ${event.body.epoch})`)];
    case "harness.suspended":
      return [cut("harness", `was suspended for ${formatDuration(event.body.gap_ms)}`)];
    case "harness.input_rejected":
      return [cut("harness", `message refused: ${event.body.reason}`)];
    case "span.model_request_start":
      return verbose ? [cut("model", `request ${event.body.request}`)] : [];
    case "span.model_request_end":
      return requestEnd(event.body);
    case "sandbox.lost":
      return [cut("sandbox", `lost: ${event.body.reason}`)];
    case "sandbox.services_failed":
      return [cut("sandbox", event.body.message)];
    case "sandbox.rescheduled":
      return [cut("sandbox", `next try at ${formatTime(event.body.resume_at)}`)];
    case "sandbox.requested":
    case "sandbox.ready":
    case "sandbox.services_requested":
    case "sandbox.services_ready":
    case "sandbox.destroyed":
      return verbose ? [cut("sandbox", event.type.slice("sandbox.".length))] : [];
    case "checkpoint.created":
    case "checkpoint.failed":
    case "workspace.restored":
    case "workspace.rewound":
    case "egress.decided":
    case "environment.decided":
      return aboutFiles(event);
    case "budget.exhausted":
    case "breaker.tripped":
    case "breaker.nudged":
    case "model.switched":
      return [wrapped(...spendingLine(event))];
    default:
      return [];
  }
}

type AboutFiles = SessionEvent<
  | "checkpoint.created"
  | "checkpoint.failed"
  | "workspace.restored"
  | "workspace.rewound"
  | "egress.decided"
  | "environment.decided"
>;

function aboutFiles(event: AboutFiles): Line[] {
  switch (event.type) {
    case "checkpoint.created": {
      const { number, commit, files_changed } = event.body;
      return [cut("files", `checkpoint ${number} is ${commit.slice(0, 12)}, ${files_changed} changed`)];
    }
    case "checkpoint.failed":
      return [cut("files", `checkpoint ${event.body.number} failed: ${event.body.reason}`)];
    case "workspace.restored": {
      const { checkpoint, lost_count } = event.body;
      return [cut("files", `restored from checkpoint ${checkpoint}; lost what ${lost_count} runs changed`)];
    }
    case "workspace.rewound":
      return [cut("files", `taken back to checkpoint ${event.body.checkpoint} by a person`)];
    case "egress.decided": {
      const refused = event.body.lines.filter(({ verdict }) => verdict === "refused");
      const hosts = [...new Set(refused.map(({ host }) => String(host)))].join(", ");
      return refused.length === 0 ? [] : [cut("network", `refused: ${hosts}`)];
    }
    case "environment.decided": {
      const { decision, key, files } = event.body;
      const changed = files.map(({ path, change }) => `${path} ${change}`).join(", ");
      return [cut("layer", `${shortKey(key)}: ${decision}${changed === "" ? "" : ` (${changed})`}`)];
    }
  }
}

function requestEnd(body: EventBody<"span.model_request_end">): Line[] {
  switch (body.outcome) {
    case "answered":
      return [];
    case "failed":
      return [
        cut(
          "model",
          `request ${body.request} failed (${body.error?.class ?? "unknown"}): ${body.error?.message ?? ""}`,
        ),
      ];
    case "lost":
      return [
        cut(
          "model",
          `request ${body.request} was lost with its process; asked again, the first stays charged`,
        ),
      ];
    case "interrupted":
      return [cut("model", `request ${body.request} was interrupted`)];
    default:
      return unreachable(body.outcome);
  }
}

/** Why a session is idle, for people. */
export function stopText(reason: EventBody<"session.status_idle">["stop_reason"]): string {
  switch (reason.type) {
    case "end_turn":
      return "done; waits for the next message";
    case "requires_action":
      return `needs a person: ${neededText(reason)}`;
    case "retries_exhausted":
      return "the model kept failing";
    case "budget_reached":
      return reason.resume_at === undefined
        ? `a cap was reached (${capName(reason.cap)})`
        : `a cap was reached (${capName(reason.cap)}); goes on at ${formatStamp(reason.resume_at)}`;
    case "rate_limited":
      return `the provider's limit is reached until ${formatStamp(reason.resume_at)}`;
    case "refusal":
      return "the model refused to answer";
    case "max_tokens":
      return "the answer was cut off at its limit of output tokens";
    case "paused":
      return "paused";
    case "stopped":
      return "stopped";
    case "stalled":
      return "a breaker stopped it: it was going nowhere";
    case "failed":
      return `failed (${reason.code})`;
    case "verified":
      return `verified by verdict ${reason.verdict}`;
    case "already_green":
      return "nothing to do: every check is green on the base already; say what else is wanted to go on";
    case "unmet":
      return `not met (verdict ${reason.verdict}), and the agent changed nothing more`;
    case "review":
      return `waits for a person to look (verdict ${reason.verdict})`;
    default:
      return unreachable(reason);
  }
}

function outcomeOf(body: EventBody<"agent.tool_result">): string {
  const output = plainContent(body.content);
  const dropped = body.dropped_bytes > 0 ? `, ${formatBytes(body.dropped_bytes)} dropped` : "";
  const last = lastLine(output);
  const after = `${formatDuration(body.duration_ms)}${dropped}`;
  if (body.in_doubt) return `outcome unknown: ${last}`;
  switch (body.ending) {
    case "exited": {
      const status = (body.exit_code ?? 0) === 0 ? "ok" : `exit ${body.exit_code}`;
      return `${status}, ${after}${last === "" ? "" : ` | ${last}`}`;
    }
    case "timed_out":
      return `killed after ${after}: it ran longer than its limit`;
    case "out_of_memory":
      return `killed after ${after}: out of memory`;
    case "cancelled":
      return `cancelled, ${after}`;
    case "refused":
    case "not_run":
    case "sandbox_lost":
      return `${body.ending.replace("_", " ")}: ${last}`;
    default:
      return unreachable(body.ending);
  }
}

function lastLine(output: string): string {
  const lines = output.split("\n").map(singleLine);
  return lines.findLast((line) => line !== "" && !/^\[exit code \d+\]$/.test(line)) ?? "";
}

/** What a call is about: its command, path or pattern. */
function headlineOf(input: Json): string {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return JSON.stringify(input);
  const fields = input as { readonly [key: string]: Json };
  const main = ["command", "file_path", "pattern", "path"].map((name) => fields[name]);
  const words = main.filter((value) => typeof value === "string");
  return words.length > 0 ? words.join("  ") : JSON.stringify(input);
}

function plainContent(content: readonly { readonly text: Text }[]): string {
  return content.map((block) => plainText(block.text)).join("\n");
}

function plainText(text: Text): string {
  return typeof text === "string" ? text : `[${formatBytes(text.bytes)} of text]`;
}

function cut(label: string, text: string): Line {
  return { label, text, shape: "cut" };
}

function wrapped(label: string, text: string): Line {
  return { label, text, shape: "wrapped" };
}

function hang(lead: string, lines: readonly string[]): string[] {
  const shown = lines.slice(0, TEXT_LINES_MAX);
  if (lines.length > shown.length) shown.push(`… ${lines.length - shown.length} more lines`);
  const indent = " ".repeat(TIME_WIDTH + LABEL_WIDTH + 1);
  return shown.map((line, index) => ((index === 0 ? lead : indent) + line).trimEnd());
}
