/** The tools that every agent has. */
import type { Tool } from "./contract.ts";
import { editTool, readTool, writeTool } from "./files.ts";
import { handOffTool } from "./hand-off.ts";
import { globTool, grepTool } from "./search.ts";
import { askTool, declareTool, requestVerdictTool } from "./session.ts";
import { bashTool } from "./shell.ts";

const TOOLS: readonly Tool[] = [bashTool, readTool, writeTool, editTool, globTool, grepTool];

const SESSION_TOOLS: readonly Tool[] = [askTool, handOffTool, requestVerdictTool, declareTool];

/** What an agent has besides, about the session itself; the last two need a contract. */
export function sessionTools(): readonly Tool[] {
  return SESSION_TOOLS;
}

/** `bash`, `read`, `write`, `edit`, `glob`, `grep`, in this order, which is also the order a model sees. */
export function builtinTools(): readonly Tool[] {
  return TOOLS;
}
