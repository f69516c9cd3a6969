/** The way out of fetches: to the registries, and to nothing else. */
import { isIP } from "node:net";
import { EGRESS_LIMITS, type EgressInjection, type EgressRule } from "../gateway/egress/contract.ts";
import { ensureEgress, stopEgress } from "../gateway/egress/start.ts";
import type { LayerTools, Registry } from "./contract.ts";

/** What a way out is opened with. */
export interface LayerEgressOptions {
  /** Absolute; the proxy's own. What it decides stays on record there: `readDecisions` tells. */
  readonly folder: string;
  /** Credentials of registries that are marked as injected. */
  readonly injections: readonly EgressInjection[];
  /** Hosts whose addresses are given here are dialled there, even when the addresses are private. */
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
  readonly certificateAuthorities?: readonly string[];
}

const NO_CONTACT_MS = 30_000;

/** Opens ways out for {@link LayerTools}. */
export function layerEgress(options: LayerEgressOptions): LayerTools["openEgress"] {
  const { folder, injections, addresses = {}, certificateAuthorities } = options;
  return async (registries, signal) => {
    const policy = {
      rules: registryRules(registries, addresses),
      injections,
      limits: EGRESS_LIMITS,
      ...(certificateAuthorities === undefined ? {} : { certificateAuthorities }),
    };
    const connection = await ensureEgress({ folder, policy, noContactMs: NO_CONTACT_MS, signal });
    return {
      socket: connection.socket,
      close: async () => {
        connection.detach();
        await stopEgress(folder);
      },
    };
  };
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
