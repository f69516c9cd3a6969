/** A session's way out: the egress proxy that its sandboxes share, and what it has decided as events. */
import { type EventInput, event } from "../core/events/index.ts";
import type { Json } from "../core/text.ts";
import { EGRESS_LIMITS, type EgressConnection, type EgressRule } from "../gateway/egress/contract.ts";
import { readDecisions } from "../gateway/egress/decisions.ts";
import { ensureEgress, stopEgress } from "../gateway/egress/start.ts";

/** What one driver needs of it. */
export interface WayOut {
  /** Starts the proxy, or finds the one that runs. @returns its socket, for `SandboxSpec.egress` */
  open(signal: AbortSignal): Promise<string>;
  /** What was decided since the last call, or since what the log knows at the first. */
  news(knownBytes: number): EventInput[];
  /** Ends the proxy. */
  close(): Promise<void>;
  /** Leaves it to the next driver. */
  drop(): void;
}

/** @param folder - the session's own */
export function createWayOut(folder: string, rules: readonly EgressRule[], noContactMs: number): WayOut {
  return new SessionWayOut(folder, rules, noContactMs);
}

class SessionWayOut implements WayOut {
  readonly #folder: string;
  readonly #rules: readonly EgressRule[];
  readonly #noContactMs: number;
  #connection: EgressConnection | undefined;
  #readBytes: number | undefined;

  constructor(folder: string, rules: readonly EgressRule[], noContactMs: number) {
    this.#folder = folder;
    this.#rules = rules;
    this.#noContactMs = noContactMs;
  }

  async open(signal: AbortSignal): Promise<string> {
    this.drop();
    const policy = { rules: this.#rules, injections: [], limits: EGRESS_LIMITS };
    this.#connection = await ensureEgress({
      folder: this.#folder,
      policy,
      noContactMs: this.#noContactMs,
      signal,
    });
    return this.#connection.socket;
  }

  news(knownBytes: number): EventInput[] {
    const events: EventInput[] = [];
    for (let from = this.#readBytes ?? knownBytes; ; ) {
      const { lines, nextOffset: to } = readDecisions(this.#folder, from);
      if (lines.length === 0) break;
      const asJson = lines.map((line): { readonly [key: string]: Json } => ({ ...line }));
      events.push(event("egress.decided", { from, to, lines: asJson }));
      this.#readBytes = from = to;
    }
    return events;
  }

  async close(): Promise<void> {
    this.drop();
    await stopEgress(this.#folder);
  }

  drop(): void {
    this.#connection?.detach();
    this.#connection = undefined;
  }
}
