/** What a session works on; for layers with a dependency that a registry of this machine has, and whose build waits. */
import { execFileSync } from "node:child_process";
import { globSync, mkdirSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { TestRegistry } from "../../environment/registry.ts";

/** The dependency. */
const PACKAGE = "greeter";
/** Waits until somebody outside lets it go. */
const INSTALL_SCRIPT = "touch started; while [ ! -e /layer/go ]; do sleep 0.05; done; echo built > built";

/** A repository, and the registry that it needs. */
export class Project {
  readonly folder: string;
  /** Absent where nothing is to be set up. */
  readonly registry: TestRegistry | undefined;
  readonly #address: string;
  #letting: NodeJS.Timeout | undefined;

  private constructor(root: string, registry: TestRegistry | undefined, address: string) {
    this.folder = join(root, "project");
    this.registry = registry;
    this.#address = address;
    mkdirSync(this.folder);
    this.#write("readme.txt", "counts\n");
    if (registry !== undefined) this.#require(registry);
    for (const words of [
      ["init", "-q"],
      ["add", "."],
      ["commit", "-qm", "base"],
    ])
      this.#git(words);
  }

  static async make(root: string, isSetUp: boolean): Promise<Project> {
    // Clients ask nobody for loopback by way of a proxy.
    const address = isSetUp ? ownAddress() : "";
    return new Project(root, isSetUp ? await TestRegistry.start(false, address) : undefined, address);
  }

  /** Settings of the person's clients. */
  get environment(): Readonly<Record<string, string>> {
    return this.registry === undefined ? {} : { npm_config_registry: `${this.#origin}/` };
  }

  /** Where builds stand and wait. */
  waitingBuilds(stateFolder: string): string[] {
    return globSync(join(stateFolder, `layers/making/*/work/node_modules/${PACKAGE}/started`));
  }

  /** Finished builds of the dependency. */
  builds(stateFolder: string): string[] {
    return globSync(join(stateFolder, `layers/layers/*/work/node_modules/${PACKAGE}/built`));
  }

  /** From now on builds go on, also those that begin later. */
  letBuildsGo(stateFolder: string): void {
    const go = (): void => {
      for (const folder of globSync(join(stateFolder, "layers/making/*/layer"))) touch(join(folder, "go"));
    };
    this.#letting ??= setInterval(go, 50);
  }

  close(): void {
    clearInterval(this.#letting);
    this.registry?.close();
  }

  get #origin(): string {
    return `http://${this.#address}:${this.registry?.port}`;
  }

  #require(registry: TestRegistry): void {
    const scripts = { postinstall: INSTALL_SCRIPT };
    const files = { "index.js": "module.exports = 'hello';" };
    const { path, integrity } = registry.addNpm({ name: PACKAGE, version: "1.2.3", scripts }, files);
    const manifest = { name: "project", version: "1.0.0", dependencies: { [PACKAGE]: "1.2.3" } };
    const resolved = `${this.#origin}${path}`;
    const installed = { version: "1.2.3", resolved, integrity, hasInstallScript: true };
    const packages = { "": manifest, [`node_modules/${PACKAGE}`]: installed };
    this.#write("package.json", JSON.stringify(manifest));
    const lock = { name: "project", version: "1.0.0", lockfileVersion: 3, requires: true, packages };
    this.#write("package-lock.json", JSON.stringify(lock));
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  #git(words: readonly string[]): void {
    const who = ["-c", "user.name=me", "-c", "user.email=me@example.org"];
    execFileSync("git", [...who, ...words], { cwd: this.folder });
  }
}

function ownAddress(): string {
  const found = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal);
  if (found === undefined)
    throw new Error("layers are fetched from an address that is not loopback, and there is none");
  return found.address;
}

/** What is made may be removed in the same moment. */
function touch(path: string): void {
  try {
    writeFileSync(path, "");
  } catch {
    // It was.
  }
}
