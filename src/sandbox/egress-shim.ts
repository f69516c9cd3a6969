/**
 * The near end of the way out: listens on loopback, where clients of HTTP proxies look, and pipes each connection to
 * the unix socket of the egress proxy. It reads nothing and decides nothing. Each connection looks the socket up by
 * its path, so a proxy that was started anew is reached at once.
 */
import { createServer, connect as dial, type Socket } from "node:net";
import { basename, dirname } from "node:path";
import { messageOf, NightshiftError } from "../core/errors.ts";
import { socketAddress } from "./daemon/record.ts";

/** The port that commands are told. */
export const EGRESS_SHIM_PORT = 3128;

/** The port of the model gateway; it is reached the same way. */
export const GATEWAY_SHIM_PORT = 3129;

const CONNECTIONS_MAX = 256;

/** Where the shim listens, and how to end it. */
export interface EgressShim {
  readonly port: number;
  close(): void;
}

/**
 * @param socket - absolute path of the proxy's socket; need not exist yet
 * @param port - on loopback; 0 chooses a free one
 * @throws NightshiftError `E_SANDBOX_UNAVAILABLE` when the port cannot be had
 */
export async function startEgressShim(socket: string, port: number = EGRESS_SHIM_PORT): Promise<EgressShim> {
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    clients.add(client);
    client.once("close", () => clients.delete(client));
    join(client, socket);
  });
  server.maxConnections = CONNECTIONS_MAX;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new NightshiftError("E_SANDBOX_UNAVAILABLE", `the way out cannot listen: ${messageOf(error)}`, {
          cause: error,
        }),
      ),
    );
    server.listen({ host: "127.0.0.1", port }, () => resolve());
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    close: () => {
      server.close();
      for (const client of clients) client.destroy();
    },
  };
}

/** The variables by which the usual clients find the proxy. */
export function egressEnvironment(port: number = EGRESS_SHIM_PORT): Readonly<Record<string, string>> {
  const url = `http://127.0.0.1:${port}`;
  return {
    HTTP_PROXY: url,
    HTTPS_PROXY: url,
    http_proxy: url,
    https_proxy: url,
    ALL_PROXY: url,
    npm_config_proxy: url,
    npm_config_https_proxy: url,
    YARN_HTTP_PROXY: url,
    YARN_HTTPS_PROXY: url,
    CARGO_HTTP_PROXY: url,
    NODE_USE_ENV_PROXY: "1",
    NO_PROXY: "localhost,127.0.0.1,::1",
    no_proxy: "localhost,127.0.0.1,::1",
  };
}

function join(client: Socket, socket: string): void {
  const address = socketAddress(dirname(socket), basename(socket));
  const proxy = dial({ path: address.path, allowHalfOpen: true });
  let isHeld = true;
  const release = (): void => {
    if (isHeld) address.release();
    isHeld = false;
  };
  proxy.once("connect", release).once("close", release);
  const fail = (): void => {
    client.destroy();
    proxy.destroy();
  };
  proxy.once("error", fail).once("close", () => client.end());
  client.once("error", fail).once("close", () => proxy.destroy());
  client.pipe(proxy);
  proxy.pipe(client);
}
