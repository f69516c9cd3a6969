/** Caps, breakers and limits: flags that several commands take, and `budget`. */
import { breaker, onLimit } from "../budget-flags.ts";
import type { BudgetFlags } from "../commands/budget.ts";
import { dollars, duration, wholeNumber } from "../flags.ts";
import {
  ANY_SESSION,
  COUNT_MAX,
  type CommandSpec,
  command,
  type FlagSpec,
  JSON_FLAG,
  PLACE_FLAGS,
} from "./spec.ts";

const TOKENS_MAX = 1_000_000_000_000;

/** How much may be used. */
export const CAP_FLAGS: readonly FlagSpec[] = [
  {
    name: "max-requests",
    value: "<count>",
    description: "cap on model requests",
    parse: wholeNumber("--max-requests", COUNT_MAX),
  },
  {
    name: "max-tokens",
    value: "<count>",
    description: "cap on tokens, input and output",
    parse: wholeNumber("--max-tokens", TOKENS_MAX),
  },
  {
    name: "max-cost",
    value: "<dollars>",
    description: "cap on money; needs a price",
    parse: dollars("--max-cost"),
  },
  {
    name: "max-attempts",
    value: "<count>",
    description: "cap on attempts",
    parse: wholeNumber("--max-attempts", 1_000_000),
  },
  {
    name: "max-duration",
    value: "<duration>",
    description: "cap on the time since the start, for example 8h",
    parse: duration("--max-duration", 1000),
  },
  {
    name: "max-active",
    value: "<duration>",
    description: "cap on the time of work, without rest, sleep and waiting",
    parse: duration("--max-active", 1000),
  },
  {
    name: "max-attempt-cost",
    value: "<dollars>",
    description: "cap on money for each attempt",
    parse: dollars("--max-attempt-cost"),
  },
  {
    name: "max-criterion-cost",
    value: "<dollars>",
    description: "cap on money for all attempts at one criterion",
    parse: dollars("--max-criterion-cost"),
  },
  {
    name: "breaker",
    value: "<name=limit>",
    description: "when to stop what goes nowhere: same-call=5, no-progress=off; may be repeated",
    parse: breaker,
    repeats: true,
  },
];

/** How much a day may cost. It is the harness's and not the session's, so that nobody changes it of a session. */
export const DAY_CAP_FLAG: FlagSpec = {
  name: "max-cost-per-day",
  value: "<dollars>",
  description: "cap on money for all sessions of the state folder each day (UTC); needs a price",
  parse: dollars("--max-cost-per-day"),
};

/** What happens when a provider does not answer for long. */
export const LIMIT_FLAGS: readonly FlagSpec[] = [
  {
    name: "on-limit",
    value: "<policy>",
    description: "a rate limit of more than a minute: wait (default), fallback, stop",
    parse: onLimit,
  },
  {
    name: "fallback-model",
    value: "<provider:model>",
    description: "asked as long as the model may not be",
  },
  {
    name: "max-outage",
    value: "<duration>",
    description: "how long an outage of the provider is sat out (default: 6h under a contract)",
    parse: duration("--max-outage", 1000),
  },
];

/** `budget`. */
export const budgetCommand: CommandSpec = command<BudgetFlags>({
  name: "budget",
  description: "what a session has used of its caps; with flags: change them",
  arguments: [ANY_SESSION],
  flags: [...PLACE_FLAGS, ...CAP_FLAGS, JSON_FLAG],
  run: async (context, [id], flags) => (await import("../commands/budget.ts")).budget(context, id, flags),
});
