/**
 * The event catalogue: every fact a log can hold, as zod schemas. Loading zod costs more than starting node, so
 * only the edges import this file as a value (client input, fsck, tests); everything else imports types.
 *
 * Glossary: *intent* = about to be done, committed before (`span.model_request_start`, `tool.started`,
 * `sandbox.requested`); *receipt* = what came of it, committed once (`span.model_request_end`,
 * `agent.tool_result`, `sandbox.ready`).
 */
import type * as z from "zod";
import { attemptEvents } from "./attempt.ts";
import { branchEvents } from "./branch.ts";
import { clientEvents } from "./client.ts";
import { commandEvents } from "./command.ts";
import { contractEvents } from "./contract.ts";
import { environmentEvents } from "./environment.ts";
import { handoffEvents } from "./handoff.ts";
import { harnessEvents } from "./harness.ts";
import { peopleEvents } from "./people.ts";
import { refereeEvents } from "./referee.ts";
import { sessionEvents } from "./session.ts";
import { workEvents } from "./work.ts";
import { workspaceEvents } from "./workspace.ts";

/** Schemas by event type; the version of each is in {@link EVENT_VERSIONS}. */
export const CATALOGUE = {
  ...sessionEvents,
  ...clientEvents,
  ...workEvents,
  ...harnessEvents,
  ...workspaceEvents,
  ...contractEvents,
  ...refereeEvents,
  ...environmentEvents,
  ...peopleEvents,
  ...attemptEvents,
  ...branchEvents,
  ...handoffEvents,
  ...commandEvents,
} as const;

/** Every event type this version writes. */
export type EventType = keyof typeof CATALOGUE;
/** The body of an event of type `T`. */
export type EventBody<T extends EventType> = z.infer<(typeof CATALOGUE)[T]>;
/** Types that clients may submit. */
export type ClientEventType = keyof typeof clientEvents;
