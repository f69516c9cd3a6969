/** The limits of pods; see the contract beside this file. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, NightshiftError } from "../../core/errors.ts";
import type { Resources } from "../contract.ts";
import { sandboxKey } from "../daemon/record.ts";
import type { LimitsInForce } from "../pod/contract.ts";
import type { Sweeper } from "../reaper/contract.ts";
import { JOIN_FAILED, type LimitKeeper, type Limits } from "./contract.ts";
import {
  forgiveDead,
  type GroupPlan,
  limitCpus,
  limitMemory,
  limitProcesses,
  makeGroup,
  membersOf,
  memoryKills,
  removeGroup,
  strike,
} from "./control-group.ts";
import { findMeans, type LimitFacts, type Means, readFacts } from "./means.ts";

/** Names the groups of one sandbox, in its folder; written before they are made. */
export const LIMITS_FILE = "limits.json";

interface LimitsRecord {
  readonly groups: readonly string[];
}

const END_MS_MAX = 20_000;
const POLL_MS = 5;

/** Joins every group that is named before `--`, then becomes what comes after it. To the kernel, 0 is the writer. */
const JOIN_SCRIPT = `while [ "$1" != -- ]; do echo 0 > "$1" || exit ${JOIN_FAILED}; shift; done; shift; exec "$@"`;

/** Finds out what this machine grants. */
export function createLimitKeeper(facts: LimitFacts = readFacts()): LimitKeeper {
  return new Keeper(findMeans(facts), facts.isRoot);
}

/** Ends what earlier `open`s for the folder have left, verified gone. Idempotent. */
export async function sweepLimits(folder: string): Promise<void> {
  await endGroups(recordedGroups(folder).map((group) => ({ folder: group })));
  rmSync(join(folder, LIMITS_FILE), { force: true });
}

/** For the reaper: groups that are left. */
export const limitsSweeper: Sweeper = {
  find: (folder) =>
    recordedGroups(folder)
      .filter((group) => existsSync(group))
      .map((group) => `control group ${group}`),
  sweep: sweepLimits,
};

class Keeper implements LimitKeeper {
  readonly #means: Means;
  readonly #isRoot: boolean;

  constructor(means: Means, isRoot: boolean) {
    this.#means = means;
    this.#isRoot = isRoot;
  }

  get means(): LimitsInForce {
    return this.#means.inForce;
  }

  open(folder: string, resources: Resources): Limits {
    const name = groupName(folder);
    const groups = this.#means.places.map(
      ({ version, parent, controllers }): GroupPlan => ({ version, folder: join(parent, name), controllers }),
    );
    // An earlier opener may have had another place; what it has left is to be found all the same.
    const all = new Set([...recordedGroups(folder), ...groups.map((group) => group.folder)]);
    writeLimitsRecord(folder, { groups: [...all] });
    try {
      for (const group of groups) makeAndLimit(group, resources);
    } catch (cause) {
      for (const group of groups) removeGroup(group);
      throw new NightshiftError("E_SANDBOX_UNAVAILABLE", `cannot limit the sandbox: ${messageOf(cause)}`, {
        cause,
        retryable: true,
      });
    }
    return new PodLimits({
      folder,
      groups,
      inForce: this.means,
      prlimit: this.#prlimitArguments(resources),
      processes: resources.processes,
    });
  }

  /**
   * Data, not address space: JavaScript engines reserve far more addresses than they use, and refuse to start
   * when they cannot.
   */
  #prlimitArguments({ memoryBytes, processes, fileBytes }: Resources): string[] {
    const { prlimit } = this.#means;
    if (prlimit === undefined) return [];
    const { memory, processes: byProcesses } = this.means;
    return [
      prlimit,
      `--fsize=${fileBytes}`,
      ...(memory === "prlimit" ? [`--data=${memoryBytes}`] : []),
      // The count is of all that the user runs, so what is there already is added.
      ...(byProcesses === "prlimit" && !this.#isRoot ? [`--nproc=${threadsOfUser() + processes}`] : []),
      "--",
    ];
  }
}

function makeAndLimit(group: GroupPlan, resources: Resources): void {
  makeGroup(group);
  if (group.controllers.includes("memory")) limitMemory(group, resources.memoryBytes);
  if (group.controllers.includes("pids")) limitProcesses(group, resources.processes);
  if (group.controllers.includes("cpu")) limitCpus(group, resources.cpus);
}

