/** What every command is given, and what it opens. */
import { BRANCH_FOLDER, shortId } from "../core/branch/name.ts";
import { NightshiftError } from "../core/errors.ts";
import { asSessionId, type SessionId } from "../core/ids.ts";
import { type Environment, loadSettings, type Settings } from "../runtime/config.ts";
import { type OpenHarness, openHarness } from "../runtime/open.ts";
import { dayCapsOf } from "./day-cap.ts";
import type { Output } from "./output.ts";

/** The world of a command. */
export interface CommandContext {
  readonly output: Output;
  readonly environment: Environment;
  /** The folder it was started in. */
  readonly directory: string;
}

/** Flags that say which state folder is meant. */
export interface PlaceFlags {
  readonly state?: string;
  readonly directory?: string;
  readonly model?: string;
  readonly judgeModel?: readonly string[];
  /** Micro-dollars. */
  readonly maxCostPerDay?: number;
}

/** Flags of commands to which the project's config file applies. */
export interface ProjectFlags extends PlaceFlags {
  readonly ignoreProject?: boolean;
}

/** Settings for a command that begins work, in which the project has a say. */
export function projectSettingsFor(context: CommandContext, flags: ProjectFlags): Promise<Settings> {
  return settingsFor(context, flags, flags.ignoreProject !== true);
}

/** Settings for these flags. */
export function settingsFor(
  context: CommandContext,
  flags: PlaceFlags,
  usesProject = false,
): Promise<Settings> {
  return loadSettings({
    usesProject,
    environment: context.environment,
    directory: context.directory,
    workspace: flags.directory,
    state: flags.state,
    model: flags.model,
    judgeModels: flags.judgeModel,
    maxCostPerDay: flags.maxCostPerDay,
  });
}

/** Opens the harness that the settings describe. */
export function openFor(settings: Settings): Promise<OpenHarness> {
  const { stateFolder, environment, file } = settings;
  return openHarness({ stateFolder, environment, file, ...dayCapsOf(settings) });
}

/** Opens the state folder, runs `action` with it and closes it again, whatever happens. */
export async function withHarness<T>(
  context: CommandContext,
  flags: PlaceFlags,
  action: (harness: OpenHarness, settings: Settings) => Promise<T>,
): Promise<T> {
  const settings = await settingsFor(context, flags);
  await using harness = await openFor(settings);
  return await action(harness, settings);
}

/** A command line that a person can run next; the flags that find the state folder are kept. */
export function commandLine(flags: PlaceFlags, ...words: readonly string[]): string {
  const place = [
    ...(flags.state === undefined ? [] : ["--state", flags.state]),
    ...(flags.directory === undefined ? [] : ["-C", flags.directory]),
  ];
  return ["nightshift", ...words, ...place].map(quoteWord).join(" ");
}

function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A branch of ours ends with the end of its session's id. */
const BRANCH = new RegExp(`^${BRANCH_FOLDER}/.*-([0-9a-z]+)$`);
const PAGE = 1000;
const SHOWN_MAX = 5;

/**
 * The session that a person means: its id, or the beginning of it, with or without `sesn_`, or the name of its branch;
 * the newest when they name none. @throws NightshiftError `E_SESSION_UNKNOWN`, `E_USAGE` when several begin like that
 */
export async function findSession(harness: OpenHarness, text: string | undefined): Promise<SessionId> {
  const { store } = harness;
  if (text === undefined) {
    const [newest] = await store.listSessions({ limit: 1 });
    if (newest !== undefined) return newest.sessionId;
    throw new NightshiftError("E_SESSION_UNKNOWN", "there is no session in this state folder yet", {
      hint: 'Start one with `nightshift run "..."`, or name another state folder with --state.',
    });
  }
  const branch = BRANCH.exec(text)?.[1];
  const prefix = text.startsWith("sesn_") ? text : `sesn_${text}`;
  const isMeant = (id: string): boolean =>
    branch === undefined ? id.startsWith(prefix) : shortId(asSessionId(id)) === branch;
  const found: SessionId[] = [];
  let after: SessionId | undefined;
  for (;;) {
    const page = await store.listSessions({ limit: PAGE, ...(after !== undefined && { after }) });
    for (const { sessionId } of page) {
      if (sessionId === prefix) return sessionId;
      if (isMeant(sessionId)) found.push(sessionId);
    }
    after = page.at(-1)?.sessionId;
    if (page.length < PAGE) break;
  }
  const [only] = found;
  if (only === undefined) throw new NightshiftError("E_SESSION_UNKNOWN", `there is no session ${text}`);
  if (found.length === 1) return only;
  const shown = found.slice(0, SHOWN_MAX).join(", ");
  throw new NightshiftError("E_USAGE", `${found.length} sessions begin with ${text}: ${shown}`, {
    hint: "Give more characters of the id.",
  });
}
