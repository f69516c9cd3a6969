/**
 * A campaign of real kills: a harness process works on a real state folder with a real exec daemon, and SIGKILL hits
 * the harness, the daemon, or both, at random moments. Afterwards everything that was promised is checked against
 * the log and against a counter that the log does not control.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { event } from "../../../src/core/events/index.ts";
import type { SessionId } from "../../../src/core/ids.ts";
import { NO_REDACTION } from "../../../src/core/seal.ts";
import { type ClientParts, createSession, sendEvents } from "../../../src/runtime/client.ts";
import { isOwnerDead, systemChance, systemClock, systemOwner } from "../../../src/runtime/system.ts";
import { readRecord } from "../../../src/sandbox/daemon/record.ts";
import type { Store } from "../../../src/store/contract.ts";
import { createSqliteStore } from "../../../src/store/sqlite.ts";
import { builtinTools } from "../../../src/tool/builtin.ts";
import { generator } from "../random.ts";
import { checkOutcome, type Outcome } from "./outcome.ts";

/** Whom a kill hits. */
export type Victim = "harness" | "daemon" | "both";

/** What a campaign does. */
export interface CampaignOptions {
  readonly kills: number;
  readonly victim: Victim;
  readonly seed: number;
  readonly log: (line: string) => void;
}

/** Turns of one session; when it is finished another one begins, until enough kills have happened. */
const TURNS = 16;
const RESTARTS_MAX = 400;
const SESSIONS_MAX = 100;

/** Runs sessions under fire until `kills` kills have happened. @returns what was found */
export async function runCampaign(options: CampaignOptions): Promise<Outcome> {
  const total: Outcome = {
    kills: 0,
    sessions: 0,
    events: 0,
    acknowledged: 0,
    effects: 0,
    inDoubt: 0,
    problems: [],
  };
  const random = generator(options.seed);
  while (total.kills < options.kills && total.sessions < SESSIONS_MAX) {
    const outcome = await oneSession(options, options.kills - total.kills, random);
    total.kills += outcome.kills;
    total.sessions += 1;
    total.events += outcome.events;
    total.acknowledged += outcome.acknowledged;
    total.effects += outcome.effects;
    total.inDoubt += outcome.inDoubt;
    total.problems.push(...outcome.problems);
    options.log(
      `${options.victim}: ${total.kills} kills, ${total.events} events, ${total.problems.length} problems`,
    );
  }
  return total;
}

async function oneSession(
  options: CampaignOptions,
  killsLeft: number,
  random: () => number,
): Promise<Outcome> {
  const root = mkdtempSync(join(tmpdir(), "nightshift-kill-"));
  const folder = join(root, "state");
  const workspace = mkdtempSync(join(root, "workspace-"));
  const store = await openStore(folder);
  try {
    const sessionId = await startSession(store, workspace);
    const acknowledged: { first: number; last: number }[] = [];
    let kills = 0;
    for (let start = 0; ; start++) {
      if (start >= RESTARTS_MAX)
        throw new Error(`${sessionId} did not come to rest in ${RESTARTS_MAX} starts`);
      const victim = kills < killsLeft ? options.victim : null;
      const run = await oneProcess({
        folder,
        workspace,
        sessionId,
        victim,
        killsLeft: killsLeft - kills,
        random,
        acknowledged,
      });
      kills += run.kills;
      if (run.rested === "end_turn") break;
      // A sandbox that died too often in a row parks the session; a person says: go on.
      if (run.rested !== null) await sendEvents(clientParts(store), sessionId, [event("control.resume", {})]);
    }
    return await checkOutcome({ store, folder, workspace, sessionId, turns: TURNS, acknowledged, kills });
  } finally {
    await store.close();
    rmSync(root, { recursive: true, force: true });
  }
}

interface ProcessRun {
  readonly kills: number;
  /** Why the session rests; null when it does not. */
  readonly rested: string | null;
}