interface PodLimitsParts {
  readonly folder: string;
  readonly groups: readonly GroupPlan[];
  readonly inForce: LimitsInForce;
  readonly prlimit: readonly string[];
  readonly processes: number;
}

class PodLimits implements Limits {
  readonly inForce: LimitsInForce;
  readonly #folder: string;
  readonly #groups: readonly GroupPlan[];
  readonly #prlimit: readonly string[];
  readonly #processes: number;
  readonly #memory: GroupPlan | undefined;
  readonly #counting: GroupPlan | undefined;
  #killsSeen: number;

  constructor({ folder, groups, inForce, prlimit, processes }: PodLimitsParts) {
    this.#folder = folder;
    this.#groups = groups;
    this.inForce = inForce;
    this.#prlimit = prlimit;
    this.#processes = processes;
    this.#memory = groups.find(({ controllers }) => controllers.includes("memory"));
    this.#counting = groups.find(({ controllers }) => controllers.includes("pids"));
    this.#killsSeen = this.#kills();
  }

  wrap(argv: readonly string[]): readonly string[] {
    const bound = [...this.#prlimit, ...argv];
    if (this.#groups.length === 0) return bound;
    const files = this.#groups.map(joinFile);
    return ["/bin/sh", "-c", JOIN_SCRIPT, "join-limits", ...files, "--", ...bound];
  }

  tookMemoryKill(): boolean {
    if (this.#counting !== undefined) forgiveDead(this.#counting, this.#processes);
    const kills = this.#kills();
    const isNew = kills > this.#killsSeen;
    this.#killsSeen = kills;
    return isNew;
  }

  members(): readonly number[] {
    return [...new Set(this.#groups.flatMap(membersOf))];
  }

  async end(): Promise<void> {
    await endGroups(this.#groups);
    rmSync(join(this.#folder, LIMITS_FILE), { force: true });
  }

  #kills(): number {
    return this.#memory === undefined ? 0 : memoryKills(this.#memory);
  }
}

/**
 * The shell that joins is one thread. Version 1 takes it by itself, at once; to move all of a process, the kernel first
 * waits until no processor is in the middle of a fork, which takes longer than everything else that a pod needs of it.
 */
function joinFile({ version, folder }: GroupPlan): string {
  return join(folder, version === 1 ? "tasks" : "cgroup.procs");
}

async function endGroups(groups: readonly Pick<GroupPlan, "folder">[]): Promise<void> {
  const deadline = performance.now() + END_MS_MAX;
  for (let left = groups; ; await sleep(POLL_MS)) {
    for (const group of left) strike(group);
    left = left.filter((group) => !removeGroup(group));
    const [first] = left;
    if (first === undefined) return;
    if (performance.now() > deadline) {
      const pids = membersOf(first).join(", ");
      throw new NightshiftError("E_SANDBOX_UNAVAILABLE", `${first.folder} cannot be emptied (pids ${pids})`);
    }
  }
}

function groupName(folder: string): string {
  return `nightshift-${sandboxKey(folder)}`;
}

/** Only what bears the sandbox's own name: a damaged record must not lead to the processes of others. */
function recordedGroups(folder: string): string[] {
  try {
    const record = JSON.parse(readFileSync(join(folder, LIMITS_FILE), "utf8")) as LimitsRecord;
    return record.groups.filter((group) => basename(group) === groupName(folder));
  } catch {
    return [];
  }
}

/** Not synced: a loss of power takes the groups with it. */
function writeLimitsRecord(folder: string, record: LimitsRecord): void {
  const path = join(folder, LIMITS_FILE);
  writeFileSync(`${path}.new`, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Threads of this user, as the kernel counts them. */
function threadsOfUser(): number {
  const uid = process.getuid?.() ?? 0;
  let threads = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      if (Number(/^Uid:\t(\d+)/m.exec(status)?.[1]) !== uid) continue;
      threads += Number(/^Threads:\t(\d+)/m.exec(status)?.[1] ?? 1);
    } catch {
      // It ended in this moment.
    }
  }
  return threads;
}
