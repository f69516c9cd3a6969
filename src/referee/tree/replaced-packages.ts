/**
 * Packages that the base installs and that become others: an alias, an override, a folder of the project, other bytes
 * under the same version. Whoever reads the diff of a lockfile hardly sees it, and what tests stand on may be among
 * them, so a person looks at it. Another version of the same package is nobody's concern.
 */
import { posix } from "node:path";
import type { Finding } from "../../core/contract/contract.ts";
import { type Difference, folderOf, nameOf } from "./difference.ts";
import { finding } from "./finding.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What stands behind a name. */
interface Source {
  /** Tells it from others of the same file. */
  readonly key: string;
  /** By which code finds it. */
  readonly name: string;
  /** The name of a package, or where else it comes from. */
  readonly from: string;
  readonly isOverride?: true;
  /** Version and hashes by their kinds, where a lockfile says them. */
  readonly version?: string;
  readonly hashes?: ReadonlyMap<string, string>;
}

const GATE = "shadowing";
const NAMED_MAX = 20;
const KEY_LENGTH_MAX = 1000;
const TABLES = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"] as const;
/** Of the project itself: its code is there to be seen, and where it moves to is no matter. */
const FOLDER = "a folder of the project";

/** Asks a person about manifests and lockfiles of JavaScript in which a package is another one. */
export async function findReplacedPackages(difference: Difference): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { path, base, candidate } of difference.changes) {
    const read = READERS[nameOf(path)];
    if (read === undefined || candidate === undefined) continue;
    const before = await sourcesBefore(difference, path, base !== undefined);
    const replaced = replacedIn(before, read((await difference.text("candidate", path)) ?? ""));
    if (replaced.length === 0) continue;
    const more = replaced.length > NAMED_MAX ? [`and ${replaced.length - NAMED_MAX} more`] : [];
    findings.push(finding(GATE, path, "review", [...replaced.slice(0, NAMED_MAX), ...more].join("; ")));
  }
  return findings;
}

/** A lockfile that is new is held against what the base has in its place: another manager's, or the manifest. */
async function sourcesBefore(
  difference: Difference,
  path: string,
  isKnown: boolean,
): Promise<readonly Source[]> {
  const paths = isKnown ? [path] : Object.keys(READERS).map((name) => posix.join(folderOf(path), name));
  const read = async (each: string): Promise<readonly Source[]> =>
    READERS[nameOf(each)]?.((await difference.text("base", each)) ?? "") ?? [];
  return (await Promise.all(paths.map(read))).flat();
}

/** @returns what to say, one line for each */
function replacedIn(before: readonly Source[], after: readonly Source[]): readonly string[] {
  const byKey = new Map(before.map((source) => [source.key, source]));
  const byName = Map.groupBy(
    before.filter(({ isOverride }) => isOverride !== true),
    ({ name }) => name,
  );
  return after.flatMap(({ key, name, from, isOverride, version, hashes }) => {
    const old = byKey.get(key);
    if (isOverride && old?.from !== from) return from === name ? [] : [`${name} is to be ${from} everywhere`];
    const known = old === undefined ? (byName.get(name) ?? []) : [old];
    if (known.length > 0 && !known.some((each) => each.from === from))
      return [`${name} was ${known[0]?.from}, and is ${from} now`];
    const isOther = [...(hashes ?? [])].some(([kind, hash]) => (old?.hashes?.get(kind) ?? hash) !== hash);
    return old?.version === version && isOther ? [`${name} ${version} has other bytes than on the base`] : [];
  });
}

const READERS: Readonly<Record<string, (text: string) => readonly Source[]>> = {
  "package.json": ofManifest,
  "package-lock.json": ofNpmLockfile,
  "npm-shrinkwrap.json": ofNpmLockfile,
  "yarn.lock": ofYarnLockfile,
  "pnpm-lock.yaml": ofPnpmLockfile,
};

function ofManifest(text: string): readonly Source[] {
  const manifest = parsed(text);
  const asked = TABLES.flatMap((table) => Object.entries(fieldsOf(manifest[table]))).map(([name, range]) => ({
    ...{ key: name, name },
    from: sourceOfRange(name, range),
  }));
  const tables = [manifest.overrides, manifest.resolutions, fieldsOf(manifest.pnpm).overrides];
  return [...asked, ...tables.flatMap((table) => overridesIn(fieldsOf(table)))];
}

