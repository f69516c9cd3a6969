/**
 * Pods: isolated sandboxes whose exec daemon stays outside. In the pod, process 1 is the *runner*: it starts commands
 * and works on files, and nothing else. The daemon, an ordinary process of the machine, keeps the journal, the epoch
 * floor and the token, and talks to the runner over one wire that commands cannot reach: the runner's file is
 * execute-only, so the kernel lets no process of the pod read its memory or descriptors, and nobody can kill process
 * 1 from within. When the wire breaks the runner ends, and with process 1 the kernel ends everything in the pod; when
 * the runner ends the daemon ends too. A launcher is what differs between backends.
 */
import type { Duplex } from "node:stream";
import type { Json } from "../../core/text.ts";
import type { SandboxSpec } from "../contract.ts";

/** One way to start pods. */
export interface PodLauncher {
  /**
   * Starts a pod whose runner talks on `wire`. Everything that must be found after a crash of this process is
   * recorded in `folder` before it exists. @throws NightshiftError `E_SANDBOX_UNAVAILABLE`
   */
  launch(spec: SandboxSpec, folder: string, signal: AbortSignal): Promise<Pod>;
  /** Ends whatever earlier launches for this folder have left behind, verified gone. Idempotent. */
  sweep(folder: string): Promise<void>;
}

/** A pod that runs. */
export interface Pod {
  /** To the runner; nobody else holds its other end. */
  readonly wire: Duplex;
  /** Which limits hold, and by what means, for people. */
  readonly limits: LimitsInForce;
  /** Settles once, when process 1 is gone; never rejects. */
  readonly ended: Promise<{ readonly reason: string }>;
  /** Has the kernel killed anything in it for want of memory since the last call? */
  tookMemoryKill(): boolean;
  /** Ends all of it, verified gone when it resolves. Idempotent. */
  end(): Promise<void>;
}

/** By what means each limit is held; `none` is said aloud. */
export interface LimitsInForce {
  readonly memory: LimitMeans;
  readonly processes: LimitMeans;
  readonly cpus: LimitMeans;
}

/** `prlimit` counts per process (memory) or per user (processes); a cgroup counts the pod. */
export type LimitMeans = "cgroup-v2" | "cgroup-v1" | "engine" | "prlimit" | "none";

/** What a launcher's module exports, for daemons that are told its address. */
export interface PodLauncherModule {
  /** @param settings - what the backend has put into the daemon's configuration */
  createPodLauncher(settings: Json): PodLauncher;
}

/** Where the folder of the egress proxy's socket is mounted in pods. */
export const INNER_EGRESS_FOLDER = "/run/nightshift/egress";

/** The same for the model gateway's. */
export const INNER_GATEWAY_FOLDER = "/run/nightshift/gateway";
