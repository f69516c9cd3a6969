/**
 * `wake(sessionId)`: claim the lease, load, let `decide` drive, release. Stateless: any process may call it at any
 * time, any number of them at once; one drives, the others are told who does.
 */
import type { Clock } from "../core/clock.ts";
import { RENDERER } from "../core/context.ts";
import { NightshiftError } from "../core/errors.ts";
import type { EventBody } from "../core/events/index.ts";
import type { SessionId } from "../core/ids.ts";
import type { Redactor } from "../core/seal.ts";
import type { CallState, SessionState } from "../core/state.ts";
import type { HarnessProfile } from "../core/step.ts";
import type { SandboxBackend } from "../sandbox/contract.ts";
import type { Lease, Owner, Store } from "../store/contract.ts";
import type { Tool } from "../tool/contract.ts";
import type { Worker } from "../worker/contract.ts";
import type { OpenWorkspaces } from "./checkouts.ts";
import { SandboxConnections } from "./connections.ts";
import type { DayCaps } from "./day-tally.ts";
import { Deadlines } from "./deadlines.ts";
import { type DriveEnd, Driver } from "./driver.ts";
import { Journal } from "./journal.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { type Loaded, loadSession, verifyOlder } from "./load.ts";
import type { Notifier } from "./notify/contract.ts";
import type { SessionAttempts } from "./session-attempts.ts";
import type { SessionBranch } from "./session-branch.ts";
import type { SessionLayers } from "./session-layers.ts";
import type { SessionReferee } from "./session-referee.ts";
import type { SessionServices } from "./session-services.ts";
import type { WayOut } from "./way-out.ts";

export { LEASE_TTL_MS } from "./lease-keeper.ts";

/** After a failure of the harness itself, others wait this long before they try the session again. */
const FAILURE_PAUSE_MS = 60_000;

/** A harness: stateless code plus the seams it works through. */
export interface Harness {
  readonly store: Store;
  readonly clock: Clock;
  readonly owner: Owner;
  readonly redactor: Redactor;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly version: string;
  readonly leaseTtlMs: number;
  /** A snapshot at least every so many events. Default: 400. */
  readonly snapshotEvents?: number;
  /** On what all sessions of the store spend in a day (UTC); absent: none, and what is spent is not counted. */
  readonly dayCaps?: DayCaps;
  /** Who is told when a session rests; absent: nobody. */
  readonly notifier?: Notifier;
  /** Finds the backends that a session names, for this lease. @throws NightshiftError `E_BACKEND_UNKNOWN` */
  resolve(config: EventBody<"session.created">, lease: Lease): Promise<Hands>;
}

/** Backends that a session works with. */
export interface Hands {
  /** Null for sessions whose worker is a program. */
  readonly worker: Worker | null;
  readonly backend: SandboxBackend;
  /** For sessions with a checkout of their own; a harness without it has none of those. */
  readonly workspaces?: OpenWorkspaces;
  /** For sessions that may reach hosts; absent: none. */
  readonly wayOut?: WayOut;
  /** Dependencies and toolchain of the command that the session is about; absent: none. */
  readonly layers?: SessionLayers;
  /** For sessions with a contract; a harness without it has none of those. */
  readonly referee?: SessionReferee;
  /** For sessions whose work becomes a branch; a harness without it has none of those. */
  readonly branch?: SessionBranch;
  /** For sessions whose worker is a program; a harness without it has none of those. */
  readonly attempts?: SessionAttempts;
  /** For sandboxes with ports of their own; elsewhere services of a contract run beside its checks only. */
  readonly services?: SessionServices;
}

