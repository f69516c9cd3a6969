/** The user's config file as a schema. Loaded only when there is such a file. */
import * as z from "zod";
import { DURATION_PATTERN } from "./duration.ts";

const duration = z
  .string()
  .regex(DURATION_PATTERN, 'must be a duration such as "500ms", "90s", "10m" or "2h"');
const modelName = z.string().regex(/^[\w-]+:.+$/, "must be provider:model");
const dollars = z.number().nonnegative().max(1_000_000);

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

/** A whole config file. */
export const configSchema = z.strictObject({
  model: modelName.optional(),
  /** Who grades rubrics; best another one than `model`. */
  judge_model: modelName.optional(),
  state: z.string().startsWith("/", "must be an absolute path").optional(),
  sandbox: z.string().max(64).optional(),
  system: z.string().max(100_000).optional(),
  tools: z.array(z.string()).max(128).optional(),
  max_output_tokens: z.int().min(1).max(1_000_000).optional(),
  idle_timeout: duration.optional(),
  tool_timeout: duration.optional(),
  steering: z.enum(["enqueue", "interrupt", "reject"]).optional(),
  /**
   * Headers that the egress proxy adds, by host: values name environment variables as `${NAME}`. No sandbox sees them.
   */
  inject: z.record(z.string().min(1), z.record(z.string().min(1), z.string().max(4096))).optional(),
  /** By provider name. A name that is not built in speaks the OpenAI-compatible wire format. */
  providers: z.record(z.string().regex(/^[a-z0-9-]{1,64}$/), provider).optional(),
  /** By `provider:model`. */
  prices: z.record(modelName, price).optional(),
});

/** A config file, as parsed. */
export type ConfigFile = z.infer<typeof configSchema>;
