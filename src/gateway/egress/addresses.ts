/** Addresses that a name may not lead to, and the choice of what is dialled. */
import { BlockList, isIP, isIPv4 } from "node:net";
import type { EgressRule } from "./contract.ts";

/** Asks a name service. Rejects when the name has no address. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** What may be dialled, or why nothing may. */
export type Targets =
  | { readonly verdict: "allowed"; readonly addresses: readonly string[] }
  | { readonly verdict: "refused"; readonly reason: string };

const CLOSED_V4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  // Carrier-grade NAT; one cloud's metadata service lives there.
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  // Link-local, with the metadata service of most clouds.
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  // Metadata and platform services on public addresses.
  ["168.63.129.16", 32],
];

/** Every IPv6 address outside of the global unicast range is closed; so are these within it. */
const CLOSED_V6: readonly (readonly [string, number])[] = [
  ["2001::", 32],
  ["2002::", 16],
];

const closed = new BlockList();
for (const [network, prefix] of CLOSED_V4) closed.addSubnet(network, prefix, "ipv4");
for (const [network, prefix] of CLOSED_V6) closed.addSubnet(network, prefix, "ipv6");
const globalV6 = new BlockList();
globalV6.addSubnet("2000::", 3, "ipv6");

/** Loopback, private, link-local, metadata, multicast and reserved addresses, also in IPv6 clothes. */
export function isClosedAddress(address: string): boolean {
  if (isIP(address) === 0) return true;
  if (isIPv4(address)) return closed.check(address, "ipv4");
  // Mapped and translated addresses (::ffff:, 64:ff9b::) lie outside of the global range.
  return !globalV6.check(address, "ipv6") || closed.check(address, "ipv6");
}

/**
 * What to dial for a host that a rule covers. The addresses that were checked are the ones to dial: asking again
 * could give others.
 */
export async function targetsOf(rule: EgressRule, host: string, resolve: Resolve): Promise<Targets> {
  if (rule.addresses !== undefined) return { verdict: "allowed", addresses: rule.addresses };
  if (isIP(host) !== 0) return { verdict: "allowed", addresses: [host] };
  let addresses: readonly string[];
  try {
    addresses = await resolve(host);
  } catch {
    addresses = [];
  }
  if (addresses.length === 0) return { verdict: "refused", reason: "the name has no address" };
  return addresses.some(isClosedAddress)
    ? { verdict: "refused", reason: "the name leads to a private, loopback or reserved address" }
    : { verdict: "allowed", addresses };
}
