/** Keeps a session's proxy alive: one that ends without having been told to is started anew on the same socket. */
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { EgressConnection, EgressPolicy } from "./contract.ts";
import { type EgressOptions, ensureEgress, stopEgress } from "./start.ts";

/** A proxy and who looks after it. */
export interface EgressKeeper {
  /** Absolute, the same for as long as the session lives. */
  readonly socket: string;
  /** Replaces rules and secrets; resolves when they hold. */
  configure(policy: EgressPolicy): Promise<void>;
  /** Leaves the proxy to the next harness. */
  detach(): void;
  /** Ends the proxy, verified dead. */
  stop(): Promise<void>;
}

/** What a keeper needs besides. */
export interface EgressKeeperOptions extends EgressOptions {
  readonly clock: Clock;
  /** Hears of every proxy that has died and been replaced, or could not be. */
  readonly onTrouble: (text: string) => void;
}

const RETRY_MS_FIRST = 50;
const RETRY_MS_MAX = 10_000;

/** Starts or finds the proxy and stays with it until it is left or stopped. @throws as {@link ensureEgress} */
export async function keepEgress(options: EgressKeeperOptions): Promise<EgressKeeper> {
  const connection = await ensureEgress(options);
  return new Keeper(options, connection);
}

class Keeper implements EgressKeeper {
  readonly socket: string;
  readonly #options: EgressKeeperOptions;
  readonly #over = new AbortController();
  readonly #watching: Promise<void>;
  #connection: EgressConnection;
  #policy: EgressPolicy;

  constructor(options: EgressKeeperOptions, connection: EgressConnection) {
    this.#options = options;
    this.#policy = options.policy;
    this.#connection = connection;
    this.socket = connection.socket;
    this.#watching = this.#watch();
  }

  async configure(policy: EgressPolicy): Promise<void> {
    const connection = await ensureEgress({ ...this.#options, policy });
    this.#policy = policy;
    connection.detach();
  }

  detach(): void {
    this.#over.abort();
    this.#connection.detach();
  }

  async stop(): Promise<void> {
    this.detach();
    await this.#watching;
    await stopEgress(this.#options.folder);
  }

  async #watch(): Promise<void> {
    while (!this.#over.signal.aborted) {
      await this.#connection.ended;
      if (this.#over.signal.aborted) return;
      this.#options.onTrouble("the egress proxy has ended; it is started anew");
      await this.#restart();
    }
  }

  async #restart(): Promise<void> {
    const { signal } = this.#over;
    for (let waitMs = RETRY_MS_FIRST; !signal.aborted; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        const connection = await ensureEgress({ ...this.#options, policy: this.#policy, signal });
        this.#connection = connection;
        if (signal.aborted) connection.detach();
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#options.onTrouble(`the egress proxy cannot be started anew: ${messageOf(error)}`);
        await this.#options.clock.sleep(waitMs, signal).catch(() => undefined);
      }
    }
  }
}
