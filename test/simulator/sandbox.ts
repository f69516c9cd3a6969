/** The simulated sandbox backend: where daemons live, and how a process reaches them through its seams. */
import { NightshiftError } from "../../src/core/errors.ts";
import { asSessionId, type ExecId, type SandboxId, type SessionId } from "../../src/core/ids.ts";
import type { Fence, Sandbox, SandboxBackend, SandboxSpec } from "../../src/sandbox/contract.ts";
import type { CheckoutHost, Files } from "./checkouts.ts";
import { Daemon, type DaemonJournal, type DaemonLine, type EffectObserver, lost } from "./daemon.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Trace } from "./trace.ts";
import { Workspace } from "./workspace.ts";

/** What the place for sandboxes needs. */
export interface SandboxHostParts {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly trace: Trace;
  readonly observer: EffectObserver;
  readonly checkouts: CheckoutHost;
  /** A daemon begins with the files of a checkout. */
  readonly onBegin: (session: SessionId, files: Files, epoch: number) => void;
}

/** All sandboxes there are. They belong to no harness: what dies with one is only its lines. */
export class SandboxHost {
  readonly #parts: SandboxHostParts;
  readonly #daemons = new Map<SandboxId, Daemon>();
  readonly #journals = new Map<SandboxId, DaemonJournal>();
  readonly #workspaces = new Map<SessionId, Workspace>();
  readonly #floors = new Map<string, number>();
  #incarnations = 0;

  constructor(parts: SandboxHostParts) {
    this.#parts = parts;
  }

