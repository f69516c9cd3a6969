/** The proxy itself: judges, writes down, then acts. Knows nothing of processes and folders. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { messageOf } from "../../core/errors.ts";
import { type Resolve, targetsOf } from "./addresses.ts";
import { BASE_URL_PREFIX, type EgressPolicy } from "./contract.ts";
import type { Decided, Deciding, DecisionLog } from "./decisions.ts";
import { forward, injectionFor, readDestination, sayNo } from "./forward.ts";
import { checkPolicy, judge, parseAuthority, type Wish } from "./rules.ts";
import { refuseTunnel, tunnel } from "./tunnel.ts";

/** What a proxy works with. */
export interface EgressProxyParts {
  readonly policy: EgressPolicy;
  readonly log: DecisionLog;
  readonly resolve: Resolve;
  /** Hears of errors of the proxy's own. */
  readonly note: (text: string) => void;
}

type Verdict =
  | { readonly verdict: "allowed"; readonly addresses: readonly string[]; readonly decided: Decided }
  | { readonly verdict: "refused"; readonly reason: string };

/** Serves one session. */
export class EgressProxy {
  readonly server: Server;
  readonly #parts: EgressProxyParts;
  readonly #clients = new Set<Duplex>();
  #policy: EgressPolicy;

  /** @throws NightshiftError `E_CONFIG` for a policy that is none */
  constructor(parts: EgressProxyParts) {
    checkPolicy(parts.policy);
    this.#parts = parts;
    this.#policy = parts.policy;
    const { limits } = parts.policy;
    this.server = createServer({
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.idleMs,
      requestTimeout: 0,
      keepAliveTimeout: limits.idleMs,
    });
    this.server.maxConnections = limits.connections;
    this.server.on("connection", (client) => this.#keep(client, limits.idleMs));
    this.server.on("request", (request, response) => {
      this.#onRequest(request, response).catch((error: unknown) => this.#fail(response, error));
    });
    this.server.on("connect", (request: IncomingMessage, client: Duplex, head: Buffer) => {
      client.on("error", () => undefined);
      this.#onConnect(request.url ?? "", client, head).catch((error: unknown) => {
        this.#parts.note(`a tunnel failed: ${messageOf(error)}`);
        client.destroy();
      });
    });
  }

  /** Replaces rules and secrets. What is under way was allowed by rules that no longer hold, so it is cut. */
  configure(policy: EgressPolicy): void {
    checkPolicy(policy);
    if (JSON.stringify(policy) === JSON.stringify(this.#policy)) return;
    this.#policy = policy;
    for (const client of this.#clients) client.destroy();
  }

  /** Cuts everything off. */
  close(): void {
    this.server.close();
    for (const client of this.#clients) client.destroy();
  }

  #keep(client: Duplex & { setTimeout(ms: number): unknown }, idleMs: number): void {
    this.#clients.add(client);
    client.once("close", () => this.#clients.delete(client));
    client.setTimeout(idleMs);
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const destination = readDestination(request.url ?? "");
    const method = request.method ?? "GET";
    if (destination === undefined) {
      return sayNo(
        response,
        400,
        `this is the egress proxy: ask it with an absolute URL, or as ${BASE_URL_PREFIX}<host>/<path>`,
      );
    }
    const { scheme, host, port, path } = destination;
    const policy = this.#policy;
    const injection = injectionFor(policy, host);
    const isBare = injection !== undefined && scheme === "http" && injection.allowPlainText !== true;
    const outcome = await this.#decide(
      policy,
      { host, port, request: { method, path } },
      isBare ? "this host gets a secret from the proxy, which goes over TLS only" : undefined,
    );
    if (outcome.verdict === "refused") {
      const remedy =
        isBare && outcome.reason.includes("TLS") ? `; ask for ${BASE_URL_PREFIX}${host}/ instead` : "";
      return sayNo(response, 403, `no way out to ${host}:${port}: ${outcome.reason}${remedy}`);
    }
    const { addresses, decided } = outcome;
    forward(request, response, { policy, destination, addresses, decided });
  }

  async #onConnect(authority: string, client: Duplex, head: Buffer): Promise<void> {
    const target = parseAuthority(authority);
    if (target === undefined) {
      return refuseTunnel(client, "400 Bad Request", "CONNECT needs host:port");
    }
    const policy = this.#policy;
    const { host } = target;
    const objection =
      injectionFor(policy, host) === undefined
        ? undefined
        : `this host gets a secret from the proxy, which a tunnel excludes: ask for ${BASE_URL_PREFIX}${host}/ instead`;
    const outcome = await this.#decide(policy, target, objection);
    if (outcome.verdict === "refused") {
      const reason = `no way out to ${host}:${target.port}: ${outcome.reason}`;
      return refuseTunnel(client, "403 Forbidden", reason);
    }
    const { addresses, decided } = outcome;
    tunnel(client, head, { ...target, addresses, limits: policy.limits, decided });
  }

  /** No name is looked up and no byte leaves before this has said yes and the yes is on disk. */
  async #decide(policy: EgressPolicy, wish: Wish, objection: string | undefined): Promise<Verdict> {
    const { host, port, request } = wish;
    const deciding: Omit<Deciding, "verdict" | "reason"> = {
      host,
      port,
      method: request?.method ?? "CONNECT",
      path: request?.path ?? "",
    };
    const refuse = async (reason: string): Promise<Verdict> => {
      await this.#parts.log.decide({ ...deciding, verdict: "refused", reason });
      return { verdict: "refused", reason };
    };
    const judgement = judge(policy.rules, wish);
    if (judgement.verdict === "refused") return refuse(judgement.reason);
    if (objection !== undefined) return refuse(objection);
    if (!this.#parts.log.hasRoom) return refuse("the record of decisions is full");
    const targets = await targetsOf(judgement.rule, host, this.#parts.resolve);
    if (targets.verdict === "refused") return refuse(targets.reason);
    const decided = await this.#parts.log.decide({
      ...deciding,
      verdict: "allowed",
      reason: judgement.rule.name,
    });
    return { verdict: "allowed", addresses: targets.addresses, decided };
  }

  #fail(response: ServerResponse, error: unknown): void {
    this.#parts.note(`a request failed: ${messageOf(error)}`);
    if (response.headersSent) response.destroy();
    else sayNo(response, 500, "the egress proxy failed");
  }
}
