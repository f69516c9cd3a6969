/** What a manifest asks for: names of packages, and where one is taken from unless that is the usual place. */
import { parse } from "smol-toml";
import { plainName } from "./python-dependencies.ts";

type Kind = "npm" | "python" | "cargo" | "go";
type Fields = Readonly<Record<string, unknown>>;

const KINDS: readonly (readonly [name: RegExp, kind: Kind])[] = [
  [/^package\.json$/, "npm"],
  [/^(requirements.*\.(txt|in)|pyproject\.toml|Pipfile)$/, "python"],
  [/^Cargo\.toml$/, "cargo"],
  [/^go\.mod$/, "go"],
];

/** Manifests of one kind share their dependencies. @param name - of the file, without its folder */
export function kindOfManifest(name: string): Kind | undefined {
  return KINDS.find(([pattern]) => pattern.test(name))?.[1];
}

/** @param text - null for one that cannot be read @returns undefined for what cannot be understood */
export function dependenciesIn(name: string, text: string | null): readonly string[] | undefined {
  if (text === null) return undefined;
  try {
    switch (kindOfManifest(name)) {
      case "npm":
        return ofPackage(JSON.parse(text.replace(/^\ufeff/, "")));
      case "cargo":
        return ofCargo(fieldsOf(parse(text)));
      case "go":
        return ofGo(text);
      case "python":
        return /\.(txt|in)$/.test(name) ? text.split("\n").flatMap(ofRequirement) : ofPython(parse(text));
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}

/** A package of the project itself is no dependency of it, whoever asks for it; none where it has no name. */
export function ownName(name: string, text: string | null): readonly string[] {
  if (name !== "package.json" || text === null) return [];
  try {
    const own = fieldsOf(JSON.parse(text)).name;
    return typeof own === "string" ? [own] : [];
  } catch {
    return [];
  }
}

const NPM_TABLES = ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"] as const;

/** A folder of the repository itself, whose code is there to be seen. */
const LOCAL = /^(workspace:|(file|link|portal):(?!.*\.t(ar\.)?gz$))/;

function ofPackage(document: unknown): string[] | undefined {
  if (!isFields(document)) return undefined;
  return NPM_TABLES.flatMap((table) => Object.entries(fieldsOf(document[table])))
    .map(([name, range]) => [name, String(range)] as const)
    .filter(([, range]) => !LOCAL.test(range))
    .map(([name, range]) => (isRange(range) ? name : `${name} from ${withoutRange(range)}`));
}

/** That is the registry's package of that name; whatever else is there names another place. */
function isRange(text: string): boolean {
  return /^[\w.^~<>=|*\s+-]*$/.test(text);
}

/** `npm:other@^2` in another range is the same package. */
function withoutRange(place: string): string {
  return place.replace(/^(npm:@?[^@]+)@.*$/, "$1");
}

const CARGO_TABLES = ["dependencies", "dev-dependencies", "build-dependencies"] as const;

function ofCargo(document: Fields): string[] {
  const owners = [
    document,
    fieldsOf(document.workspace),
    ...Object.values(fieldsOf(document.target)).map(fieldsOf),
  ];
  return owners.flatMap((owner) =>
    CARGO_TABLES.flatMap((table) => Object.entries(fieldsOf(owner[table])).flatMap(placedName)),
  );
}

/** As Cargo and Poetry write it: a range, or a table that may say where from. */
function placedName([key, value]: readonly [string, unknown]): string[] {
  const { package: named, git, path, url, registry } = fieldsOf(value);
  const name = typeof named === "string" ? named : key;
  const place = [git, url, registry].find((each) => typeof each === "string");
  if (place !== undefined) return [`${name} from ${place}`];
  return typeof path === "string" ? [] : [name];
}

function ofPython(document: unknown): string[] {
  const all = fieldsOf(document);
  const project = fieldsOf(all.project);
  const poetry = fieldsOf(fieldsOf(all.tool).poetry);
  const lists = [
    project.dependencies,
    ...Object.values(fieldsOf(project["optional-dependencies"])),
    ...Object.values(fieldsOf(all["dependency-groups"])),
  ];
  const groups = Object.values(fieldsOf(poetry.group)).map((group) => fieldsOf(group).dependencies);
  const tables = [
    poetry.dependencies,
    poetry["dev-dependencies"],
    ...groups,
    all.packages,
    all["dev-packages"],
  ];
  return [
    ...lists.flatMap((list) => (Array.isArray(list) ? list : [])).flatMap(ofRequirement),
    ...tables
      .flatMap((table) => Object.entries(fieldsOf(table)).flatMap(placedName))
      .map(plainName)
      .filter((name) => name !== "python"),
  ];
}

/** A line of a requirements file, or what stands for one elsewhere. */
function ofRequirement(line: unknown): string[] {
  if (typeof line !== "string") return [];
  const text = line.replace(/(^|\s)#.*$/, "").trim();
  if (text === "" || /^(-r|-c|--requirement|--constraint|--hash)\b/.test(text)) return [];
  const [, name, place] =
    /^([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(?:@\s*(\S+)|[=<>~!;(\\]|$)/.exec(text) ?? [];
  // An address, a folder, another index: what it comes to is not known, so it is what it says.
  if (name === undefined) return [text];
  return [place === undefined ? plainName(name) : `${plainName(name)} from ${place}`];
}

/** Modules that are required, and what others are replaced by. */
function ofGo(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const words = line.replace(/\/\/.*$/, "").trim();
    const [, from] = /=>\s*(\S+)/.exec(words) ?? [];
    if (from !== undefined) return /^\.{0,2}\//.test(from) ? [] : [`from ${from}`];
    const [, name] = /^(?:require\s+)?([\w.-]+\.[\w.-]+(?:\/\S+)?)\s+v\S+/.exec(words) ?? [];
    return name === undefined ? [] : [name];
  });
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
