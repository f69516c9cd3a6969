/**
 * The egress proxy: the only way out of a sandbox. One process per session, on the machine, outside of every sandbox
 * and outliving the harness. It listens on a unix socket that sandboxes get mounted; it resolves names itself, dials
 * what its rules name and nothing else, adds secrets that no sandbox may see, and writes every decision down before
 * it acts on it.
 */

/** Something that may be dialled. */
export interface EgressRule {
  /** For people and for the decisions that it makes. */
  readonly name: string;
  /** A host (`api.example.com`), everything below a domain (`*.example.com`, not the domain itself), or an address. */
  readonly host: string;
  readonly port: number;
  /** Upper case. Restricting methods or paths closes CONNECT, where neither can be seen. */
  readonly methods?: readonly string[];
  /** The path begins with these whole segments. */
  readonly path?: string;
  /**
   * Dial these and ask no name service. The only way to reach private, loopback or link-local addresses by name; a
   * rule whose host is such an address names it too.
   */
  readonly addresses?: readonly string[];
}

/** Headers that the proxy adds for one host, in place of what the client sent. */
export interface EgressInjection {
  /** Exactly this host. */
  readonly host: string;
  /** Secrets: they never leave the memory of the proxy but towards the host. */
  readonly headers: Readonly<Record<string, string>>;
  /** Without this, headers go over TLS only. */
  readonly allowPlainText?: boolean;
}

/** Bounds of one proxy. */
export interface EgressLimits {
  /** Of clients at the same time. */
  readonly connections: number;
  readonly headerBytes: number;
  /** Towards the host, per request or tunnel. */
  readonly sentBytes: number;
  /** From the host, per request or tunnel. */
  readonly receivedBytes: number;
  /** A connection on which nothing moves. */
  readonly idleMs: number;
  /** Of the file of decisions; when it is full nothing is allowed any more. */
  readonly decisionBytes: number;
  /** Decisions about one host that are written one by one in each window; further ones are counted. */
  readonly decisionsPerWindow: number;
  readonly windowMs: number;
}

/** What a session may use unless told otherwise. */
export const EGRESS_LIMITS: EgressLimits = {
  connections: 256,
  headerBytes: 32 * 1024,
  sentBytes: 256 * 1024 ** 2,
  receivedBytes: 4 * 1024 ** 3,
  idleMs: 120_000,
  decisionBytes: 64 * 1024 ** 2,
  decisionsPerWindow: 200,
  windowMs: 10_000,
};

/** All that a proxy is told. It goes over stdin or the control socket, never through arguments, environment or disk. */
export interface EgressPolicy {
  readonly rules: readonly EgressRule[];
  readonly injections: readonly EgressInjection[];
  readonly limits: EgressLimits;
  /** PEM; trusted in addition when the proxy itself speaks TLS (base-URL form). */
  readonly certificateAuthorities?: readonly string[];
}

/** One line of `decisions.jsonl`. */
export type EgressLine = EgressDecision | EgressTransfer | EgressRepetition;

/** On disk before the first byte goes out. */
export interface EgressDecision {
  readonly kind: "decision";
  /** Counts up within one file; a transfer refers to it. */
  readonly number: number;
  readonly at: string;
  readonly host: string;
  readonly port: number;
  /** `CONNECT` for tunnels. */
  readonly method: string;
  /** Without query; empty for tunnels. */
  readonly path: string;
  readonly verdict: "allowed" | "refused";
  /** Name of the rule, or why not. */
  readonly reason: string;
}

/** How an allowed request or tunnel went. Missing when the proxy died meanwhile. */
export interface EgressTransfer {
  readonly kind: "transfer";
  readonly number: number;
  readonly at: string;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Of the answer; null for tunnels and when there was none. */
  readonly status: number | null;
  /** Why it ended before its time, or null. */
  readonly cut: string | null;
}

/** Decisions and their transfers that were only counted, because they were too many. */
export interface EgressRepetition {
  readonly kind: "repetition";
  readonly at: string;
  /** `*` when there were too many hosts as well. */
  readonly host: string;
  readonly verdict: "allowed" | "refused";
  readonly count: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

/** A part of the file of decisions. */
export interface EgressReading {
  readonly lines: readonly EgressLine[];
  /** Where the next reading begins. Kept in the log with the lines, it makes each line appear there exactly once. */
  readonly nextOffset: number;
}

/** Where an injected HTTPS host is reached in plain text from inside: `http://127.0.0.1:3128/.to/<host>/<path>`. */
export const BASE_URL_PREFIX = "/.to/";

/** The port of the shim inside of sandboxes. */
export const SHIM_PORT = 3128;

/** A connection to a running proxy. Holding it is the contact without which the proxy ends after a while. */
export interface EgressConnection {
  /** Absolute; for `SandboxSpec.egress`. Its folder holds nothing else, and stays when the proxy is started anew. */
  readonly socket: string;
  /** One life of the process. */
  readonly incarnation: string;
  /** Settles when the proxy has ended or the connection is closed; never rejects. */
  readonly ended: Promise<{ readonly reason: "detached" | "proxy_gone" }>;
  /** Drops the connection; the proxy lives on. */
  detach(): void;
}
