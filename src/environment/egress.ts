/** The way out of fetches: to the registries, and to nothing else. */
import { existsSync, readdirSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import type { Chance } from "../core/clock.ts";
import {
  EGRESS_LIMITS,
  type EgressInjection,
  type EgressLine,
  type EgressRule,
} from "../gateway/egress/contract.ts";
import { DECISIONS_FILE, readDecisions } from "../gateway/egress/decisions.ts";
import { EGRESS_FILES } from "../gateway/egress/record.ts";
import { ensureEgress, stopEgress } from "../gateway/egress/start.ts";
import { tryLock } from "../sandbox/daemon/lock.ts";
import type { LayerTools, Registry } from "./contract.ts";
import { removeTree } from "./store.ts";

/** What a way out is opened with. */
export interface LayerEgressOptions {
  /** Absolute; each fetch gets a proxy with a folder of its own below it. */
  readonly folder: string;
  readonly chance: Chance;
  /** Credentials of registries that are marked as injected. */
  readonly injections: readonly EgressInjection[];
  /** Hosts whose addresses are given here are dialled there, even when the addresses are private. */
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
  readonly certificateAuthorities?: readonly string[];
  /** Gets every decision of a fetch when it is over. */
  readonly onDecided?: (lines: readonly EgressLine[]) => void;
}

const NO_CONTACT_MS = 30_000;

/** Opens ways out for {@link LayerTools}. */
export function layerEgress(options: LayerEgressOptions): LayerTools["openEgress"] {
  return async (registries, signal) => {
    removeDead(options.folder);
    const folder = join(options.folder, options.chance.unique(12));
    const policy = {
      rules: registryRules(registries, options.addresses ?? {}),
      injections: options.injections,
      limits: EGRESS_LIMITS,
      ...(options.certificateAuthorities === undefined
        ? {}
        : { certificateAuthorities: options.certificateAuthorities }),
    };
    const connection = await ensureEgress({ folder, policy, noContactMs: NO_CONTACT_MS, signal });
    return {
      socket: connection.socket,
      close: async () => {
        connection.detach();
        await stopEgress(folder);
        for (let offset = 0; options.onDecided !== undefined; ) {
          const { lines, nextOffset } = readDecisions(folder, offset);
          if (nextOffset === offset) break;
          options.onDecided(lines);
          offset = nextOffset;
        }
        removeTree(folder);
      },
    };
  };
}

/** Folders of proxies whose fetch has died: a proxy writes only under its lock, and the kernel frees that with it. */
function removeDead(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const place = join(folder, name);
    if (!existsSync(join(place, DECISIONS_FILE))) continue;
    const lock = tryLock(join(place, EGRESS_FILES.lock));
    if (lock === undefined) continue;
    removeTree(place);
    lock.close();
  }
}

/** One rule per host. Where methods can be seen, only those that fetch are allowed. */
export function registryRules(
  registries: readonly Registry[],
  addresses: Readonly<Record<string, readonly string[]>> = {},
): readonly EgressRule[] {
  const places = new Map<string, EgressRule>();
  for (const { url, fileHosts, isInjected } of registries) {
    const { protocol } = new URL(url.replace(/^sparse\+/, ""));
    for (const place of [url.replace(/^sparse\+/, ""), ...fileHosts.map((host) => `${protocol}//${host}/`)]) {
      const { hostname, port } = new URL(place);
      const host = isIP(hostname.slice(1, -1)) === 6 ? hostname.slice(1, -1) : hostname;
      const isVisible = protocol === "http:" || isInjected === true;
      const number = port === "" ? (protocol === "http:" ? 80 : 443) : Number(port);
      const pinned = addresses[host];
      places.set(`${host}:${number}`, {
        name: `registry ${host}`,
        host,
        port: number,
        ...(isVisible ? { methods: ["GET", "HEAD"] } : {}),
        ...(pinned === undefined ? {} : { addresses: pinned }),
      });
    }
  }
  return [...places.values()];
}
