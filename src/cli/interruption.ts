/** Ctrl-C, SIGTERM and a closed terminal: the first signal asks to leave, the second leaves at once. */
import { EXIT } from "./exit-codes.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** One of the signals that end a command. */
export type EndingSignal = (typeof SIGNALS)[number];

/** `128 + number`, as a shell reports it. */
const EXITS: { readonly [name in EndingSignal]: number } = {
  SIGINT: EXIT.interrupted,
  SIGTERM: EXIT.terminated,
  SIGHUP: EXIT.hungUp,
};

/** Listens until it is disposed of. */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  #onFirst: (leave: () => void, signal: EndingSignal) => void = (leave) => leave();
  #received: EndingSignal | null = null;

  constructor() {
    for (const name of SIGNALS) process.on(name, this.#receive);
  }

  /** Aborts when it is time to leave. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** By the first signal; null when there was none. */
  get exitCode(): number | null {
    return this.#received === null ? null : EXITS[this.#received];
  }

  /** @param onFirst - called at the first signal from now on; it, or somebody later, has to call `leave` */
  onFirst(onFirst: (leave: () => void, signal: EndingSignal) => void): void {
    this.#onFirst = onFirst;
  }

  [Symbol.dispose](): void {
    for (const name of SIGNALS) process.off(name, this.#receive);
  }

  readonly #receive = (name: EndingSignal): void => {
    if (this.#received !== null) process.exit(EXITS[name]);
    this.#received = name;
    this.#onFirst(() => this.#controller.abort(), name);
  };
}
