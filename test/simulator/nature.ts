/** What is special about a seed's session: whether it asks people, changes contexts, meets limits, and has caps. */
import type { EventBody } from "../../src/core/events/index.ts";
import type { Json } from "../../src/core/text.ts";
import type { ScriptFault } from "../../src/model/scripted.ts";
import type { Random } from "./random.ts";

type Policy = EventBody<"session.created">["policy"];
type Limits = EventBody<"session.created">["limits"];

/** What a session may do besides working. */
export interface Nature {
  /** Its agent asks people. */
  readonly asks: boolean;
  /** When its context is replaced; null: it goes on as long as it can. */
  readonly context: Policy["context"] | null;
  /** What becomes of long rate limits; null: there are none. */
  readonly onLimit: NonNullable<Policy["on_limit"]> | null;
}

/** Of a session that does none of it. */
export const QUIET: Nature = { asks: false, context: null, onLimit: null };

/** How common each of them is, in seeds that do not aim at it. */
const ASKS_CHANCE = 0.12;
const CONTEXT_CHANCE = 0.1;
const LIMIT_CHANCE = 0.1;

/** @param asks - the seed aims at what people answer */
export function planNature(random: Random, asks: boolean): Nature {
  return {
    asks: asks || random.chance(ASKS_CHANCE),
    context: random.chance(CONTEXT_CHANCE) ? planContext(random) : null,
    onLimit: random.chance(LIMIT_CHANCE) ? random.pick(["wait", "fallback", "stop"] as const) : null,
  };
}

/** Windows so small that a few answers fill them. */
function planContext(random: Random): NonNullable<Policy["context"]> {
  return {
    mode: random.pick(["auto", "auto", "reset"] as const),
    window_tokens: random.between(3000, 6000),
    fill_max: random.pick([0.3, 0.5]),
    compact: random.chance(0.7),
    resets_help: random.chance(0.5),
  };
}

/**
 * What its nature adds to the policy of a session.
 * @param isAimedAt - the seed aims at what people answer
 */
export function policyOf(
  { asks, context, onLimit }: Nature,
  random: Random,
  isAimedAt: boolean,
): Partial<Policy> {
  return {
    ...(context !== null && { context }),
    ...(onLimit !== null && { on_limit: onLimit, outage_ms: random.pick([1000, 600_000]) }),
    ...(asks && {
      question_ms: random.between(1000, 120_000),
      questions: isAimedAt || random.chance(0.9) ? ("park" as const) : ("none" as const),
    }),
  };
}

/** Caps on attempts and on each of them. */
export function planAttemptLimits(random: Random): Limits {
  return {
    ...(random.chance(0.2) && { attempts: random.between(1, 3) }),
    ...(random.chance(0.2) && { attempt: { model_requests: random.between(2, 6) } }),
    ...(random.chance(0.2) && { criterion: { tokens: random.between(2000, 30_000) } }),
    ...(random.chance(0.1) && { active_ms: random.between(20_000, 200_000) }),
  };
}

/** A limit that lasts longer than any back-off. */
export function planRateLimit(random: Random): ScriptFault {
  const seconds = random.between(20, 400);
  return { kind: "status", status: 429, headers: { "retry-after": String(seconds) } };
}

/** A question of an agent. */
export function planQuestion(random: Random): Json {
  return {
    text: `which one? ${random.text(4)}`,
    ...(random.chance(0.3) && { choices: ["this", "that"] }),
    ...(random.chance(0.5) && { default: `as ever ${random.text(3)}` }),
    ...(random.chance(0.4) && { expires_in: random.between(60, 240) }),
  };
}

/** What an agent says of where it stands. */
export function planNote(random: Random): Json {
  return {
    next_step: `step ${random.text(4)}`,
    decisions: random.chance(0.5) ? [`decided ${random.text(3)}`] : [],
    tried_and_failed: random.chance(0.4)
      ? [{ approach: `way ${random.between(0, 3)}`, reason: "it fails", files: [`f${random.between(0, 2)}`] }]
      : [],
    unmet: random.chance(0.5) ? ["c0"] : [],
    notes: random.chance(0.2) ? "mind the gap" : "",
  };
}