/** The keys may be paths (`a/b`, `a>b`, `a@1`), and of npm also tables. */
function overridesIn(table: Fields, above = ""): readonly Source[] {
  return Object.entries(table).flatMap(([key, value]) => {
    if (typeof value !== "string") return overridesIn(fieldsOf(value), key);
    const whole = (key === "." ? above : key).slice(0, KEY_LENGTH_MAX);
    const name = /((?:@[^/@>]+\/)?[^/@>]+)(?:@[^/>]*)?$/.exec(whole)?.[1] ?? whole;
    return [{ key: `override ${above} ${key}`, name, from: sourceOfRange(name, value), isOverride: true }];
  });
}

function sourceOfRange(name: string, range: unknown): string {
  const text = String(range);
  const alias = /^npm:((?:@[^/@]+\/)?[a-zA-Z][^@/]*)(?:@|$)/.exec(text)?.[1];
  if (alias !== undefined) return alias;
  if (/^(workspace|file|link|portal):|^\.{0,2}\//.test(text)) return FOLDER;
  // Ranges, tags, `$name`, `catalog:` and `npm:^1` name versions of the same package; anything else is what it says.
  return /[:/]/.test(text) && !/^(catalog|npm):/.test(text) ? text : name;
}

function ofNpmLockfile(text: string): readonly Source[] {
  return Object.entries(fieldsOf(parsed(text).packages)).flatMap(([key, value]): readonly Source[] => {
    const name = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(key)?.[1];
    if (name === undefined) return [];
    const { name: real = name, link, version, integrity, resolved = "https:" } = fieldsOf(value);
    if (link === true) return [{ key, name, from: FOLDER }];
    const from = /^https?:/.test(String(resolved)) ? String(real) : String(resolved);
    return [{ key, name, from, version: String(version), hashes: hashesOf(integrity) }];
  });
}

/** Yarn 1 says where a package is (`resolved`), later ones what it is (`resolution`). */
function ofYarnLockfile(text: string): readonly Source[] {
  return text.split(/\n(?=\S)/).flatMap((block): readonly Source[] => {
    const name = /^"?((?:@[^/@"\s]+\/)?[^@"\s]+)@/.exec(block)?.[1];
    const version = /^ {2}version:? "?([^"\s]+)"?$/m.exec(block)?.[1];
    if (name === undefined || version === undefined) return [];
    const address = /^ {2}resolved "?https?:\/\/[^/]+\/(?:.*\/)?((?:@[^/]+\/)?[^/]+)\/-\//m.exec(block)?.[1];
    const resolution = /^ {2}resolution: "?((?:@[^/@\s]+\/)?[^@\s]+)@(\w+):/m.exec(block);
    const isFolder = /^(workspace|link|portal|file)$/.test(resolution?.[2] ?? "");
    const from = isFolder ? FOLDER : (resolution?.[1] ?? address?.replace(/%2f/gi, "/") ?? name);
    const integrity = /^ {2}(?:integrity|checksum:?) (\S+)$/m.exec(block)?.[1];
    return [{ key: `${name} ${version}`, name, from, version, hashes: hashesOf(integrity) }];
  });
}

/** What the project itself asks for, and the bytes of every package. */
function ofPnpmLockfile(text: string): readonly Source[] {
  const asked = text.matchAll(/^ {6}'?([^\s:']+)'?:\n {8}specifier: .*\n {8}version: '?([^\s']+)'?/gm);
  const kept = text.matchAll(
    /^ {2}'?\/?([^\s']{1,300}@[^\s':]{1,300})'?:\n {4}resolution: \{integrity: ([^\s,}]+)/gm,
  );
  return [
    ...[...asked].map(([, name = "", version = ""]): Source => {
      const alias = /^((?:@[^/@]+\/)?[^@/(:]+)@\d/.exec(version)?.[1];
      return { key: name, name, from: version.startsWith("link:") ? FOLDER : (alias ?? name) };
    }),
    ...[...kept].map(([, key = "", integrity]): Source => {
      const name = key.replace(/@[^@]*$/, "");
      return { key, name, from: name, version: key.slice(name.length + 1), hashes: hashesOf(integrity) };
    }),
  ];
}

function hashesOf(integrity: unknown): ReadonlyMap<string, string> {
  if (typeof integrity !== "string") return new Map();
  return new Map(
    integrity.split(/\s+/).flatMap((each) => {
      const [, kind, hash] = /^(\w+)-(.+)$/.exec(each) ?? [];
      return kind === undefined || hash === undefined ? [] : [[kind, hash] as const];
    }),
  );
}

function parsed(text: string): Fields {
  try {
    return fieldsOf(JSON.parse(text.replace(/^\ufeff/, "")));
  } catch {
    return {};
  }
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}
