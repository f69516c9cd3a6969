/** What has to hold after a kill, whoever was hit: an honest log, no effect twice, nothing left on the machine. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isNightshiftError } from "../../../src/core/errors.ts";
import type { SessionEvent } from "../../../src/core/events/index.ts";
import { foldEvents } from "../../../src/core/reduce.ts";
import { findLeftovers } from "../../../src/runtime/leftovers.ts";
import { findMembers } from "../../../src/sandbox/daemon/kill.ts";
import { listPids, readEnvironment } from "../../../src/sandbox/daemon/processes.ts";
import { sandboxKey } from "../../../src/sandbox/daemon/record.ts";
import { LABEL } from "../../../src/sandbox/docker/container.ts";
import { Engine } from "../../../src/sandbox/docker/engine.ts";
import { savedLines } from "../checkout/campaign.ts";
import { judgeFiles, judgeWords } from "../checkout/judge.ts";
import { badIntents, badReceipts } from "../harness/outcome.ts";
import type { OwnEngine } from "../leftovers/own-engine.ts";
import { keepsSandbox } from "./matrix.ts";
import type { Stage } from "./stage.ts";
import { EFFECTS } from "./workload.ts";

const GRACE_MS = 5_000;
const LOOK_MS = 50;

/** Says in words what does not hold; the session has come to rest. */
export async function judge(stage: Stage, engine: OwnEngine | undefined): Promise<string[]> {
  const events = await stage.log();
  const lines = await savedLines(stage.stateFolder, stage.session, events);
  return [
    ...badIntents(events),
    ...badReceipts(events),
    ...judgeFiles(events, lines),
    ...judgeWords(events),
    ...badEffects(stage, events),
    ...badLosses(stage, events),
    ...badEnd(stage, events),
    ...badRepository(stage),
    ...badLayers(stage),
    ...(await leaks(stage, events, engine)),
  ];
}

/** Somebody outside has counted. */
function badEffects({ counter }: Stage, events: readonly SessionEvent[]): string[] {
  const problems: string[] = [];
  const uses = events.filter((each) => each.type === "agent.tool_use");
  if (uses.length !== EFFECTS) problems.push(`there were ${uses.length} calls instead of ${EFFECTS}`);
  for (const [index, { body }] of uses.entries()) {
    const count = counter.count(index);
    const receipt = events.find(
      (each) => each.type === "agent.tool_result" && each.body.call === body.call,
    ) as SessionEvent<"agent.tool_result"> | undefined;
    if (count > 1) problems.push(`effect ${index} happened ${count} times`);
    const isCertain = receipt?.body.exit_code === 0 && !receipt.body.in_doubt;
    if (count === 0 && isCertain)
      problems.push(`effect ${index} never happened, and its receipt says that it did`);
  }
  return problems;
}

function badLosses({ cell }: Stage, events: readonly SessionEvent[]): string[] {
  const isLost = events.some(({ type }) => type === "sandbox.lost");
  if (isLost && keepsSandbox(cell)) return ["the log says that the sandbox was lost, and it was not"];
  const isUsed = cell.step === "exec" || cell.step === "checkpoint";
  if (!isLost && isUsed && (cell.victim === "daemon" || cell.victim === "pod"))
    return ["the sandbox was lost, and the log does not say so"];
  return [];
}

function badEnd({ session }: Stage, events: readonly SessionEvent[]): string[] {
  const state = foldEvents(session, events);
  const problems: string[] = [];
  if (state.stopReason?.type !== "end_turn")
    problems.push(`the session ended as ${state.stopReason?.type ?? "nothing"}`);
  if (state.sandbox !== null) problems.push("the sandbox was not given back");
  return problems;
}

function badRepository({ stateFolder, session }: Stage): string[] {
  const repository = join(stateFolder, "workspaces", session, "repository.git");
  const words = ["--git-dir", repository, "fsck", "--strict", "--no-dangling"];
  const { stdout, stderr, status } = spawnSync("git", words, { encoding: "utf8" });
  return status === 0 && stdout === "" ? [] : [`the repository is damaged: ${stdout}${stderr}`];
}

