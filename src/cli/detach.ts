/**
 * Goes on in the background: a process of its own session, which no closed terminal reaches, that stays until the
 * work is over, and keeps the machine awake where that can be asked for.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NightshiftError } from "../core/errors.ts";
import type { SessionId } from "../core/ids.ts";
import type { Settings } from "../runtime/config.ts";
import type { OpenHarness } from "../runtime/open.ts";
import { watchersOf } from "../runtime/watchers.ts";
import { type CommandContext, commandLine, type PlaceFlags } from "./context.ts";
import { dayCapWords } from "./day-cap.ts";
import { EXIT } from "./exit-codes.ts";

const PROBE_MS = 3000;
const LOOK_MS = 50;
const START_MS = 30_000;
const TAIL_LINES = 5;

/** What to leave in the background. */
export interface Detached {
  readonly sessionId: SessionId;
  readonly settings: Settings;
  readonly flags: PlaceFlags & { readonly json?: boolean };
}

/** Returns once somebody else has taken the session on. @throws NightshiftError `E_INTERNAL` when nobody did */
export async function detach(
  context: CommandContext,
  harness: OpenHarness,
  { sessionId, settings, flags }: Detached,
): Promise<number> {
  const { output } = context;
  const log = logFileOf(settings.stateFolder, sessionId);
  const child = startApart(context, sessionId, settings, log);
  await untilWatched(harness, settings, sessionId, { child, log });
  child.unref();
  if (flags.json === true) {
    output.printJson({ session_id: sessionId, pid: child.pid ?? null, log, detached: true });
    return EXIT.ok;
  }
  output.print(`goes on  process ${child.pid} in the background`, `log      ${log}`);
  output.note(
    `next: ${commandLine(flags, "logs", sessionId, "-f")}`,
    `  or: ${commandLine(flags, "stop", sessionId)}`,
  );
  return EXIT.ok;
}

function logFileOf(stateFolder: string, sessionId: SessionId): string {
  const folder = join(stateFolder, "detached");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, `${sessionId}.log`);
}

function startApart(
  { directory, environment }: CommandContext,
  sessionId: SessionId,
  settings: Settings,
  log: string,
): ChildProcess {
  const program = process.argv[1] ?? "";
  const { stateFolder, workspace } = settings;
  const place = ["--state", stateFolder, "-C", workspace];
  const words = ["resume", sessionId, "--stay", "--yes", ...place, ...dayCapWords(settings)];
  const [file = "", ...rest] = keptAwake([process.execPath, program, ...words], environment.PATH);
  const to = openSync(log, "a", 0o600);
  try {
    return spawn(file, rest, { cwd: directory, env: environment, detached: true, stdio: ["ignore", to, to] });
  } finally {
    closeSync(to);
  }
}

/** The same command under a sleep inhibitor, where there is one that works. */
export function keptAwake(argv: readonly string[], path: string | undefined): readonly string[] {
  const inhibitors = [
    ["systemd-inhibit", "--what=idle:sleep", "--who=nightshift", "--why=an agent works", "--mode=block"],
    ["caffeinate", "-i"],
  ] as const;
  const works = ([file, ...rest]: readonly string[]): boolean =>
    spawnSync(file ?? "", [...rest, "true"], { env: { PATH: path }, stdio: "ignore", timeout: PROBE_MS })
      .status === 0;
  return [...(inhibitors.find(works) ?? []), ...argv];
}

async function untilWatched(
  harness: OpenHarness,
  { stateFolder }: Settings,
  sessionId: SessionId,
  { child, log }: { readonly child: ChildProcess; readonly log: string },
): Promise<void> {
  const { clock, owner } = harness;
  let failure: Error | null = null;
  child.once("error", (error) => {
    failure = error;
  });
  const limit = clock.monotonicMs() + START_MS;
  while (clock.monotonicMs() < limit && failure === null) {
    if (watchersOf(stateFolder, sessionId, owner).length > 0 || child.exitCode === EXIT.ok) return;
    if (child.exitCode !== null || child.signalCode !== null) break;
    await clock.sleep(LOOK_MS);
  }
  const tail = readFileSync(log, "utf8").trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
  throw new NightshiftError("E_INTERNAL", `the process in the background did not take it on\n${tail}`, {
    hint: `Nothing is lost; run \`nightshift resume ${sessionId}\`.`,
  });
}
