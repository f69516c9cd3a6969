/** A program of somebody else's as the worker: what it was told, and what it asked of models through the gateway. */
import * as z from "zod";
import { content, usage } from "./parts.ts";

const request = z.int().positive();
const attempt = z.int().positive();

/** How such a program is run; fixed when the session is made. */
export const commandAgent = z.object({
  /** Its whole command line. `{prompt}` stands for the prompt. */
  argv: z.array(z.string().max(8192)).min(1).max(256),
  /** How it gets the prompt; as an argument it takes the place of `{prompt}`. */
  prompt: z.enum(["stdin", "argument"]),
  /** Which program it is known to be: each finds its model by variables of its own. */
  known: z.enum(["claude", "codex", "opencode"]).optional(),
  /** Each attempt is killed after this long. */
  wall_ms: z.int().min(100),
  /** Or when it has printed nothing and asked for nothing this long. */
  quiet_ms: z.int().min(100),
  /** Attempts in a row that change neither files nor verdict. */
  fruitless_max: z.int().min(1).max(1000),
  /** Absent: the gateway is closed, and nothing is metered. */
  gateway: z
    .object({
      anthropic: z.object({ provider: z.string(), base_url: z.string().max(2048).optional() }).optional(),
      openai: z.object({ provider: z.string(), base_url: z.string().max(2048).optional() }).optional(),
      /** Every request goes to the agent's model of this session, whose price is known. */
      forced: z.boolean(),
      /** Models that may be asked for, where none is forced; absent: any. */
      models: z.array(z.string()).max(100).optional(),
    })
    .optional(),
});

/** Schemas of this domain by event type. */
export const commandEvents = {
  /** What the program is told, before it is started. */
  "attempt.prompted": z.object({ attempt, content }),
  /** The intent of a request that goes through the gateway, with what it may cost at the most. */
  "gateway.request_started": z.object({
    request,
    attempt,
    epoch: z.int().positive(),
    wire: z.enum(["anthropic", "openai-chat", "openai-responses"]),
    /** As it is sent on. */
    model: z.string(),
    /** As the program has asked for it, where that is another one. */
    asked_model: z.string().optional(),
    body_bytes: z.int().nonnegative(),
    reservation: z.object({ tokens: z.int().nonnegative(), cost_micro_usd: z.int().nonnegative() }),
  }),
  /** Its receipt. Without usage the reservation stays charged. */
  "gateway.request_ended": z.object({
    request,
    outcome: z.enum(["answered", "failed", "interrupted", "lost"]),
    status: z.int().optional(),
    error: z.string().max(2000).optional(),
    model_usage: usage.optional(),
    cost_micro_usd: z.int().nonnegative().optional(),
    duration_ms: z.int().nonnegative(),
  }),
} as const;
