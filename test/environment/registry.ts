/** A registry of every kind on loopback, with packages made on the spot. */
import { createHash, hash } from "node:crypto";
import { createServer, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { TEST_CERTIFICATE, TEST_KEY } from "../support/certificate.ts";
import { type Tree, tarball, zip } from "./archives.ts";

/** The name by which clients know it; the egress proxy is told its address. */
export const REGISTRY_HOST = "packages.test";

/** Serves packages, and remembers what it was asked for. */
export class TestRegistry {
  readonly requests: string[] = [];
  readonly #files = new Map<string, Buffer | string>();
  readonly #server: Server;
  readonly #scheme: string;
  #held: (() => void)[] | undefined;

  private constructor(server: Server, scheme: string) {
    this.#server = server;
    this.#scheme = scheme;
    server.on("request", (request, response) => {
      const path = decodeURIComponent(request.url ?? "").replace(/[?#].*$/, "");
      this.requests.push(`${request.method} ${path} ${request.headers.authorization ?? ""}`.trim());
      const content = this.#files.get(path);
      if (content === undefined) response.writeHead(404);
      else if (typeof content !== "string") response.setHeader("content-type", "application/octet-stream");
      else response.setHeader("content-type", content.startsWith("<") ? "text/html" : "application/json");
      if (this.#held === undefined) response.end(content ?? "not here");
      else this.#held.push(() => response.end(content));
    });
  }

  /** @param address - of this machine, to listen at */
  static async start(isSecure = false, address = "127.0.0.1"): Promise<TestRegistry> {
    const server = isSecure ? createSecureServer({ key: TEST_KEY, cert: TEST_CERTIFICATE }) : createServer();
    await new Promise<void>((resolve) => server.listen(0, address, () => resolve()));
    return new TestRegistry(server, isSecure ? "https" : "http");
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Without slash at the end. */
  get origin(): string {
    return `${this.#scheme}://${REGISTRY_HOST}:${this.port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Keeps every answer back from now on, or lets all of them go. */
  hold(isHeld: boolean): void {
    const held = this.#held;
    this.#held = isHeld ? (held ?? []) : undefined;
    if (!isHeld) for (const answer of held ?? []) answer();
  }

  /** Serves other bytes than before under a path. */
  replace(path: string, content: Buffer | string): void {
    this.#files.set(path, content);
  }

  /** @returns what a lockfile says of it */
  addNpm(
    manifest: { readonly name: string; readonly version: string } & Readonly<Record<string, unknown>>,
    tree: Tree,
  ): { readonly resolved: string; readonly integrity: string; readonly path: string } {
    const { name, version } = manifest;
    const files = Object.entries(tree).map(([path, text]) => [`package/${path}`, text]);
    const content = tarball({
      "package/package.json": JSON.stringify(manifest),
      ...Object.fromEntries(files),
    });
    const path = `/${name}/-/${name.replace(/^.*\//, "")}-${version}.tgz`;
    const integrity = `sha512-${hash("sha512", content, "base64")}`;
    const dist = { tarball: `${this.origin}${path}`, integrity, shasum: hash("sha1", content, "hex") };
    this.#files.set(path, content);
    const document = {
      name,
      "dist-tags": { latest: version },
      versions: { [version]: { ...manifest, dist } },
      time: { [version]: "2020-01-01T00:00:00.000Z" },
    };
    this.#files.set(`/${name}`, JSON.stringify(document));
    return { resolved: dist.tarball, integrity, path };
  }

  /** Below `/simple/`. @returns the wheel's SHA-256 */
  addWheel(name: string, version: string, tree: Tree): { readonly sha256: string; readonly path: string } {
    const info = `${name}-${version}.dist-info`;
    const files: Tree = {
      ...tree,
      [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
      [`${info}/WHEEL`]: "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    };
    const lines = Object.entries(files).map(
      ([path, text]) => `${path},sha256=${hash("sha256", text, "base64url")},${Buffer.byteLength(text)}`,
    );
    const record = `${info}/RECORD`;
    const content = zip({ ...files, [record]: [...lines, `${record},,`, ""].join("\n") });
    const file = `${name}-${version}-py3-none-any.whl`;
    const sha256 = hash("sha256", content, "hex");
    this.#files.set(`/files/${file}`, content);
    const link = `<a href="/files/${file}#sha256=${sha256}">${file}</a>`;
    const page = `/simple/${name}/`;
    this.#files.set(page, `${this.#files.get(page) ?? "<!DOCTYPE html>"}${link}`);
    return { sha256, path: `/files/${file}` };
  }

  /** A sparse index below `/index/`. @returns the crate's checksum */
  addCrate(name: string, version: string, tree: Tree): string {
    const files = Object.entries(tree).map(([path, text]) => [`${name}-${version}/${path}`, text]);
    const content = tarball(Object.fromEntries(files));
    const checksum = hash("sha256", content, "hex");
    const entry = { name, vers: version, deps: [], cksum: checksum, features: {}, yanked: false };
    this.#files.set(`/crates/${name}/${version}/download`, content);
    this.#files.set("/index/config.json", JSON.stringify({ dl: `${this.origin}/crates` }));
    const place = `${name.slice(0, 2)}/${name.slice(2, 4)}/${name}`;
    this.#files.set(`/index/${place}`, `${JSON.stringify(entry)}\n`);
    return checksum;
  }

  /** A module proxy below `/go/`. @returns the lines of `go.sum` */
  addModule(name: string, version: string, tree: Tree): string {
    const manifest = tree["go.mod"] ?? "";
    const files = Object.entries(tree).map(([path, text]) => [`${name}@${version}/${path}`, text]);
    const base = `/go/${name}/@v/${version}`;
    this.#files.set(`${base}.info`, JSON.stringify({ Version: version, Time: "2020-01-01T00:00:00Z" }));
    this.#files.set(`${base}.mod`, Buffer.from(manifest));
    this.#files.set(`${base}.zip`, zip(Object.fromEntries(files)));
    const sum = goSum(Object.fromEntries(files));
    return `${name} ${version} ${sum}\n${name} ${version}/go.mod ${goSum({ "go.mod": manifest })}\n`;
  }
}

/** Go's hash of a tree: of a list of hashes, sorted by path. */
function goSum(tree: Tree): string {
  const lines = Object.entries(tree)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([path, text]) => `${hash("sha256", text, "hex")}  ${path}\n`);
  return `h1:${createHash("sha256").update(lines.join("")).digest("base64")}`;
}
