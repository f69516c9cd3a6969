/** Finds the best means that this machine grants for each limit. */
import { accessSync, constants, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { LimitMeans, LimitsInForce } from "../pod/contract.ts";
import type { Controller } from "./control-group.ts";
import { findHierarchies, type Hierarchy } from "./hierarchies.ts";

/** What of the machine decides; injected by tests. */
export interface LimitFacts {
  /** As in /proc/self/mountinfo. */
  readonly mountInfo: string;
  /** As in /proc/self/cgroup. */
  readonly membership: string;
  /** Absolute path of `prlimit`, if there is one. */
  readonly prlimit: string | undefined;
  readonly isRoot: boolean;
}

/** A folder below which our groups are made, and for what. */
export interface Place {
  readonly version: 1 | 2;
  readonly parent: string;
  readonly controllers: readonly Controller[];
}

/** Everything that limits are made of here. */
export interface Means {
  readonly places: readonly Place[];
  readonly prlimit: string | undefined;
  readonly inForce: LimitsInForce;
}

const CONTROLLERS: readonly Controller[] = ["memory", "pids", "cpu"];
const PRLIMIT_PATHS: readonly string[] = ["/usr/bin/prlimit", "/bin/prlimit", "/usr/local/bin/prlimit"];

/** What this machine says. */
export function readFacts(): LimitFacts {
  return {
    mountInfo: readOrEmpty("/proc/self/mountinfo"),
    membership: readOrEmpty("/proc/self/cgroup"),
    prlimit: PRLIMIT_PATHS.find((path) => mayAccess(path, constants.X_OK)),
    isRoot: process.geteuid?.() === 0,
  };
}

/** Looks at what may be written; makes nothing but, in version 2, a controller available to new groups. */
export function findMeans(facts: LimitFacts): Means {
  const hierarchies = findHierarchies(facts.mountInfo, facts.membership);
  const second = placeInVersion2(hierarchies.find(({ version }) => version === 2));
  const missing = CONTROLLERS.filter((controller) => !second?.controllers.includes(controller));
  const places = [...(second === undefined ? [] : [second]), ...placesInVersion1(hierarchies, missing)];
  const meansOf = (controller: Controller, otherwise: LimitMeans): LimitMeans => {
    const place = places.find(({ controllers }) => controllers.includes(controller));
    return place === undefined ? otherwise : `cgroup-v${place.version}`;
  };
  const weak: LimitMeans = facts.prlimit === undefined ? "none" : "prlimit";
  const inForce: LimitsInForce = {
    memory: meansOf("memory", weak),
    // The kernel does not count the processes of root.
    processes: meansOf("pids", facts.isRoot ? "none" : weak),
    cpus: meansOf("cpu", "none"),
  };
  return { places, prlimit: facts.prlimit, inForce };
}

/**
 * A group with processes can have no children with limits (but for the topmost of the machine), so ours become
 * siblings of our own group, or of one further up, as far up as this user may write. Of those places the one that
 * holds most, and of equals the nearest.
 */
function placeInVersion2(hierarchy: Hierarchy | undefined): Place | undefined {
  if (hierarchy === undefined) return undefined;
  let best: Place | undefined;
  for (const parent of foldersUpTo(hierarchy.own, hierarchy.top)) {
    if (!mayMakeGroups(parent)) break;
    const controllers = CONTROLLERS.filter((controller) => isGivenToChildren(parent, controller));
    if (controllers.length > (best?.controllers.length ?? 0)) best = { version: 2, parent, controllers };
  }
  return best;
}

function placesInVersion1(hierarchies: readonly Hierarchy[], wanted: readonly Controller[]): Place[] {
  const places: Place[] = [];
  for (const { version, controllers, own } of hierarchies) {
    const held = wanted.filter((controller) => controllers.includes(controller));
    const isNew = !places.some((place) => place.parent === own);
    if (version === 1 && held.length > 0 && isNew && mayMakeGroups(own)) {
      places.push({ version, parent: own, controllers: held });
    }
  }
  return places;
}

function foldersUpTo(from: string, top: string): string[] {
  const folders = [from];
  for (let each = from; each !== top && each !== "/"; ) {
    each = dirname(each);
    folders.push(each);
  }
  return folders;
}

/** Moving a process needs the right to write to the group above both ends, too; that is this one. */
function mayMakeGroups(parent: string): boolean {
  return mayAccess(parent, constants.W_OK) && mayAccess(join(parent, "cgroup.procs"), constants.W_OK);
}

function isGivenToChildren(parent: string, controller: Controller): boolean {
  const file = join(parent, "cgroup.subtree_control");
  if (wordsOf(file).includes(controller)) return true;
  if (!wordsOf(join(parent, "cgroup.controllers")).includes(controller)) return false;
  try {
    writeFileSync(file, `+${controller}`, { flag: "r+" });
  } catch {
    return false;
  }
  return wordsOf(file).includes(controller);
}

function wordsOf(path: string): string[] {
  return readOrEmpty(path).trim().split(/\s+/);
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function mayAccess(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}
