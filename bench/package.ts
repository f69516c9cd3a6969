/** The package as it is published, for what is measured in processes of its own. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SessionId } from "../src/core/ids.ts";
import { runChild, runProcess } from "./processes.ts";

/** Builds it anew, so that what is measured is what the sources say. @returns its folder */
export async function buildPackage(isTiny: boolean): Promise<string> {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const dist = join(root, "dist");
  if (!isTiny || !existsSync(join(dist, "runtime", "wake.js"))) {
    await runProcess([process.execPath, join(root, "scripts", "build.ts")], {
      PATH: `${join(root, "node_modules", ".bin")}:${process.env.PATH}`,
    });
  }
  return dist;
}

/** A session to be carried on in a process of its own. */
export interface Resumption {
  readonly dist: string;
  /** Where node keeps compiled code. */
  readonly cache: string;
  readonly folder: string;
  readonly sessionId: SessionId;
  /** Closes the store in the end; otherwise the process ends at the model call. */
  readonly closes: boolean;
}

/** What a process tells of its model call. */
export interface ModelCallSeen {
  /** From before the log is opened to the model call. */
  readonly ms: number;
  /** What the model was sent. */
  readonly messages: number;
}

/** Carries a session on until its model is called. */
export function resumeInChild(resumption: Resumption): Promise<ModelCallSeen> {
  return runChild<ModelCallSeen>("./resume-child.mjs", resumption);
}
