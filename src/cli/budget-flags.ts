/** Flags about caps, breakers and limits of providers, and what they come to in a session. */
import { NightshiftError } from "../core/errors.ts";
import type { EventBody } from "../core/events/index.ts";
import type { SessionConfig, SessionPolicy } from "../runtime/session-config.ts";
import { oneOf } from "./flags.ts";

/** Flags that say how much may be used. */
export interface CapFlags {
  readonly maxRequests?: number;
  readonly maxTokens?: number;
  /** Micro-dollars. */
  readonly maxCost?: number;
  readonly maxAttempts?: number;
  readonly maxDuration?: number;
  readonly maxActive?: number;
  /** Micro-dollars. */
  readonly maxAttemptCost?: number;
  /** Micro-dollars. */
  readonly maxCriterionCost?: number;
  readonly breaker?: readonly BreakerSetting[];
}

/** Flags that say what happens when a provider does not answer for long. */
export interface LimitFlags {
  readonly onLimit?: NonNullable<SessionPolicy["on_limit"]>;
  /** `provider:model`. */
  readonly fallbackModel?: string;
  readonly maxOutage?: number;
}

type Breakers = NonNullable<EventBody<"control.set_limits">["breakers"]>;
/** One breaker, and where it acts. */
export type BreakerSetting = readonly [cause: keyof Breakers, limit: number | "off"];

/** By the names of flags. */
const CAUSES: { readonly [flag: string]: keyof Breakers } = {
  "same-call": "same_call",
  oscillation: "oscillation",
  "no-progress": "no_progress",
  resets: "resets",
  "tool-failure": "tool_failure",
};

/** A parser for `same-call=off` and `no-progress=300`. */
export function breaker(text: string): BreakerSetting {
  const [name = "", limit = "", ...rest] = text.split("=");
  const cause = Object.hasOwn(CAUSES, name) ? CAUSES[name] : undefined;
  const number = /^[1-9]\d{0,5}$/.test(limit) ? Number(limit) : undefined;
  const value = limit === "off" ? limit : number;
  if (cause !== undefined && value !== undefined && rest.length === 0) return [cause, value];
  throw new NightshiftError(
    "E_USAGE",
    `--breaker takes a breaker and a number, or off, such as same-call=5 or no-progress=off, not "${text}"`,
    { hint: `The breakers are ${Object.keys(CAUSES).join(", ")}.`, data: { flag: "--breaker" } },
  );
}

/** A parser for what to do about a long rate limit. */
export const onLimit: (text: string) => NonNullable<SessionPolicy["on_limit"]> = oneOf("--on-limit", [
  "wait",
  "fallback",
  "stop",
]);

/** Caps that flags name. */
export function limitsOf(flags: CapFlags): SessionConfig["limits"] {
  return {
    ...(flags.maxRequests !== undefined && { model_requests: flags.maxRequests }),
    ...(flags.maxTokens !== undefined && { tokens: flags.maxTokens }),
    ...(flags.maxCost !== undefined && { cost_micro_usd: flags.maxCost }),
    ...(flags.maxAttempts !== undefined && { attempts: flags.maxAttempts }),
    ...(flags.maxDuration !== undefined && { duration_ms: flags.maxDuration }),
    ...(flags.maxActive !== undefined && { active_ms: flags.maxActive }),
    ...(flags.maxAttemptCost !== undefined && { attempt: { cost_micro_usd: flags.maxAttemptCost } }),
    ...(flags.maxCriterionCost !== undefined && { criterion: { cost_micro_usd: flags.maxCriterionCost } }),
  };
}

/** Breakers that flags name; undefined for none. */
export function breakersOf({ breaker: settings = [] }: CapFlags): Breakers | undefined {
  return settings.length === 0 ? undefined : (Object.fromEntries(settings) as Breakers);
}

/** How long an outage may last for somebody who has gone to bed. */
const OUTAGE_STANDARD_MS = 6 * 3_600_000;

/**
 * What the policy says of breakers and of providers. Under a contract nobody is expected to watch, so an outage is sat
 * out; without one the person wants to know.
 */
export function limitPolicyOf(
  flags: CapFlags & LimitFlags,
  isUnattended: boolean,
): Pick<SessionPolicy, "breakers" | "on_limit" | "outage_ms"> {
  const breakers = breakersOf(flags);
  const { onLimit: given, fallbackModel, maxOutage } = flags;
  if (given === "fallback" && fallbackModel === undefined)
    throw new NightshiftError("E_USAGE", "--on-limit fallback needs a model to fall back to", {
      hint: "Name one with --fallback-model provider:model, or as fallback_model in a config file.",
    });
  const policy = given ?? (fallbackModel === undefined ? undefined : "fallback");
  const outageMs = maxOutage ?? (isUnattended ? OUTAGE_STANDARD_MS : undefined);
  return {
    ...(breakers !== undefined && { breakers }),
    ...(policy !== undefined && { on_limit: policy }),
    ...(outageMs !== undefined && { outage_ms: outageMs }),
  };
}
