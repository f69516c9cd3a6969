/** Somebody outside who counts effects: each command asks it once, and it can make them wait. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** Counts by number of the effect. */
export class EffectCounter {
  readonly #counts = new Map<number, number>();
  readonly #server: Server;
  readonly #held = new Map<number, (() => void)[]>();

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => {
      const number = Number((request.url ?? "").split("/").at(-1));
      this.#counts.set(number, this.count(number) + 1);
      const answer = (): void => void response.end();
      const waiting = this.#held.get(number);
      if (waiting === undefined) answer();
      else waiting.push(answer);
    });
  }

  static async start(): Promise<EffectCounter> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
    return new EffectCounter(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How often it happened. */
  count(number: number): number {
    return this.#counts.get(number) ?? 0;
  }

  /** Answers nobody who asks for it, until it is let go. */
  hold(number: number): void {
    this.#held.set(number, []);
  }

  /** Answers those who wait, and whoever comes. */
  letGo(): void {
    const held = [...this.#held.values()].flat();
    this.#held.clear();
    for (const answer of held) answer();
  }

  close(): void {
    this.letGo();
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
