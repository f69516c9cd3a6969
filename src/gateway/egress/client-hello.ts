/** Reads the server name out of the first bytes of a TLS connection. */

/** What the first bytes say. */
export type HelloReading =
  | { readonly status: "incomplete" }
  | { readonly status: "not_tls" }
  | { readonly status: "read"; readonly serverName: string | undefined };

const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const RECORD_BYTES_MAX = 16_384;

/** Longer greetings are none. */
export const HELLO_BYTES_MAX = 65_536;

/** Judges what has arrived so far; a greeting may be spread over records and packets. */
export function readClientHello(bytes: Buffer): HelloReading {
  const { status, message } = joinRecords(bytes);
  if (status === "not_tls") return { status };
  if (message.length >= 1 && message[0] !== CLIENT_HELLO) return { status: "not_tls" };
  const length = message.length < 4 ? Number.POSITIVE_INFINITY : message.readUIntBE(1, 3);
  if (length > HELLO_BYTES_MAX && Number.isFinite(length)) return { status: "not_tls" };
  if (message.length < 4 + length) return { status: "incomplete" };
  try {
    return { status: "read", serverName: serverNameOf(message.subarray(4, 4 + length)) };
  } catch {
    return { status: "not_tls" };
  }
}

function joinRecords(bytes: Buffer): { readonly status: "tls" | "not_tls"; readonly message: Buffer } {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const isRecord = bytes[at] === HANDSHAKE_RECORD && (bytes.length <= at + 1 || bytes[at + 1] === 3);
    if (!isRecord) return { status: "not_tls", message: Buffer.alloc(0) };
    if (bytes.length < at + 5) break;
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > RECORD_BYTES_MAX) return { status: "not_tls", message: Buffer.alloc(0) };
    parts.push(bytes.subarray(at + 5, at + 5 + length));
    at += 5 + length;
  }
  return { status: "tls", message: Buffer.concat(parts) };
}

/** Reading past the end throws, which makes it no greeting. */
function serverNameOf(hello: Buffer): string | undefined {
  let at = 2 + 32;
  at += 1 + hello.readUInt8(at);
  at += 2 + hello.readUInt16BE(at);
  at += 1 + hello.readUInt8(at);
  if (at === hello.length) return undefined;
  const end = at + 2 + hello.readUInt16BE(at);
  if (end > hello.length) throw new RangeError("extensions exceed the greeting");
  let name: string | undefined;
  for (at += 2; at < end; ) {
    const type = hello.readUInt16BE(at);
    const length = hello.readUInt16BE(at + 2);
    if (at + 4 + length > end) throw new RangeError("an extension exceeds the greeting");
    if (type === SERVER_NAME) {
      // A second name could be the one that the server heeds.
      if (name !== undefined) throw new RangeError("two server names");
      name = firstName(hello.subarray(at + 4, at + 4 + length));
    }
    at += 4 + length;
  }
  return name;
}

function firstName(list: Buffer): string {
  const length = list.readUInt16BE(3);
  if (list.readUInt16BE(0) !== list.length - 2 || list.readUInt8(2) !== 0 || length !== list.length - 5)
    throw new RangeError("not exactly one host name");
  return list.toString("latin1", 5, 5 + length).toLowerCase();
}
