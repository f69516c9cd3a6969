/** One kill, and what came of it. */
import type { OwnEngine } from "../leftovers/own-engine.ts";
import { judge } from "./judge.ts";
import type { Cell } from "./matrix.ts";
import { Stage } from "./stage.ts";
import { Missed, REACH } from "./steps.ts";
import { strike } from "./victims.ts";

/** What was found. */
export interface Finding {
  readonly cell: Cell;
  readonly problems: readonly string[];
  readonly durationMs: number;
}

/** A machine under load may let a moment pass. */
const TRIES_MAX = 5;

/** Takes a session to the step, kills, lets it go on to its end, and looks. */
export async function runCell(cell: Cell, engine: OwnEngine | undefined): Promise<Finding> {
  const startedMs = performance.now();
  const finding = (problems: readonly string[]): Finding => ({
    ...{ cell, problems },
    durationMs: Math.round(performance.now() - startedMs),
  });
  for (let attempt = 1; ; attempt++) {
    try {
      return finding(await tryCell(cell, engine));
    } catch (error) {
      if (error instanceof Missed && attempt < TRIES_MAX) continue;
      return finding(messagesOf(error));
    } finally {
      await engine?.start();
    }
  }
}

/** Of a failure, and of that of cleaning up after it. */
function messagesOf(error: unknown): string[] {
  if (error instanceof SuppressedError) return [...messagesOf(error.suppressed), ...messagesOf(error.error)];
  return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
}

async function tryCell(cell: Cell, engine: OwnEngine | undefined): Promise<string[]> {
  await using stage = await Stage.open(cell);
  const letGo = await REACH[cell.step](stage);
  stage.sandboxFolders();
  try {
    await strike(stage, cell.victim, engine);
  } finally {
    letGo();
  }
  if (cell.victim === "harness") stage.start();
  const isBack = cell.victim === "engine" ? engine?.start() : undefined;
  await Promise.all([stage.finish(), isBack]);
  return await judge(stage, engine);
}