  /** Ids of the sandboxes with a live daemon. */
  live(): SandboxId[] {
    return [...this.#daemons].filter(([, daemon]) => daemon.isAlive).map(([id]) => id);
  }

  isRunning(exec: ExecId): boolean {
    return [...this.#daemons.values()].some((daemon) => daemon.isAlive && daemon.isRunning(exec));
  }

  find(id: SandboxId): Daemon | undefined {
    const daemon = this.#daemons.get(id);
    return daemon?.isAlive ? daemon : undefined;
  }

  /** @param epoch - of the lease of whoever wants it */
  provision(spec: SandboxSpec, epoch: number): Daemon {
    const existing = this.find(spec.id);
    if (existing !== undefined) return existing;
    const { scheduler, trace, observer, checkouts, onBegin } = this.#parts;
    const journal = this.#journals.get(spec.id) ?? { floor: 0, incarnations: new Map() };
    this.#journals.set(spec.id, journal);
    const incarnation = `i${++this.#incarnations}`;
    const onAlone = (): void => {
      trace.note("daemon", "ends", `${incarnation}: no contact`);
      daemon.die();
    };
    const session = sessionOf(spec.id);
    const own = checkouts.at(spec.workspace);
    const workspace = own ?? this.workspace(session);
    if (own !== undefined) onBegin(session, own.files, epoch);
    const daemon = new Daemon({ spec, incarnation, journal, workspace, scheduler, observer, onAlone });
    this.#daemons.set(spec.id, daemon);
    trace.note("daemon", "starts", incarnation);
    return daemon;
  }

  /** As every backend keeps it: an epoch that has ended makes and ends nothing. */
  raiseFloor(fence: Fence | undefined): void {
    if (fence === undefined) return;
    const floor = this.#floors.get(fence.session) ?? 0;
    if (fence.epoch < floor)
      throw new NightshiftError("E_SANDBOX_STALE", `epoch ${fence.epoch} is below ${floor}`);
    this.#floors.set(fence.session, fence.epoch);
  }

  /** Kills the daemon of a session. @returns whether there was one */
  kill(session: SessionId, forgets: boolean): boolean {
    for (const [id, daemon] of this.#daemons) {
      if (sessionOf(id) !== session || !daemon.isAlive) continue;
      daemon.die();
      if (forgets) this.#journals.delete(id);
      this.#parts.trace.note("daemon", forgets ? "forgets" : "dies", daemon.incarnation);
      return true;
    }
    return false;
  }

  destroy(id: SandboxId): void {
    const daemon = this.find(id);
    if (daemon !== undefined) this.#parts.trace.note("daemon", "destroyed", daemon.incarnation);
    daemon?.die();
    this.#daemons.delete(id);
    this.#journals.delete(id);
  }

  workspace(session: SessionId): Workspace {
    const workspace = this.#workspaces.get(session) ?? new Workspace();
    this.#workspaces.set(session, workspace);
    return workspace;
  }

  /** Provisioning takes its time, whatever becomes of the harness that wants it. */
  makeRoom(): Promise<void> {
    const { random, scheduler } = this.#parts;
    const ms = random.chance(0.7) ? 50 : random.between(100, 5000);
    return new Promise((resolve) => scheduler.after(ms, resolve));
  }
}

/** Sees what harnesses do to sandboxes. */
export interface SandboxWatch {
  /** A harness with the lease of this epoch has attached. */
  onAttach(session: SessionId, epoch: number): void;
  /** A harness makes or ends a sandbox. */
  onSandbox(session: SessionId, sandbox: SandboxId, what: "provision" | "destroy"): void;
  /** It has done so. */
  onChanged(session: SessionId, sandbox: SandboxId, epoch: number): void;
}

/** The backend as one process sees it while it holds one lease. */
export class SimulatedBackend implements SandboxBackend {
  readonly kind = "simulated";
  readonly #host: SandboxHost;
  readonly #process: Process;
  readonly #watch: SandboxWatch;
  readonly #leaseEpoch: number;

  constructor(host: SandboxHost, process: Process, watch: SandboxWatch, leaseEpoch: number) {
    this.#host = host;
    this.#process = process;
    this.#watch = watch;
    this.#leaseEpoch = leaseEpoch;
  }

  provision: SandboxBackend["provision"] = (spec, signal) => {
    const session = sessionOf(spec.id);
    const make = async (): ReturnType<SandboxBackend["provision"]> => {
      this.#watch.onSandbox(session, spec.id, "provision");
      this.#host.raiseFloor(spec.fence);
      await abortable(this.#host.makeRoom(), signal);
      this.#host.raiseFloor(spec.fence);
      this.#watch.onChanged(session, spec.id, this.#leaseEpoch);
      const daemon = this.#host.provision(spec, this.#leaseEpoch);
      return { handle: { sandbox: spec.id }, incarnation: daemon.incarnation };
    };
    return this.#process.call("provision", session, make, UNAVAILABLE, signal);
  };

  attach: SandboxBackend["attach"] = (handle, epoch, signal) => {
    const id = String(handle.sandbox) as SandboxId;
    const session = sessionOf(id);
    // Whoever gives up waiting closes the connection; a call that fails in transit takes it along.
    let hangUp = (): void => undefined;
    const open = async (): Promise<Sandbox> => {
      const daemon = this.#host.find(id);
      if (daemon === undefined) throw lost(id);
      const line = daemon.attach(epoch, this.#leaseEpoch);
      hangUp = () => daemon.detach(line);
      this.#watch.onAttach(session, this.#leaseEpoch);
      return new SimulatedSandbox(id, daemon, line, this.#process);
    };
    const errors = { refused: () => lost(id), lost: () => lost(id) };
    return this.#process.call("attach", session, open, errors, signal).catch((error: unknown) => {
      hangUp();
      throw error;
    });
  };

  destroy: SandboxBackend["destroy"] = (id, _handle, fence) => {
    const session = sessionOf(id);
    const end = async (): Promise<void> => {
      this.#watch.onSandbox(session, id, "destroy");
      this.#host.raiseFloor(fence);
      this.#watch.onChanged(session, id, this.#leaseEpoch);
      this.#host.destroy(id);
    };
    return this.#process.call("destroy", session, end, UNAVAILABLE);
  };
}

const unavailable = (): NightshiftError =>
  new NightshiftError("E_SANDBOX_UNAVAILABLE", "no sandbox can be had now", { retryable: true });
const UNAVAILABLE = { refused: unavailable, lost: unavailable };

class SimulatedSandbox implements Sandbox {
  readonly id: SandboxId;
  readonly incarnation: string;
  readonly #daemon: Daemon;
  readonly #line: DaemonLine;
  readonly #process: Process;
  readonly #session: SessionId;

  constructor(id: SandboxId, daemon: Daemon, line: DaemonLine, process: Process) {
    this.id = id;
    this.incarnation = daemon.incarnation;
    this.#daemon = daemon;
    this.#line = line;
    this.#process = process;
    this.#session = sessionOf(id);
    process.onDeath(() => daemon.detach(line));
  }

  execute: Sandbox["execute"] = (request, { signal, onOutput }) => {
    const tell = (text: string): void => this.#process.run(() => onOutput?.(text));
    const wait = (): ReturnType<Sandbox["execute"]> =>
      this.#unlessBroken(this.#daemon.execute(this.#line, request, tell), signal);
    return this.#process.call("execute", this.#session, wait, this.#errors(), signal);
  };

  prepare: Sandbox["prepare"] = (operation, input, signal) => {
    const look = async (): ReturnType<Sandbox["prepare"]> => {
      this.#daemon.check(this.#line);
      return this.#daemon.prepare(operation, input);
    };
    return this.#process.call("prepare", this.#session, look, this.#errors(), signal);
  };

  cancel: Sandbox["cancel"] = (execId) => {
    const kill = async (): Promise<void> => this.#daemon.cancel(this.#line, execId);
    return this.#process.call("cancel", this.#session, kill, this.#errors());
  };

  detach(): void {
    this.#daemon.detach(this.#line);
  }

  /** A call that fails in transit takes the connection with it. */
  #errors(): { readonly refused: () => unknown; readonly lost: () => unknown } {
    const hangUp = (): unknown => {
      this.#daemon.detach(this.#line);
      return lost(this.id);
    };
    return { refused: hangUp, lost: hangUp };
  }

  #unlessBroken<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
    return abortable(answer, AbortSignal.any([signal, this.#line.broken.signal]));
  }
}

/** An execution that is a service of a contract, or the look whether it is ready; undefined for any other. */
export function serviceOf(
  exec: ExecId,
): { readonly session: SessionId; readonly sandbox: SandboxId; readonly hash: string } | undefined {
  const [, sandbox, hash] = /^(sbox_[^/]+)\/service\/worker-([0-9a-f]{12})\./.exec(exec) ?? [];
  if (sandbox === undefined || hash === undefined) return undefined;
  const id = sandbox as SandboxId;
  return { session: sessionOf(id), sandbox: id, hash };
}

/** The session that a sandbox belongs to: its id tells. */
export function sessionOf(id: SandboxId): SessionId {
  return asSessionId(`sesn_${id.slice("sbox_".length, id.lastIndexOf("_"))}`);
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