/** What a caller of {@link wake} may want to watch. */
export interface WakeOptions {
  /** Aborting gives the lease back soon; the session stays due and loses nothing. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (state: SessionState) => void;
  readonly onOutput?: (call: CallState, text: string) => void;
  readonly onProgramOutput?: (text: string) => void;
}

/** How a wake ended. */
export type WakeResult =
  | (DriveEnd & { readonly state: SessionState })
  /** Another harness drives this session. */
  | { readonly status: "held"; readonly owner: Owner; readonly expiresInMs: number };

/** Carries a session on from its log. @throws NightshiftError `E_SESSION_UNKNOWN`, `E_LOG_*`, `E_STORE_*` */
export async function wake(
  harness: Harness,
  sessionId: SessionId,
  options: WakeOptions = {},
): Promise<WakeResult> {
  const { store, clock, owner, leaseTtlMs } = harness;
  const claimedMs = clock.monotonicMs();
  const claim = await store.claim(sessionId, { owner, ttlMs: leaseTtlMs, at: clock.wallMs() });
  if (claim.status === "held") return claim;
  const { lease } = claim;
  const keeper = new LeaseKeeper({ store, lease, clock, ttlMs: leaseTtlMs, claimedMs });
  keeper.start();
  try {
    const loaded = await loadSession(store, sessionId);
    const { driver, journal } = await prepareDriver(harness, keeper, lease, loaded, options);
    const end = await driver.drive(options.signal ?? new AbortController().signal);
    return { ...end, state: journal.state };
  } catch (error) {
    await releaseAfterFailure(harness, lease);
    throw error;
  } finally {
    await keeper.stop();
  }
}

async function prepareDriver(
  harness: Harness,
  keeper: LeaseKeeper,
  lease: Lease,
  loaded: Loaded,
  options: WakeOptions,
): Promise<{ readonly driver: Driver; readonly journal: Journal }> {
  const { store, clock, redactor, tools, owner } = harness;
  const { config } = loaded.state;
  if (config === null)
    throw new NightshiftError("E_LOG_CORRUPT", `${lease.sessionId} does not begin with session.created`);
  const hands = await harness.resolve(config, lease);
  const { worker, backend, workspaces = noWorkspaces, wayOut = null, layers = null } = hands;
  const { referee = null, branch = null, attempts = null, services = null } = hands;
  const { snapshotEvents, dayCaps } = harness;
  const journal = new Journal(
    {
      ...{ store, lease, clock, redactor, owner: owner.harness, profile: profileOf(harness) },
      ...(snapshotEvents !== undefined && { snapshotEvents }),
      ...(dayCaps !== undefined && { dayCaps }),
    },
    loaded,
  );
  const connections = new SandboxConnections(backend, lease.epoch);
  const deadlines = new Deadlines(clock);
  const { unverified } = loaded;
  const verify = async (signal: AbortSignal): Promise<void> => {
    if (unverified !== null)
      await verifyOlder(store, lease.sessionId, unverified, () => clock.sleep(0, signal));
  };
  const { onProgress, onOutput, onProgramOutput } = options;
  const driver = new Driver({
    store,
    lease,
    clock,
    keeper,
    journal,
    performers: {
      ...{
        worker,
        tools,
        backend,
        workspaces,
        wayOut,
        layers,
        referee,
        branch,
        attempts,
        services,
        connections,
        deadlines,
        clock,
      },
      handoffs: { store, clock, workspaces },
      epoch: lease.epoch,
      notifier: harness.notifier ?? null,
      ...(onOutput && { onOutput }),
      ...(onProgramOutput && { onProgramOutput }),
    },
    verify,
    ...(onProgress && { onProgress }),
  });
  return { driver, journal };
}

async function noWorkspaces(): Promise<never> {
  throw new NightshiftError("E_BACKEND_UNKNOWN", "this harness was opened without workspaces");
}

function profileOf(harness: Harness): HarnessProfile {
  const tools = new Map([...harness.tools].map(([name, tool]) => [name, tool.description]));
  const { version, notifier } = harness;
  const targets = notifier === undefined ? {} : { targets: notifier.targets };
  return { version, renderer: RENDERER, renderers: [RENDERER], tools, ...targets };
}

/** The failure is the caller's to report; this only keeps the session from being blocked until the lease expires. */
async function releaseAfterFailure(harness: Harness, lease: Lease): Promise<void> {
  const due = harness.clock.wallMs() + FAILURE_PAUSE_MS;
  try {
    const record = await harness.store.getSession(lease.sessionId);
    if (record !== undefined) await harness.store.release(lease, { seq: record.seq, due });
  } catch {
    // The store itself is in trouble: the lease expires by itself.
  }
}
