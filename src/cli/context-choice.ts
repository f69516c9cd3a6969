/** What becomes of a context that fills up, as people say it: by flag, else by config file, else by what is known. */
import { contextProfileOf } from "../core/attempt/profiles.ts";
import type { ConfigFile } from "../runtime/config.ts";
import type { SessionPolicy } from "../runtime/session-config.ts";

/** Flags about contexts. */
export interface ContextFlags {
  readonly context?: "auto" | "continue" | "reset";
  readonly contextWindow?: number;
}

/** @param modelId - without its provider */
export function contextOf(
  flags: ContextFlags,
  file: Pick<ConfigFile, "context" | "context_window">,
  modelId: string,
): Pick<SessionPolicy, "context"> {
  const mode = flags.context ?? file.context ?? "auto";
  return { context: contextProfileOf(modelId, mode, flags.contextWindow ?? file.context_window) };
}
