/** A session's way out: the egress proxy that its sandboxes share, and what it has decided as events. */
import type { Clock } from "../core/clock.ts";
import { type EventInput, event } from "../core/events/index.ts";
import type { Json } from "../core/text.ts";
import { EGRESS_LIMITS, type EgressInjection, type EgressRule } from "../gateway/egress/contract.ts";
import { readDecisions } from "../gateway/egress/decisions.ts";
import { type EgressKeeper, keepEgress } from "../gateway/egress/keeper.ts";
import { stopEgress } from "../gateway/egress/start.ts";

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

/** What a way out is made of. */
export interface WayOutParts {
  /** The session's own. */
  readonly folder: string;
  readonly rules: readonly EgressRule[];
  /** Secrets: they go to the proxy and nowhere else. */
  readonly injections: readonly EgressInjection[];
  readonly noContactMs: number;
  readonly clock: Clock;
}

/** Opens nothing yet. */
export function createWayOut(parts: WayOutParts): WayOut {
  return new SessionWayOut(parts);
}

/** What the proxy of a folder has decided, from a byte of its record on. */
export function decisionsAfter(
  folder: string,
  bytes: number,
  phase?: "set_up",
): EventInput<"egress.decided">[] {
  const events: EventInput<"egress.decided">[] = [];
  for (let from = bytes; ; ) {
    const { lines, nextOffset: to } = readDecisions(folder, from);
    if (lines.length === 0) return events;
    const asJson = lines.map((line): { readonly [key: string]: Json } => ({ ...line }));
    events.push(event("egress.decided", { from, to, ...(phase && { phase }), lines: asJson }));
    from = to;
  }
}

class SessionWayOut implements WayOut {
  readonly #parts: WayOutParts;
  #keeper: EgressKeeper | undefined;
  #readBytes: number | undefined;

  constructor(parts: WayOutParts) {
    this.#parts = parts;
  }

  async open(signal: AbortSignal): Promise<string> {
    this.drop();
    const { folder, rules, injections, noContactMs, clock } = this.#parts;
    const policy = { rules, injections, limits: EGRESS_LIMITS };
    // One that dies is started anew on the same socket, and what it had decided is on disk.
    const onTrouble = (): void => undefined;
    this.#keeper = await keepEgress({ folder, policy, noContactMs, signal, clock, onTrouble });
    return this.#keeper.socket;
  }

  news(knownBytes: number): EventInput[] {
    const events = decisionsAfter(this.#parts.folder, this.#readBytes ?? knownBytes);
    this.#readBytes = events.at(-1)?.body.to ?? this.#readBytes;
    return events;
  }

  async close(): Promise<void> {
    this.drop();
    await stopEgress(this.#parts.folder);
  }

  drop(): void {
    this.#keeper?.detach();
    this.#keeper = undefined;
  }
}
