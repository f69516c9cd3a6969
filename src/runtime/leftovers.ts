/** Everything that sessions have left on the machine and no longer need: pods, processes, limits, files, proxies. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import type { SessionId } from "../core/ids.ts";
import { refereeSandboxPrefix } from "../referee/sandboxes.ts";
import { createReaper } from "../sandbox/reaper/reaper.ts";
import type { Store } from "../store/contract.ts";
import type { Workspaces } from "../workspace/contract.ts";
import { loadState } from "./load.ts";
import { backendNames, sweepersOf } from "./registry.ts";

/** Something that may go. */
export interface Leftover {
  readonly kind: "sandbox" | "workspace" | "proxy";
  /** For people. */
  readonly description: string;
  /** Removes it, verified gone. @returns false when it is in use again */
  remove(): Promise<boolean>;
}

/** Where to look. */
export interface LeftoverParts {
  readonly store: Store;
  /** Absolute. */
  readonly stateFolder: string;
  readonly workspaces: Workspaces;
}

const PAGE = 1000;
/** A layer that was found a moment ago is about to be mounted. */
const LAYER_GRACE_MS = 10 * 60_000;

/** What belongs to no session of this state folder, or to one that no longer needs it. */
export async function findLeftovers(parts: LeftoverParts): Promise<Leftover[]> {
  const sessions = await allSessions(parts.store);
  return [
    ...(await ofSandboxes(parts, sessions)),
    ...(await ofWorkspaces(parts, sessions)),
    ...ofProxies(parts, sessions),
  ];
}

async function allSessions(store: Store): Promise<ReadonlySet<SessionId>> {
  const all = new Set<SessionId>();
  for (let after: SessionId | undefined; ; ) {
    const page = await store.listSessions({ limit: PAGE, ...(after !== undefined && { after }) });
    for (const { sessionId } of page) all.add(sessionId);
    after = page.at(-1)?.sessionId;
    if (after === undefined || page.length < PAGE) return all;
  }
}

async function ofSandboxes(
  { store, stateFolder }: LeftoverParts,
  sessions: ReadonlySet<SessionId>,
): Promise<Leftover[]> {
  const isWanted = async (id: string): Promise<boolean> => {
    const session = [...sessions].find((each) => id.startsWith(`sbox_${each.slice("sesn_".length)}_`));
    if (session === undefined) return false;
    if (id.startsWith(refereeSandboxPrefix(session))) return (await store.getSession(session))?.held === true;
    return (await loadState(store, session)).sandbox?.id === id;
  };
  const found: Leftover[] = [];
  for (const backend of backendNames("sandbox")) {
    const reaper = createReaper(join(stateFolder, "sandboxes", backend), await sweepersOf(backend));
    for (const leftover of await reaper.findLeftovers(isWanted)) {
      found.push({
        kind: "sandbox",
        description: `${backend} ${leftover.id} (${leftover.state}): ${leftover.found.join(", ")}`,
        remove: () => reaper.removeLeftover(leftover),
      });
    }
  }
  return found;
}

async function ofWorkspaces(
  { workspaces }: LeftoverParts,
  sessions: ReadonlySet<SessionId>,
): Promise<Leftover[]> {
  const leftovers = await workspaces.findLeftovers(sessions);
  return leftovers.map((leftover) => ({
    kind: "workspace",
    description: `${leftover.kind} ${leftover.path}`,
    remove: async () => {
      await workspaces.removeLeftover(leftover);
      return true;
    },
  }));
}

/** Proxies of sessions that go on end by themselves when nobody drives. */
function ofProxies({ stateFolder }: LeftoverParts, sessions: ReadonlySet<SessionId>): Leftover[] {
  const root = join(stateFolder, "egress");
  const unknown = listed(root).filter((name) => name.startsWith("sesn_") && !sessions.has(ownerOf(name)));
  return unknown.map((name) => ({
    kind: "proxy",
    description: join(root, name),
    remove: async () => {
      const { stopEgress } = await import("../gateway/egress/start.ts");
      await stopEgress(join(root, name));
      rmSync(join(root, name), { recursive: true, force: true });
      return true;
    },
  }));
}

/** A session has two at the most: that of its commands, and that of its set-ups. */
function ownerOf(name: string): SessionId {
  return name.replace(/\..*$/, "") as SessionId;
}

/**
 * Removes dependency layers, the longest unused first, until the rest needs at most so many bytes; none that is in use.
 * @returns how many
 */
export async function trimLayers(stateFolder: string, clock: Clock, bytesMax: number): Promise<number> {
  const folder = join(stateFolder, "layers");
  if (!existsSync(folder)) return 0;
  const { LayerStore } = await import("../environment/index.ts");
  return new LayerStore(folder).collect({ bytesMax, graceMs: LAYER_GRACE_MS, clock }).length;
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
