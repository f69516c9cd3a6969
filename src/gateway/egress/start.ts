/** Starts, finds, watches and ends the egress proxy of a session. */
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, NightshiftError } from "../../core/errors.ts";
import { type DetachedOutcome, startDetached } from "../../sandbox/daemon/detached.ts";
import { killTree, MARKER_VARIABLE } from "../../sandbox/daemon/kill.ts";
import { bootId } from "../../sandbox/daemon/processes.ts";
import { openSandboxFolder } from "../../sandbox/daemon/record.ts";
import type { EgressConnection, EgressPolicy } from "./contract.ts";
import { ControlClient } from "./control.ts";
import type { EgressConfig, EgressStartReport } from "./main.ts";
import { EGRESS_FILES, egressMarker, readEgressRecord } from "./record.ts";
import { checkPolicy } from "./rules.ts";

/** What a proxy is started with. */
export interface EgressOptions {
  /** Absolute; the proxy's own, one per session. Made if it is missing. */
  readonly folder: string;
  readonly policy: EgressPolicy;
  /** The proxy ends itself after this long without a harness. */
  readonly noContactMs: number;
  readonly signal: AbortSignal;
}

const ATTEMPTS_MAX = 5;
const START_MS_MAX = 15_000;
const STOP_MS_MAX = 5_000;
const RETRY_MS = 25;

/** The entry, compiled or not, whichever this file is. */
const ENTRY: string = import.meta.url.endsWith(".ts") ? "./main.ts" : "./main.cjs";

/**
 * Connects to the proxy of a folder and gives it this policy; starts one when none lives. Afterwards the socket
 * serves, under the same path as ever.
 * @throws NightshiftError `E_CONFIG` for a policy that is none, `E_EGRESS_UNAVAILABLE`
 */
export async function ensureEgress(options: EgressOptions): Promise<EgressConnection> {
  const { policy, signal } = options;
  checkPolicy(policy);
  const folder = openEgressFolder(options.folder);
  const deadline = performance.now() + START_MS_MAX;
  let problem = "it did not answer";
  for (let attempt = 1; attempt <= ATTEMPTS_MAX && performance.now() < deadline; ) {
    signal.throwIfAborted();
    const client = await ControlClient.open(folder, signal);
    if (client !== undefined) {
      try {
        await client.call({ method: "configure", policy }, signal);
        return connectionOf(folder, client);
      } catch (error) {
        // It may have ended in this moment, because its time without a harness was over.
        client.close();
        signal.throwIfAborted();
        problem = messageOf(error);
        attempt++;
        continue;
      }
    }
    const outcome = await startProcess({ folder, policy, noContactMs: options.noContactMs }, signal);
    if (outcome.status === "failed" || outcome.status === "ended") {
      problem = outcome.message;
      attempt++;
    }
    // Another harness is starting one: then it answers soon.
    if (outcome.status === "busy") await sleep(RETRY_MS);
  }
  throw new NightshiftError("E_EGRESS_UNAVAILABLE", `the egress proxy cannot be started: ${problem}`, {
    retryable: true,
    hint: `Look into ${join(folder, EGRESS_FILES.log)}.`,
  });
}

/** Ends the proxy of a folder, verified dead. What it has decided stays on disk. Idempotent. */
export async function stopEgress(folder: string): Promise<void> {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return;
  const path = openEgressFolder(folder);
  const record = readEgressRecord(path);
  try {
    const limit = AbortSignal.timeout(STOP_MS_MAX);
    const client = await ControlClient.open(path, limit);
    await client?.call({ method: "stop" }, limit);
    await client?.ended;
  } catch {
    // Dead, or deaf: the marker finds its process.
  }
  // One that is about to end has no environment any more, and so no marker.
  const leader = record?.boot === bootId() ? { leader: record.process } : {};
  await killTree({ marker: egressMarker(path), ...leader }, 0);
  for (const name of [EGRESS_FILES.record, EGRESS_FILES.control]) rmSync(join(path, name), { force: true });
  rmSync(join(path, EGRESS_FILES.sockets, EGRESS_FILES.socket), { force: true });
}

function openEgressFolder(folder: string): string {
  try {
    return openSandboxFolder(folder);
  } catch (cause) {
    throw new NightshiftError("E_EGRESS_UNAVAILABLE", messageOf(cause), { cause });
  }
}

function connectionOf(folder: string, client: ControlClient): EgressConnection {
  let isDetached = false;
  client.unref();
  return {
    socket: join(folder, EGRESS_FILES.sockets, EGRESS_FILES.socket),
    incarnation: client.incarnation,
    ended: client.ended.then(() => ({ reason: isDetached ? "detached" : "proxy_gone" })),
    detach: () => {
      isDetached = true;
      client.close();
    },
  };
}

function startProcess(
  config: EgressConfig,
  signal: AbortSignal,
): Promise<DetachedOutcome<EgressStartReport>> {
  const { folder } = config;
  const entry = new URL(ENTRY, import.meta.url);
  const environment = { [MARKER_VARIABLE]: egressMarker(folder) };
  const log = join(folder, EGRESS_FILES.log);
  return startDetached<EgressStartReport>({ entry, folder, log, environment, config }, signal);
}
