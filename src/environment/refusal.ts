/** Refusing dependencies that do not come from a registry, and whatever else a set-up must not be made from. */
import { NightshiftError } from "../core/errors.ts";
import type { Ecosystem, Registry } from "./contract.ts";

/** @throws NightshiftError `E_SOURCE_REFUSED` that names what is refused, where it is asked for, and why */
export function refuse(what: string, where: string, why: string): never {
  throw new NightshiftError("E_SOURCE_REFUSED", `${where}: ${what} is refused: ${why}`, {
    data: { what, where },
  });
}

/** Registries of one kind, and which addresses belong to them. */
export class RegistryHosts {
  readonly #hosts: ReadonlySet<string>;

  constructor(registries: readonly Registry[], ecosystem: Ecosystem) {
    const own = registries.filter((registry) => kindOf(registry.ecosystem) === kindOf(ecosystem));
    this.#hosts = new Set(own.flatMap(({ url, fileHosts }) => [hostOf(url) ?? "", ...fileHosts]));
  }

  /** @throws NightshiftError `E_SOURCE_REFUSED` for an address elsewhere */
  check(address: string, what: string, where: string): void {
    const host = hostOf(address);
    if (host === undefined) refuse(`${what} (${address})`, where, "it is not a package of a registry");
    if (!this.#hosts.has(host))
      refuse(`${what} (${address})`, where, `${host} is no registry that is allowed`);
  }
}

/**
 * Most registries of npm's kind name the package in the address of its file (`/name/-/name-1.0.0.tgz`); then it has to
 * be the one that the lockfile says. @throws NightshiftError `E_SOURCE_REFUSED`
 */
export function checkPackageAddress(address: string, name: string, where: string): void {
  const [path = "", file] = new URL(address).pathname.replace(/%2f/gi, "/").replace(/%40/g, "@").split("/-/");
  if (file === undefined) return;
  const plain = name.replace(/^.*\//, "");
  if (!path.endsWith(`/${name}`) || !file.startsWith(`${plain}-`))
    refuse(`package ${name} (${address})`, where, "this is the address of another package");
}

/** All clients of one registry share it. */
function kindOf(ecosystem: Ecosystem): string {
  if (["npm", "pnpm", "yarn", "yarn-berry"].includes(ecosystem)) return "npm";
  return ecosystem === "uv" ? "pip" : ecosystem;
}

/** The registries that a client of this kind uses. */
export function registriesFor(registries: readonly Registry[], ecosystem: Ecosystem): readonly Registry[] {
  return registries.filter((registry) => kindOf(registry.ecosystem) === kindOf(ecosystem));
}

/** `host` or `host:port` of an http(s) address; undefined for any other. */
export function hostOf(address: string): string | undefined {
  const plain = address.replace(/^(sparse|registry)\+/, "");
  if (!/^https?:\/\//i.test(plain) || !URL.canParse(plain)) return undefined;
  const { host, username, password } = new URL(plain);
  return username === "" && password === "" ? host : undefined;
}
