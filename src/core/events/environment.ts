/** What commands find besides the files: `environment.*`. */
import * as z from "zod";
import { hash } from "./contract.ts";
import { content } from "./parts.ts";

/** Schemas of this domain by event type. */
export const environmentEvents = {
  /**
   * The files of `commit` ask for other dependencies than those of the base. `make`: the next sandbox has them; `ask`:
   * a person has to allow this key; `deny`: they stay out; `refused`: they do not come from a registry; `failed`: they
   * could not be installed; `base`: they are those of the base again.
   */
  "environment.decided": z.object({
    /** Of the layer: another lockfile, toolchain or registry is another key. Of a refusal: of its reason. */
    key: hash,
    commit: z.string().regex(/^[0-9a-f]{40,64}$/),
    decision: z.enum(["base", "make", "ask", "deny", "refused", "failed"]),
    files: z.array(z.object({ path: z.string(), change: z.enum(["added", "modified", "deleted"]) })).max(100),
    /** For the model. */
    content,
  }),
} as const;
