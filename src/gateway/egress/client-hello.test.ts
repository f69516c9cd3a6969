import { Duplex } from "node:stream";
import { connect as secureConnect } from "node:tls";
import { describe, expect, test } from "vitest";
import { readClientHello } from "./client-hello.ts";

/** What a real client says first. */
async function greeting(servername: string | undefined): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => {
        resolve(chunk);
        done();
      },
    });
    const client = secureConnect({ socket: wire, ...(servername === undefined ? {} : { servername }) });
    client.on("error", () => undefined);
  });
}

/** The same message in records of a few bytes each. */
function inSmallRecords(hello: Buffer, size: number): Buffer {
  const body = hello.subarray(5);
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size);
    const header = Buffer.from([22, 3, 1, 0, 0]);
    header.writeUInt16BE(part.length, 3);
    parts.push(header, part);
  }
  return Buffer.concat(parts);
}

describe("the server name", () => {
  test("is read, in lower case", async () => {
    expect(readClientHello(await greeting("Allowed.test"))).toEqual({
      status: "read",
      serverName: "allowed.test",
    });
  });

  test("may be missing", async () => {
    expect(readClientHello(await greeting(undefined))).toEqual({ status: "read", serverName: undefined });
  });

  test("is read out of many small records", async () => {
    const hello = inSmallRecords(await greeting("allowed.test"), 7);
    expect(readClientHello(hello)).toEqual({ status: "read", serverName: "allowed.test" });
  });

  test("is waited for byte by byte", async () => {
    const hello = await greeting("allowed.test");
    for (let length = 0; length < hello.length; length++) {
      expect(readClientHello(hello.subarray(0, length)).status, String(length)).toBe("incomplete");
    }
  });
});

describe("no greeting", () => {
  test.each([
    ["plain HTTP", Buffer.from("GET / HTTP/1.1\r\n")],
    ["SSH", Buffer.from("SSH-2.0-client\r\n")],
    ["another record", Buffer.from([23, 3, 3, 0, 1, 0])],
    ["another message", Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0])],
    ["an empty record", Buffer.from([22, 3, 1, 0, 0])],
    ["a message that is too long", Buffer.from([22, 3, 1, 0, 4, 1, 255, 255, 255])],
    ["lengths that lead out of it", Buffer.from([22, 3, 1, 0, 6, 1, 0, 0, 2, 3, 3])],
  ])("is %s", (_what, bytes) => {
    expect(readClientHello(bytes).status).toBe("not_tls");
  });

  test("names two servers", async () => {
    const hello = await greeting("allowed.test");
    const at = hello.indexOf("allowed.test") - 9;
    const extension = hello.subarray(at, at + 9 + "allowed.test".length);
    const extensionsAt = findExtensions(hello);
    const doubled = Buffer.concat([
      hello.subarray(0, extensionsAt + 2),
      extension,
      hello.subarray(extensionsAt + 2),
    ]);
    doubled.writeUInt16BE(doubled.readUInt16BE(extensionsAt) + extension.length, extensionsAt);
    doubled.writeUIntBE(doubled.length - 9, 6, 3);
    doubled.writeUInt16BE(doubled.length - 5, 3);
    expect(readClientHello(doubled).status).toBe("not_tls");
  });
});

function findExtensions(hello: Buffer): number {
  let at = 9 + 2 + 32;
  at += 1 + hello.readUInt8(at);
  at += 2 + hello.readUInt16BE(at);
  return at + 1 + hello.readUInt8(at);
}
