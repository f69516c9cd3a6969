/** The files that the agent works on: `checkpoint.*`, `workspace.*`. */
import * as z from "zod";
import { callIdText, content, json, sequence } from "./parts.ts";

const commit = z.string().regex(/^[0-9a-f]{40,64}$/);
const number = z.int().positive();

/** Schemas of this domain by event type. */
export const workspaceEvents = {
  /** The intent to save the workspace; the number alone finds it again after a crash. */
  "checkpoint.requested": z.object({
    number,
    reason: z.enum(["cadence", "rest", "asked", "verdict", "handoff"]),
  }),
  /**
   * Binds three things that restore together: the files, the log up to `through_seq`, and the contract's state
   * (null as long as the session has no contract).
   */
  "checkpoint.created": z.object({
    number,
    commit,
    tree: commit,
    through_seq: sequence,
    contract: json,
    files_changed: z.int().nonnegative(),
    duration_ms: z.number().nonnegative(),
  }),
  "checkpoint.failed": z.object({ number, reason: z.string(), code: z.string() }),
  /**
   * A sandbox began with the files of `commit`; what these calls did to the files is gone. `content` tells the model,
   * unless nothing is gone that it does not know of.
   */
  "workspace.restored": z.object({
    sandbox: z.string(),
    checkpoint: z.int().nonnegative(),
    commit,
    lost: z.array(z.object({ call: callIdText, name: z.string() })),
    lost_count: z.int().nonnegative(),
    content: content.optional(),
  }),
  /** A person took the workspace back to a checkpoint (0 is the base); for the model too. */
  "workspace.rewound": z.object({ checkpoint: z.int().nonnegative(), commit, content }),
} as const;
