/** One session on a repository with a bug, driven by the built program: undisturbed, or killed again and again. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import type { ScriptTurn } from "../../src/model/script-schema.ts";
import { bodiesOf, type LoggedEvent, type Place } from "../end-to-end/place.ts";
import { generator } from "../kill/random.ts";
import type { Change } from "../projects/table.ts";
import type { Story } from "./table.ts";

/** How a session is disturbed. */
export interface Disturbance {
  readonly kills: number;
  readonly lostSandboxes: number;
  readonly seed: number;
}

/** What became of it. */
export interface Worked {
  readonly session: string;
  readonly events: readonly LoggedEvent[];
  readonly kills: number;
  readonly lostSandboxes: number;
  /** Of each commit of the branch: tree and message, without what names session and moment. */
  readonly branch: readonly string[];
  readonly usage: Readonly<Record<string, number>>;
}

const KILL_WITHIN_MS = 4_000;
const USAGE = { input_tokens: 1000, output_tokens: 100 };

/** Where one session is worked on, and what its commands see of the machine. */
export interface Desk {
  readonly place: Place;
  readonly story: Story;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Replaces a piece of a file, which has to be there. */
export function applyChange(folder: string, { path, before, after }: Change): void {
  const text = readFileSync(join(folder, path), "utf8");
  if (!text.includes(before)) throw new Error(`${path} does not hold ${JSON.stringify(before)}`);
  writeFileSync(
    join(folder, path),
    text.replace(before, () => after),
  );
}

const bash = (text: string, command: string): ScriptTurn => ({
  text,
  tools: [{ name: "bash", input: { command, timeout_ms: 600_000 } }],
  usage: USAGE,
});
const edit = (text: string, { path, before, after }: Change): ScriptTurn => ({
  text,
  tools: [{ name: "edit", input: { file_path: path, old_string: before, new_string: after } }],
  usage: USAGE,
});

/** Exploration, a wrong turn, a false claim, more exploration, the fix. */
function scriptOf({ project, check, wrong, fix }: Story): readonly ScriptTurn[] {
  // Long enough to be hit by a kill.
  const seconds = project === null ? 1.5 : 5;
  const tests = `(${check}) 2>&1 | tail -n 40`;
  const look = (what: string): string => `echo looking; ${what}; sleep ${seconds}; echo looked`;
  return [
    bash("I look at what there is.", look("ls; git log --oneline | head -n 5")),
    bash("I run the tests.", look(tests)),
    edit("This must be it.", wrong),
    { text: "I have fixed the bug. All tests pass now.", usage: USAGE },
    bash("They do not. I look again.", look(`grep -n . ${wrong.path} | head -n 30`)),
    ...fix.map((change) => edit("Now I see it.", change)),
    bash("I run the tests again.", tests),
    { text: "The bug is fixed and the tests pass.", usage: USAGE },
  ];
}

/** Works until the session rests. */
export async function work(desk: Desk, disturbance: Disturbance | null): Promise<Worked> {
  const { place, story, env } = desk;
  const model = place.script({ turns: [...scriptOf(story)] }, "../script.json");
  const setup = story.project === null ? [] : ["--setup", story.project.setup];
  const words = ["run", "--sandbox", "bubblewrap", "--model", model, "--check", story.check, ...setup];
  let running = place.start([...words, "Mend the bug"], { env });
  const session = await running.says(/session {2}(\S+)/);
  const chance = generator(disturbance?.seed ?? 1);
  let kills = 0;
  const losses = disturbance === null ? null : loseSandboxes(desk, session, disturbance.lostSandboxes);
  for (; kills < (disturbance?.kills ?? 0); kills++) {
    const isOver = await Promise.race([
      running.ended.then(() => true),
      sleep(300 + chance() * KILL_WITHIN_MS, false),
    ]);
    if (isOver) break;
    running.child.kill("SIGKILL");
    await running.ended;
    running = place.start(["resume", session], { env });
  }
  const { code, stdout, stderr } = await running.ended;
  expect(code, stdout + stderr).toBe(0);
  const lostSandboxes = (await losses?.()) ?? 0;
  const events = await place.events(session);
  const { usage } = (await place.json(["status", session])) as { usage: Record<string, number> };
  return { session, events, kills, lostSandboxes, branch: branchOf(place, events), usage };
}

/**
 * Kills pods while the agent only looks: what it has saved is not touched, so the work stays the same and only the log
 * tells the difference. @returns to stop, and the number
 */
function loseSandboxes({ place }: Desk, session: string, most: number): () => Promise<number> {
  const stop = new AbortController();
  const folder = join(place.state, "sandboxes", "bubblewrap");
  const types = "agent.tool_use,tool.started";
  const following = place.start(["events", session, "--json", "-f", "--types", types]);
  let lost = 0;
  const lose = async (): Promise<void> => {
    const seen = new Set<string>();
    while (lost < most && !stop.signal.aborted) {
      await sleep(100);
      const call = newestLook(following.output);
      if (call === undefined || seen.has(call)) continue;
      seen.add(call);
      if (killPods(folder)) lost += 1;
    }
  };
  const losing = lose();
  return async () => {
    stop.abort();
    await losing;
    following.child.kill("SIGTERM");
    await following.ended;
    return lost;
  };
}

/** The call that was started last, if it only looks. */
function newestLook(output: string): string | undefined {
  const lines = output.slice(0, output.lastIndexOf("\n") + 1).split("\n");
  const events = lines.flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as LoggedEvent] : []));
  const started = events.findLast(({ type }) => type === "tool.started");
  const use = events.find(({ type, body }) => type === "agent.tool_use" && body.call === started?.body.call);
  const isLook = JSON.stringify(use?.body.input ?? "").includes("echo looking");
  return started !== undefined && isLook ? String(started.body.call) : undefined;
}

function killPods(folder: string): boolean {
  if (!existsSync(folder)) return false;
  const pods = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && isPod(name, folder));
  for (const pid of pods) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It was gone already.
    }
  }
  return pods.length > 0;
}

function isPod(pid: string, folder: string): boolean {
  try {
    const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    return argv.includes("bwrap") && argv.includes(folder);
  } catch {
    return false;
  }
}

/** Tree and message of each commit from the base on. */
function branchOf(place: Place, events: readonly LoggedEvent[]): readonly string[] {
  const [published] = bodiesOf(events, "branch.published").slice(-1);
  const git = (...words: readonly string[]): string =>
    execFileSync("git", words, { cwd: place.project, encoding: "utf8" }).trim();
  const commits = git("rev-list", "--reverse", `HEAD..${String(published?.branch)}`).split("\n");
  expect(commits.at(-1)).toBe(published?.commit);
  const verdict = bodiesOf(events, "verdict.given").at(-1);
  expect(git("rev-parse", `${published?.commit}^{tree}`)).toBe(verdict?.tree_b);
  return commits.map((commit) =>
    git("log", "-1", "--format=%T%n%B", commit).replace(/^Nightshift-Session: .*$/m, ""),
  );
}
