/** Fetches published packages through the clients of this machine, as they are set up, and serves wheels on. */
import { execFile } from "node:child_process";
import { hash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Project } from "./table.ts";

/** Pinned, because results of the project's tests depend on it. */
const TEST_RUNNER = "pytest==8.4.2";
const PATIENCE_MS = 120_000;

const run = promisify(execFile);

/** Unpacks a project's packages, and adds what was not published. @throws when no registry can be reached */
export async function unpackProject({ name, source, packages }: Project, folder: string): Promise<void> {
  for (const [path, wanted] of Object.entries(packages)) {
    const target = join(folder, path);
    mkdirSync(target, { recursive: true });
    const archive = source === "npm" ? await packOf(wanted, folder) : await wheelOf(wanted, folder);
    if (source === "npm") await run("tar", ["-xzf", archive, "-C", target, "--strip-components", "1"]);
    else await run("python3", ["-m", "zipfile", "-e", archive, target]);
  }
  const unpublished = join(import.meta.dirname, "fixtures", name);
  if (existsSync(unpublished)) cpSync(unpublished, folder, { recursive: true });
}

async function packOf(wanted: string, folder: string): Promise<string> {
  const place = mkdtempSync(`${folder}-pack-`);
  await run("npm", ["pack", wanted, "--silent", "--pack-destination", place], { timeout: PATIENCE_MS });
  return onlyFile(place);
}

async function wheelOf(wanted: string, folder: string): Promise<string> {
  const place = mkdtempSync(`${folder}-wheel-`);
  await download(place, "--no-deps", wanted);
  return onlyFile(place);
}

function onlyFile(place: string): string {
  const [file = ""] = readdirSync(place);
  return join(place, file);
}

async function download(place: string, ...words: readonly string[]): Promise<void> {
  const argv = ["-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--retries", "0"];
  await run("python3", [...argv, "--dest", place, ...words], { timeout: PATIENCE_MS });
}

/** Wheels on an address of this machine that is not loopback, so that a pod reaches it through its way out only. */
export class WheelIndex {
  /** Paths that somebody asked for. */
  readonly heard: string[] = [];
  /** Pinned, with hashes; for `requirements-dev.txt`. */
  readonly requirements: string;
  readonly address: string;
  readonly #server: Server;

  private constructor(server: Server, address: string, folder: string) {
    this.#server = server;
    this.address = address;
    const wheels = readdirSync(folder).map((file) => new Wheel(join(folder, file), file));
    this.requirements = wheels.map((wheel) => wheel.requirement).join("");
    server.on("request", (request, response) => {
      const path = request.url ?? "";
      this.heard.push(path);
      const wheel = wheels.find((each) => path === `/simple/${each.name}/` || path === `/files/${each.file}`);
      if (wheel === undefined) response.writeHead(404).end();
      else if (path.startsWith("/files/")) response.end(wheel.content);
      else response.setHeader("content-type", "text/html").end(wheel.page);
    });
  }

  /** @returns nothing where the machine has no address but loopback. @throws when no index can be reached */
  static async start(folder: string, hasWheels: boolean): Promise<WheelIndex | undefined> {
    const address = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
    if (address === undefined) return undefined;
    mkdirSync(folder, { recursive: true });
    if (hasWheels) await download(folder, TEST_RUNNER);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    return new WheelIndex(server, address, folder);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://${this.address}:${this.port}/simple/`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

class Wheel {
  readonly file: string;
  readonly name: string;
  readonly content: Buffer;
  readonly requirement: string;
  readonly page: string;

  constructor(path: string, file: string) {
    const [name = "", version = ""] = file.split("-");
    this.file = file;
    this.name = name.toLowerCase().replace(/[._]+/g, "-");
    this.content = readFileSync(path);
    const sha256 = hash("sha256", this.content, "hex");
    this.requirement = `${this.name}==${version} --hash=sha256:${sha256}\n`;
    this.page = `<!DOCTYPE html><html><body><a href="/files/${file}#sha256=${sha256}">${file}</a></body></html>`;
  }
}

/** What the clients of this machine are set up with, for the environment of a person who has the same. */
export async function settingsOfClients(): Promise<Record<string, string | undefined>> {
  const { stdout } = await run("npm", ["config", "get", "registry"], { timeout: PATIENCE_MS });
  const { HOME, PYENV_ROOT, NODE_EXTRA_CA_CERTS, PIP_CERT, SSL_CERT_FILE, DOCKER_HOST } = process.env;
  const own = { HOME, PYENV_ROOT, NODE_EXTRA_CA_CERTS, PIP_CERT, SSL_CERT_FILE, DOCKER_HOST };
  return { ...own, npm_config_registry: stdout.trim() };
}

/** Writes what a Python project's tests need. */
export function writeRequirements(folder: string, index: WheelIndex): void {
  writeFileSync(join(folder, "requirements-dev.txt"), index.requirements);
}
