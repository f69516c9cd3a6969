/** The work as a branch of the user's repository: `branch.*`. */
import * as z from "zod";

const object = z.string().regex(/^[0-9a-f]{40,64}$/);
/** Name of a branch, as a person gives it; git decides whether it can be one. */
export const branchText: z.ZodType<string> = z.string().min(1).max(200);
const verdict = z.int().positive().nullable();

/** Schemas of this domain by event type. */
export const branchEvents = {
  /**
   * The receipt: the branch is in the repository, and its head is `commit`. Its files are those of the checkpoint
   * `source`; `verdict` found them good, null when none did. Idempotent by name and commit.
   */
  "branch.published": z.object({
    branch: branchText,
    commit: object,
    source: object,
    tree: object,
    verdict,
    /** False when the branch was there and was moved, or had this head already. */
    created: z.boolean(),
  }),
  /** Nothing was changed in the repository. The work is where it was; a person may ask again. */
  "branch.refused": z.object({
    branch: branchText,
    source: object,
    verdict,
    code: z.string(),
    reason: z.string().max(4000),
  }),
} as const;
