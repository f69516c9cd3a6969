/** Config files as schemas: the user's, and the one that a project carries. Loaded only when there is such a file. */
import * as z from "zod";
import { JUDGES_MAX } from "../judge/panel.ts";
import { DURATION_MAX_MS, DURATION_PATTERN, parseDuration } from "./duration.ts";

/** What flags of the same name take, too. */
const duration = (least: string) =>
  z
    .string()
    .regex(DURATION_PATTERN, 'must be a duration such as "500ms", "90s", "10m" or "2h"')
    .refine(
      (text) => !DURATION_PATTERN.test(text) || isBetween(parseDuration(text), parseDuration(least)),
      `must be at least ${least} and at most 23d`,
    );
const modelName = z.string().regex(/^[\w-]+:.+$/, "must be provider:model");
const dollars = z.number().nonnegative().max(1_000_000);
/** A cap of nothing would be reached before anything is begun. */
const amount = dollars.min(0.000_001);
const line = z.string().min(1).max(32_768);
/** One text, or a list of them. */
const lines = z.union([line, z.array(line).max(500)]);

function isBetween(ms: number | undefined, least: number | undefined): boolean {
  return ms !== undefined && least !== undefined && ms >= least && ms <= DURATION_MAX_MS;
}

const breakerLimit = z.union([z.int().min(1).max(999_999), z.literal("off")]).optional();

/** By the names of the flag. */
const breaker = z.strictObject({
  "same-call": breakerLimit,
  oscillation: breakerLimit,
  "tool-failure": breakerLimit,
  resets: breakerLimit,
  "no-progress": breakerLimit,
});

/** Dollars per million tokens. What cached tokens cost is taken to be the price of input unless it is given. */
const price = z.strictObject({
  input: dollars,
  output: dollars,
  cache_read: dollars.optional(),
  cache_write: dollars.optional(),
});

const provider = z.strictObject({
  base_url: z.url({ protocol: /^https?$/ }).optional(),
  /** Name of the environment variable that holds the key; never the key itself. */
  key_variable: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of an environment variable")
    .optional(),
});

/** What both files may say: how work is done, and within which caps. */
const shared = {
  model: modelName.optional(),
  /** Who grades rubrics; best another one than `model`. */
  judge_model: z.union([modelName, z.array(modelName).min(1).max(JUDGES_MAX)]).optional(),
  sandbox: z.string().max(64).optional(),
  system: z.string().max(100_000).optional(),
  tools: z.array(z.string()).max(128).optional(),
  max_output_tokens: z.int().min(1).max(1_000_000).optional(),
  /** What becomes of a context that fills up. */
  context: z.enum(["auto", "continue", "reset"]).optional(),
  /** Tokens that the model takes, when that is not known of it, or less is to be used. */
  context_window: z.int().min(1000).max(100_000_000).optional(),
  idle_timeout: duration("100ms").optional(),
  tool_timeout: duration("100ms").optional(),
  steering: z.enum(["enqueue", "interrupt", "reject"]).optional(),
  /** Calls that a person has to allow first: `irreversible`, a tool, or a tool with a pattern. */
  approve: lines.optional(),
  max_requests: z.int().min(1).max(1_000_000_000).optional(),
  max_tokens: z.int().min(1).max(1_000_000_000_000).optional(),
  /** In dollars. */
  max_cost: amount.optional(),
  /** In dollars, for all sessions of a state folder together, each day (UTC). */
  max_cost_per_day: amount.optional(),
  max_attempts: z.int().min(1).max(1_000_000).optional(),
  /** Since the session was made. */
  max_duration: duration("1s").optional(),
  /** Of work. */
  max_active: duration("1s").optional(),
  /** In dollars, for each attempt. */
  max_attempt_cost: amount.optional(),
  /** In dollars, for all attempts at one criterion. */
  max_criterion_cost: amount.optional(),
  /** When to stop what goes nowhere. */
  breaker: breaker.optional(),
  /** What to do about a rate limit of more than a minute. */
  on_limit: z.enum(["wait", "fallback", "stop"]).optional(),
  /** Asked as long as the model may not be. */
  fallback_model: modelName.optional(),
  /** How long an outage of the provider is sat out. */
  max_outage: duration("1s").optional(),
  /** Of the model, in a row, before it counts as an outage. */
  max_failures: z.int().min(1).max(1000).optional(),
};

/** What is true of one project: how it is tested, and what may not be touched. */
export const projectSchema = z.strictObject({
  ...shared,
  /** Commands that have to pass. */
  check: lines.optional(),
  /** A file with the whole contract, relative to this one. */
  contract: line.optional(),
  /** What a judge has to find true. */
  rubric: lines.optional(),
  /** Globs of files that the agent may not change, besides tests and their configuration. */
  protect: lines.optional(),
  protection: z.enum(["additive", "strict", "review"]).optional(),
  max_verdicts: z.int().min(1).max(10_000).optional(),
  /** A command whose programs and dependencies are to be there. */
  setup: line.optional(),
  deps: z.enum(["ask", "allow", "deny"]).optional(),
  /** What commands may reach: `host[:port][/path]`. */
  network: lines.optional(),
});

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of an environment variable");
const told = {
  /** How the log and lists call it. */
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "must be lower-case letters, digits and -")
    .optional(),
  /** What it is told of; default: all of it. */
  on: z
    .array(z.enum(["done", "blocked", "budget", "stall"]))
    .min(1)
    .optional(),
};

/** Who is told when a session rests: a web hook, signed, or a program that gets JSON on its standard input. */
const target = z.union([
  z.strictObject({
    ...told,
    webhook: z.url({ protocol: /^https?$/ }),
    /** Name of the environment variable that holds the secret; never the secret itself. */
    secret_variable: variable,
    command: z.undefined().optional(),
  }),
  z.strictObject({
    ...told,
    command: z.array(z.string().min(1).max(4096)).min(1).max(100),
    webhook: z.undefined().optional(),
    secret_variable: z.undefined().optional(),
  }),
]);

/** The user's config file. */
export const configSchema = z.strictObject({
  ...shared,
  state: z.string().startsWith("/", "must be an absolute path").optional(),
  /**
   * Headers that the egress proxy adds, by host: values name environment variables as `${NAME}`. No sandbox sees them.
   */
  inject: z.record(z.string().min(1), z.record(z.string().min(1), z.string().max(4096))).optional(),
  /** By provider name. A name that is not built in speaks the OpenAI-compatible wire format. */
  providers: z.record(z.string().regex(/^[a-z0-9-]{1,64}$/), provider).optional(),
  notify: z
    .array(target)
    .max(20)
    .refine(
      (list) => new Set(list.map(({ name }, index) => name ?? index)).size === list.length,
      "two have the same name",
    )
    .optional(),
  /** By `provider:model`. */
  prices: z.record(modelName, price).optional(),
});

/** The user's config file, as parsed. */
export type ConfigFile = z.infer<typeof configSchema>;
/** A project's config file, as parsed. */
export type ProjectFile = z.infer<typeof projectSchema>;
