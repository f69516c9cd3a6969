/** Caps, breakers and models in the words of people. */
import type { SessionEvent } from "../../core/events/index.ts";
import { formatCost, formatCount, formatDuration, formatStamp } from "./format.ts";

type SpendingEvent = SessionEvent<
  "budget.exhausted" | "breaker.tripped" | "breaker.nudged" | "model.switched"
>;

/** What each kind of cap is of. */
const UNITS: { readonly [cap: string]: string } = {
  model_requests: "requests",
  tokens: "tokens",
  cost_micro_usd: "money",
  attempts: "attempts",
  duration_ms: "time",
  active_ms: "active time",
  verdicts: "verdicts",
};

/** `money`, `tokens of the attempt`, `money today`. */
export function capName(cap: string): string {
  const [scope, kind] = cap.includes(".") ? cap.split(".") : ["", cap];
  const unit = UNITS[kind ?? ""] ?? cap;
  if (scope === "day") return `${unit} today`;
  return scope === "" ? unit : `${unit} of the ${scope}`;
}

/** An amount in the cap's own unit. */
export function capAmount(cap: string, amount: number): string {
  if (cap.endsWith("cost_micro_usd")) return formatCost(amount);
  return cap.endsWith("_ms") ? formatDuration(amount) : formatCount(amount);
}

/** `$0.42 of $5.00`, `12 requests`: what was used, and the cap where there is one. */
export function capText(cap: string, used: number, limit: number | null): string {
  const amount = capAmount(cap, used) + (limit === null ? "" : ` of ${capAmount(cap, limit)}`);
  const speaksForItself = cap === "cost_micro_usd" || cap === "duration_ms";
  return speaksForItself ? amount : `${amount} ${capName(cap)}`;
}

/** What happened, with the label of its line. */
export function spendingLine(event: SpendingEvent): readonly [label: string, text: string] {
  switch (event.type) {
    case "budget.exhausted": {
      const { cap, limit, used, wanted } = event.body;
      const next = wanted === 0 ? "" : `, the next request may need ${capAmount(cap, wanted)}`;
      return ["budget", `${capName(cap)}: ${capAmount(cap, used)} of ${capAmount(cap, limit)} used${next}`];
    }
    case "breaker.tripped":
      return ["breaker", `${flagOf(event.body.cause)}: ${event.body.detail}`];
    case "breaker.nudged":
      return ["breaker", `${flagOf(event.body.cause)}, told to the model: ${event.body.detail}`];
    case "model.switched": {
      const { to, until, error_class } = event.body;
      return ["model", `${to} is asked until ${formatStamp(until)} (${error_class})`];
    }
  }
}

/** A cause as flags name it. */
function flagOf(cause: string): string {
  return cause.replaceAll("_", "-");
}
