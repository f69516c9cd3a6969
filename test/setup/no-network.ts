import net from "node:net";

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "::1", "0.0.0.0", "::"]);

/** Where a socket is about to connect to, or undefined when it is no TCP connection. */
function hostOf(connectArguments: readonly unknown[]): string | undefined {
  const first: unknown = Array.isArray(connectArguments[0]) ? connectArguments[0][0] : connectArguments[0];
  if (typeof first === "object" && first !== null) {
    const options = first as { path?: string; host?: string };
    return options.path === undefined ? (options.host ?? "localhost") : undefined;
  }
  if (typeof first === "string" && Number.isNaN(Number(first))) return undefined;
  return typeof connectArguments[1] === "string" ? connectArguments[1] : "localhost";
}

const connectUnguarded = net.Socket.prototype.connect;

function connectGuarded(this: net.Socket, ...connectArguments: unknown[]): net.Socket {
  const host = hostOf(connectArguments);
  if (host !== undefined && !LOOPBACK_HOSTS.has(host)) {
    throw new Error(`Tests run without network, but something connects to ${host}: use a fake on loopback.`);
  }
  return Reflect.apply(connectUnguarded, this, connectArguments) as net.Socket;
}

net.Socket.prototype.connect = connectGuarded as typeof connectUnguarded;
