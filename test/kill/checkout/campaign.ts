/**
 * Real kills of sessions with a checkout: SIGKILL hits the harness, the daemon, the pod, or all of them, at random
 * moments of provisioning, running, saving, restoring and removing. Afterwards the files are what the log says, and
 * nothing is left on the machine.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { event, type SessionEvent } from "../../../src/core/events/index.ts";
import type { SessionId } from "../../../src/core/ids.ts";
import { createSession, newSessionId, sendEvents } from "../../../src/runtime/client.ts";
import { type OpenHarness, openHarness } from "../../../src/runtime/open.ts";
import { sessionConfig } from "../../../src/runtime/session-config.ts";
import { readRecord } from "../../../src/sandbox/daemon/record.ts";
import { COUNTER_FILE } from "../harness/workload.ts";
import { generator } from "../random.ts";
import { judgeFiles, judgeWords } from "./judge.ts";

/** Whom a kill hits. */
export const VICTIMS = ["harness", "daemon", "pod", "all"] as const;

/** One of them. */
export type CheckoutVictim = (typeof VICTIMS)[number];

/** What a campaign found. */
export interface CheckoutOutcome {
  kills: number;
  sessions: number;
  events: number;
  checkpoints: number;
  restores: number;
  problems: string[];
}

const TURNS = 8;
const STARTS_MAX = 200;

/** Runs sessions under fire until `kills` kills have happened. */
export async function runCheckoutCampaign(kills: number, seed: number): Promise<CheckoutOutcome> {
  const total: CheckoutOutcome = {
    ...{ kills: 0, sessions: 0, events: 0, checkpoints: 0, restores: 0, problems: [] },
  };
  const random = generator(seed);
  while (total.kills < kills) {
    const outcome = await oneSession(kills - total.kills, random);
    total.sessions += 1;
    for (const figure of ["kills", "events", "checkpoints", "restores"] as const)
      total[figure] += outcome[figure];
    total.problems.push(...outcome.problems);
  }
  return total;
}

async function oneSession(killsLeft: number, random: () => number): Promise<CheckoutOutcome> {
  const root = mkdtempSync(join(tmpdir(), "nightshift-kill-"));
  const stateFolder = join(root, "state");
  const project = join(root, "project");
  makeProject(project);
  const harness = await openHarness({ stateFolder });
  try {
    const sessionId = await startSession(harness, project);
    let kills = 0;
    for (let start = 0; ; start++) {
      if (start >= STARTS_MAX) throw new Error(`${sessionId} did not come to rest in ${STARTS_MAX} starts`);
      const victim = VICTIMS[Math.floor(random() * VICTIMS.length)] ?? "harness";
      const run = await oneProcess({
        stateFolder,
        sessionId,
        victim: kills < killsLeft ? victim : null,
        random,
      });
      kills += run.kills;
      if (run.rested === "end_turn") break;
      // A sandbox that died too often in a row parks the session; a person says: go on.
      if (run.rested !== null) await sendEvents(harness, sessionId, [event("control.resume", {})]);
    }
    const events = await logOf(harness, sessionId);
    const problems = [
      ...judgeFiles(events, await savedLines(stateFolder, sessionId, events)),
      ...judgeWords(events),
      ...leftovers(stateFolder),
    ];
    const count = (type: string) => events.filter((item) => item.type === type).length;
    const [checkpoints, restores] = [count("checkpoint.created"), count("workspace.restored")];
    return { kills, sessions: 1, events: events.length, checkpoints, restores, problems };
  } finally {
    await harness.close();
    rmSync(root, { recursive: true, force: true });
  }
}

/** A repository with one commit. */
export function makeProject(folder: string): void {
  mkdirSync(folder);
  writeFileSync(join(folder, "readme.txt"), "counts\n");
  const git = (...words: readonly string[]) =>
    execFileSync("git", ["-c", "user.name=me", "-c", "user.email=me@example.org", ...words], { cwd: folder });
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "base");
}

async function startSession(harness: OpenHarness, project: string): Promise<SessionId> {
  const sessionId = newSessionId(harness);
  const workspaces = await harness.workspaces();
  const options = { dirty: "refuse", atMs: harness.clock.wallMs() } as const;
  const { base } = await workspaces.prepare(sessionId, project, options, new AbortController().signal);
  const config = sessionConfig({
    ...{ model: "scripted:counter", workspace: project, sandbox: "bubblewrap", base },
    policy: { sandbox_grace_ms: 0, checkpoint_calls: 3, no_contact_ms: 60_000 },
  });
  const question = event("user.message", { content: [{ type: "text", text: "Begin." }] });
  return createSession(harness, config, [question], sessionId);
}