interface ProcessParts {
  readonly folder: string;
  readonly workspace: string;
  readonly sessionId: SessionId;
  readonly victim: Victim | null;
  readonly killsLeft: number;
  readonly random: () => number;
  readonly acknowledged: { first: number; last: number }[];
}

/** Starts a harness, and kills once after a random time counted from its first acknowledged append. */
async function oneProcess(parts: ProcessParts): Promise<ProcessRun> {
  const { folder, workspace, sessionId, victim, acknowledged } = parts;
  const args = [join(import.meta.dirname, "child.ts"), folder, sessionId, workspace, String(TURNS)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const errors: Buffer[] = [];
  child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
  const exited = once(child, "exit");
  let rested: string | null = null;
  let killing: Promise<number> | null = null;
  const lines = createInterface({ input: child.stdout });
  const read = (async () => {
    for await (const line of lines) {
      const [word, first, last] = line.split(" ");
      if (word === "ack") acknowledged.push({ first: Number(first), last: Number(last) });
      if (word === "ack" && victim !== null) killing ??= killSoon(child, parts, victim);
      if (word === "rest") rested = first ?? "";
    }
  })();
  const [code] = (await exited) as [number | null];
  await read;
  const kills = await (killing ?? Promise.resolve(0));
  if (code !== 0 && code !== null)
    throw new Error(`a harness failed with ${code}: ${Buffer.concat(errors).toString()}`);
  return { kills, rested };
}

/**
 * The moment of a kill is what this suite is about, so here the clock is part of the experiment. A harness dies
 * once; a daemon is killed again and again while the harness lives.
 */
async function killSoon(child: ChildProcess, parts: ProcessParts, victim: Victim): Promise<number> {
  const { folder, random, killsLeft } = parts;
  const sandboxes = join(folder, "sandboxes");
  for (let kills = 0; ; ) {
    await sleep(random() * (victim === "daemon" ? 350 : 220));
    if (child.exitCode !== null || child.signalCode !== null) return kills;
    if (victim !== "harness" && killDaemons(sandboxes)) kills += victim === "daemon" ? 1 : 0;
    if (victim !== "daemon") return child.kill("SIGKILL") ? 1 : 0;
    if (kills >= killsLeft) return kills;
  }
}

function killDaemons(folder: string): boolean {
  let killed = false;
  for (const name of listFolder(folder)) {
    const record = readRecord(join(folder, name));
    if (record === undefined) continue;
    try {
      process.kill(record.process.pid, "SIGKILL");
      killed = true;
    } catch {
      // It was dead already.
    }
  }
  return killed;
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The store of a campaign, opened by the process that judges. */
export function openStore(folder: string): Promise<Store> {
  const owner = systemOwner("kill-parent");
  return createSqliteStore({
    folder,
    clock: systemClock,
    probe: { isDead: (other) => isOwnerDead(other, owner) },
    writer: "inline",
  });
}

function clientParts(store: Store): ClientParts {
  return { store, clock: systemClock, chance: systemChance, redactor: NO_REDACTION };
}

/** A session that is due, with its first message. */
export function startSession(store: Store, workspace: string): Promise<SessionId> {
  const model = { provider: "scripted", id: "counter", max_output_tokens: 1000 };
  const config = {
    metadata: {},
    agent: {
      name: "counter",
      worker: "loop" as const,
      model,
      system: "Count.",
      tools: builtinTools().map((tool) => tool.name),
    },
    sandbox: { backend: "process", workspace, options: {} },
    limits: {},
    policy: {
      steering: "enqueue" as const,
      idle_timeout_ms: 60_000,
      sandbox_grace_ms: 0,
      tool_wall_ms: 20_000,
      model_failures_max: 5,
      no_contact_ms: 60_000,
    },
  };
  return createSession(clientParts(store), config, [
    event("user.message", { content: [{ type: "text", text: "Begin." }] }),
  ]);
}