function badLayers({ project, stateFolder, cell }: Stage): string[] {
  if (project.registry === undefined) return [];
  const builds = project.builds(stateFolder);
  const making = namesIn(join(stateFolder, "layers", "making"));
  return [
    ...(builds.length === 1 ? [] : [`there are ${builds.length} layers instead of one`]),
    ...making.map((name) => `${cell.step}: half a layer is left: ${name}`),
  ];
}

/** What people would have to find by themselves, and what `gc` does not remove. */
async function leaks(
  stage: Stage,
  events: readonly SessionEvent[],
  engine: OwnEngine | undefined,
): Promise<string[]> {
  const problems = mayStay(stage, events) ? [] : await settled(() => leftOf(stage));
  if (!(await isCollected(stage))) {
    // Some engines keep the name of a volume until they are started anew.
    await engine?.kill();
    await engine?.start();
    await collect(stage);
  }
  for (const { description } of await collect(stage)) problems.push(`it cannot be removed: ${description}`);
  problems.push(...(await settled(() => leftOf(stage))));
  return [...new Set(problems)];
}

/** Until `gc`: what an engine held that was away, or that has lost count of its mounts. */
function mayStay({ cell }: Stage, events: readonly SessionEvent[]): boolean {
  const isAdmitted = events.some(
    ({ type, body }) => type === "breaker.tripped" && "cause" in body && body.cause === "sandbox_leak",
  );
  return isAdmitted || cell.victim === "engine";
}

async function isCollected(stage: Stage): Promise<boolean> {
  try {
    await collect(stage);
    return true;
  } catch (error) {
    if (isNightshiftError(error, "E_SANDBOX_UNAVAILABLE") && error.retryable) return false;
    throw error;
  }
}

/** On the machine, and of their folders. */
async function leftOf(stage: Stage): Promise<string[]> {
  const folders = stage.sandboxFolders().map((folder) => `the folder ${folder} is left`);
  return [...folders, ...(await onMachine(stage))];
}

/** As `gc` does. @returns what was found */
async function collect({
  harness,
  stateFolder,
}: Stage): Promise<readonly { readonly description: string }[]> {
  const workspaces = await harness.workspaces();
  const found = await findLeftovers({ store: harness.store, stateFolder, workspaces });
  for (const leftover of found) await leftover.remove();
  return found;
}

/** Processes that nobody waits for may take a moment to end. */
async function settled(look: () => Promise<string[]>): Promise<string[]> {
  const deadline = performance.now() + GRACE_MS;
  for (;;) {
    const found = await look();
    if (found.length === 0 || performance.now() > deadline) return found;
    await sleep(LOOK_MS);
  }
}

/** Processes, groups, mounts and containers of the session's sandboxes. */
async function onMachine(stage: Stage): Promise<string[]> {
  stage.sandboxFolders();
  const keys = stage.formerFolders().map(sandboxKey);
  const members = keys.flatMap((key) => findMembers({ marker: `${key}.` }).map(({ pid }) => pid));
  const strangers = listPids().filter((pid) => pid !== process.pid && isOf(pid, stage.root));
  const groups = execFileSync("find", ["/sys/fs/cgroup", "-name", "*ns*"], { encoding: "utf8" }).split("\n");
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return [
    ...[...new Set([...members, ...strangers])].map((pid) => `process ${pid} is left: ${commandLineOf(pid)}`),
    ...groups
      .filter((path) => keys.some((key) => path.includes(key)))
      .map((path) => `a group is left: ${path}`),
    ...mounts.filter((line) => line.includes(stage.root)).map((line) => `a mount is left: ${line}`),
    ...(stage.cell.backend === "docker" ? await inEngine(keys) : []),
  ];
}

/** Does it work there, or was it told of it? */
function isOf(pid: number, root: string): boolean {
  try {
    if (readlinkSync(`/proc/${pid}/cwd`).startsWith(root)) return true;
  } catch {
    return false;
  }
  return commandLineOf(pid).includes(root) || readEnvironment(pid).includes(root);
}

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}

async function inEngine(keys: readonly string[]): Promise<string[]> {
  const engine = await Engine.open((process.env.DOCKER_HOST ?? "").replace("unix://", ""));
  const labels = await engine.labelsWith(LABEL);
  return labels
    .filter(({ [LABEL]: key = "" }) => keys.includes(key))
    .map((each) => `the engine has ${JSON.stringify(each)}`);
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