interface ProcessParts {
  readonly stateFolder: string;
  readonly sessionId: SessionId;
  readonly victim: CheckoutVictim | null;
  readonly random: () => number;
}

interface ProcessRun {
  readonly kills: number;
  /** Why the session rests; null when it does not. */
  readonly rested: string | null;
}

async function oneProcess({ stateFolder, sessionId, victim, random }: ProcessParts): Promise<ProcessRun> {
  const args = [join(import.meta.dirname, "child.ts"), stateFolder, sessionId, String(TURNS)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  // Now and then the kill hits the making of the sandbox, else its use.
  const early = random() < 0.25;
  let said = "";
  let complaint = "";
  const isReady = Promise.withResolvers<void>();
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
    if (said.includes(early ? "requested" : "ready")) isReady.resolve();
  });
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  const exited = once(child, "exit");
  const soon = Promise.race([isReady.promise, exited]);
  const killing =
    victim === null ? Promise.resolve(0) : soon.then(() => killSoon(child, stateFolder, victim, random));
  const [code] = (await exited) as [number | null];
  const kills = await killing;
  if (code !== 0 && code !== null) throw new Error(`a harness failed with ${code}: ${complaint}`);
  const rest = /^rest (\w*) ?(\d*)$/m.exec(said);
  return { kills, rested: rest === null || rest[2] !== "" ? null : (rest[1] ?? "") };
}

/** The moment of a kill is what this suite is about, so here the clock is part of the experiment. */
async function killSoon(
  child: ChildProcess,
  stateFolder: string,
  victim: CheckoutVictim,
  random: () => number,
): Promise<number> {
  await sleep(random() * 900);
  if (child.exitCode !== null || child.signalCode !== null) return 0;
  let kills = 0;
  if (victim !== "harness") {
    const sandboxes = join(stateFolder, "sandboxes", "bubblewrap");
    if (victim !== "pod") for (const name of listed(sandboxes)) kills += killDaemon(join(sandboxes, name));
    if (victim !== "daemon") for (const pid of processesNaming("bwrap", sandboxes)) kills += kill(pid);
  }
  if (victim === "harness" || victim === "all") kills += child.kill("SIGKILL") ? 1 : 0;
  return Math.min(1, kills);
}

function killDaemon(folder: string): number {
  const record = readRecord(folder);
  return record === undefined ? 0 : kill(record.process.pid);
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function kill(pid: number): number {
  try {
    process.kill(pid, "SIGKILL");
    return 1;
  } catch {
    return 0;
  }
}

/** Processes outside of pods whose command line or working folder is in the state folder. */
function processesNaming(program: string, folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        const environment = readFileSync(`/proc/${pid}/mountinfo`, "utf8");
        return argv.includes(program) && (argv.includes(folder) || environment.includes(folder));
      } catch {
        return false;
      }
    });
}

function leftovers(stateFolder: string): string[] {
  const folders = readdirSync(join(stateFolder, "sandboxes", "bubblewrap"));
  return [
    ...folders.map((name) => `the folder of sandbox ${name} is left`),
    ...processesNaming("", join(stateFolder, "sandboxes")).map((pid) => `process ${pid} is left`),
    ...readFileSync("/proc/mounts", "utf8")
      .split("\n")
      .filter((line) => line.includes(stateFolder))
      .map((line) => `a mount is left: ${line}`),
  ];
}

/** The whole log of a session. */
export async function logOf(harness: OpenHarness, sessionId: SessionId): Promise<SessionEvent[]> {
  const events: SessionEvent[] = [];
  for (;;) {
    const page = await harness.store.getEvents(sessionId, { after: events.length, limit: 1000 });
    if (page.length === 0) return events;
    events.push(...page);
  }
}

/** Lines of the counter file in the newest checkpoint, by git itself. */
export async function savedLines(
  stateFolder: string,
  sessionId: SessionId,
  events: readonly SessionEvent[],
): Promise<string[]> {
  const newest = events.findLast((item) => item.type === "checkpoint.created");
  if (newest === undefined) return [];
  const repository = join(stateFolder, "workspaces", sessionId, "repository.git");
  const place = `${newest.body.commit}:${COUNTER_FILE}`;
  const names = execFileSync("git", ["--git-dir", repository, "ls-tree", "--name-only", newest.body.commit], {
    encoding: "utf8",
  });
  if (!names.split("\n").includes(COUNTER_FILE)) return [];
  const text = execFileSync("git", ["--git-dir", repository, "show", place], { encoding: "utf8" });
  return text.split("\n").filter((line) => line !== "");
}
