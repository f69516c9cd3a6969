/**
 * Finds the programs that a check needs where the person who starts the session has them, and what folders outside of
 * `/usr` must be seen for them to work. Version managers put small programs in front of the real ones; those are asked
 * where the real ones are.
 */
import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { messageOf, NightshiftError } from "../core/errors.ts";
import type { Mount } from "../sandbox/contract.ts";
import type { Ecosystem, Toolchain } from "./contract.ts";

/** Where and for whom to look. */
export interface ToolchainRequest {
  readonly workspace: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** A program as it was found. */
interface Found {
  readonly program: string;
  /** Absolute, links resolved. */
  readonly path: string;
  /** The folder to put on the PATH. */
  readonly bin: string;
  /** Folders to show: the installation, and the one with the link to the program if that lies elsewhere. */
  readonly folders: readonly string[];
}

const ANSWER_MS_MAX = 30_000;
const ANSWER_BYTES_MAX = 64 * 1024;
/** Seen in every sandbox. */
const ALWAYS_SEEN: readonly string[] = ["/usr", "/bin", "/sbin", "/lib", "/lib64"];
/** Folders that hold a person's things beside an installation; to show them would show too much. */
const TOO_WIDE: readonly string[] = ["/", "/home", "/root", "/opt", "/mnt", "/srv", "/var", "/etc", "/tmp"];

/** Programs that each set-up uses, and how each tells its version. */
const PROGRAMS: Readonly<Record<Ecosystem, readonly string[]>> = {
  npm: ["node", "npm"],
  pnpm: ["node", "npm", "pnpm"],
  yarn: ["node", "npm", "yarn"],
  "yarn-berry": ["node", "npm", "yarn"],
  pip: ["python3"],
  uv: ["python3", "uv"],
  cargo: ["cargo", "rustc"],
  go: ["go"],
};
const CERTIFICATE_VARIABLES: readonly string[] = [
  "NODE_EXTRA_CA_CERTS",
  "SSL_CERT_FILE",
  "PIP_CERT",
  "REQUESTS_CA_BUNDLE",
  "CARGO_HTTP_CAINFO",
];
const VERSION_ARGUMENTS: Readonly<Record<string, readonly string[]>> = { go: ["version"] };

/** The programs of a kind of project. @throws NightshiftError `E_TOOLCHAIN_MISSING` that names what was not found */
export async function findToolchain(ecosystem: Ecosystem, request: ToolchainRequest): Promise<Toolchain> {
  const found: Found[] = [];
  for (const program of PROGRAMS[ecosystem]) found.push(await findInstalled(program, request));
  return toolchainOf(found, request);
}

/**
 * The programs of any other check; an argument vector whose program is in the workspace, or in `/usr`, needs nothing.
 * @throws NightshiftError `E_TOOLCHAIN_MISSING`
 */
export async function findProgramOf(argv: readonly string[], request: ToolchainRequest): Promise<Toolchain> {
  const [program = ""] = argv;
  if (program === "" || program.includes("/")) return { mounts: [], path: [], versions: {}, environment: {} };
  const found = await findInstalled(program, request);
  // What every sandbox sees anyway need not tell its version; not every shell can.
  return toolchainOf(isAlwaysSeen(found.path) ? [] : [found], request);
}

/**
 * What has to be seen of one program, which is not started: not every program tells its version and ends.
 * @throws NightshiftError `E_TOOLCHAIN_MISSING`
 */
export async function findPlaceOf(
  program: string,
  request: ToolchainRequest,
): Promise<Pick<Toolchain, "mounts" | "path">> {
  return placeOf([await findInstalled(program, request)]);
}

function placeOf(found: readonly Found[]): Pick<Toolchain, "mounts" | "path"> {
  const outside = found.filter(({ path }) => !isAlwaysSeen(path));
  const prefixes = [...new Set(outside.flatMap(({ folders }) => folders))];
  const needed = prefixes.filter((prefix) => !prefixes.some((other) => prefix.startsWith(`${other}/`)));
  return {
    mounts: needed.map((source) => ({ source, target: source, access: "read-only" })),
    path: [...new Set(outside.map(({ bin }) => bin))],
  };
}

async function toolchainOf(found: readonly Found[], request: ToolchainRequest): Promise<Toolchain> {
  const { mounts, path } = placeOf(found);
  const answers = found.map(async ({ program, bin }) => {
    const argv = VERSION_ARGUMENTS[program] ?? ["--version"];
    return [program, await ask(join(bin, program), argv, request, "/", [bin])] as const;
  });
  const versions = Object.fromEntries(await Promise.all(answers));
  const certificates = certificatesOf(request);
  return {
    mounts: [...mounts, ...certificates.mounts],
    path,
    versions,
    environment: certificates.environment,
  };
}

/** Authorities that the person has told clients to trust, as files. */
function certificatesOf({ environment }: ToolchainRequest): Pick<Toolchain, "mounts" | "environment"> {
  const mounts: Mount[] = [];
  const named: Record<string, string> = {};
  for (const variable of CERTIFICATE_VARIABLES) {
    const path = environment[variable];
    if (path === undefined || !isAbsolute(path) || !existsSync(path)) continue;
    named[variable] = path;
    const isSeen = isAlwaysSeen(path) || path.startsWith("/etc/ssl/certs/");
    if (isSeen || mounts.some(({ source }) => source === path)) continue;
    mounts.push({ source: realpathSync(path), target: path, access: "read-only" });
  }
  return { mounts, environment: named };
}

/**
 * Where a program is that is named by itself, or by an absolute path.
 * @throws NightshiftError `E_TOOLCHAIN_MISSING`
 */
export function locateProgram(program: string, { PATH: path = "" }: ToolchainRequest["environment"]): string {
  const found = isAbsolute(program) ? (isProgram(program) ? program : undefined) : onPath(program, path);
  if (found !== undefined) return found;
  throw new NightshiftError(
    "E_TOOLCHAIN_MISSING",
    isAbsolute(program)
      ? `there is no program \`${program}\``
      : `the program \`${program}\` is not on the PATH`,
  );
}

async function findInstalled(program: string, request: ToolchainRequest): Promise<Found> {
  const first = locateProgram(program, request.environment);
  refuseOwn(program, first, request);
  const path = await behindManager(program, first, request);
  const real = realpathSync(path);
  refuseOwn(program, real, request);
  const isWide = (folder: string): boolean => isTooWide(folder, request.environment.HOME);
  const prefix = prefixOf(real, isWide);
  // A link under another name than the file's is needed itself; its file could not be found by the program's name.
  const bin = basename(real) === program && !path.startsWith(`${prefix}/`) ? dirname(real) : dirname(path);
  const folders = bin === prefix || bin.startsWith(`${prefix}/`) ? [prefix] : [prefix, bin];
  if (!isAlwaysSeen(real) && folders.some(isWide)) {
    throw new NightshiftError(
      "E_TOOLCHAIN_MISSING",
      `the program \`${program}\` (${real}) has no folder of its own to show`,
    );
  }
  return { program, path: real, bin, folders };
}

/** The project says which version it wants, not what is started on the machine to ask for it. */
function refuseOwn(program: string, path: string, { workspace }: ToolchainRequest): void {
  const root = `${realpathSync(workspace)}/`;
  if (!realpathSync(path).startsWith(root) && !path.startsWith(root)) return;
  throw new NightshiftError(
    "E_TOOLCHAIN_MISSING",
    `the program \`${program}\` on the PATH (${path}) belongs to the workspace itself`,
  );
}

/** What rustup, pyenv and their like would start, for this workspace. */
async function behindManager(program: string, path: string, request: ToolchainRequest): Promise<string> {
  const real = realpathSync(path);
  if (
    /\/rustup$/.test(real) ||
    (/\/\.cargo\/bin$/.test(dirname(path)) && existsSync(join(dirname(path), "rustup")))
  )
    return firstLine(
      await ask(join(dirname(path), "rustup"), ["which", program], request, request.workspace),
    );
  if (/\/shims$/.test(dirname(path))) {
    const manager = /\/\.?(pyenv|nodenv|goenv|rbenv|asdf|mise)\//.exec(`${path}/`)?.[1];
    const tool = manager === undefined ? undefined : managerProgram(manager, path, request);
    if (tool !== undefined) return firstLine(await ask(tool, ["which", program], request, request.workspace));
  }
  if (program === "python3") return pythonBehind(path, request);
  return path;
}

function managerProgram(manager: string, path: string, request: ToolchainRequest): string | undefined {
  const own = join(dirname(dirname(path)), "bin", manager);
  return existsSync(own) ? own : onPath(manager, request.environment.PATH ?? "");
}

/** An interpreter of a virtual environment stands for the one that it was made from. */
async function pythonBehind(path: string, request: ToolchainRequest): Promise<string> {
  const code = "import sys; print(getattr(sys, '_base_executable', None) or sys.executable)";
  const base = firstLine(await ask(path, ["-I", "-c", code], request));
  return isAbsolute(base) && existsSync(base) ? join(dirname(base), "python3") : path;
}

/**
 * `/home/me/.nvm/versions/node/v22` for `/home/me/.nvm/versions/node/v22/bin/node`, and what it may link into. Where
 * that would be a folder with other things of the person (`/home/me` for `/home/me/bin/tool`), only the program's own.
 */
function prefixOf(real: string, isWide: (folder: string) => boolean): string {
  // Their packages need each other.
  if (real.startsWith("/nix/store/")) return "/nix/store";
  const brew = /^(.*)\/Cellar\//.exec(real)?.[1];
  if (brew !== undefined) return brew;
  const folder = dirname(real);
  const candidates = [
    /^(.*?)\/(?:lib\/node_modules|libexec)\//.exec(real)?.[1],
    /^(.*?\/lib\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(real)?.[1],
    folder.endsWith("/bin") ? dirname(folder) : undefined,
    folder,
  ];
  return candidates.find((candidate) => candidate !== undefined && !isWide(candidate)) ?? folder;
}

function isTooWide(folder: string, home: string | undefined): boolean {
  if (TOO_WIDE.includes(folder)) return true;
  return (
    home !== undefined && (home === folder || home.startsWith(`${folder}/`) || folder === `${home}/.local`)
  );
}

function onPath(program: string, path: string): string | undefined {
  return path
    .split(":")
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, program))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isAlwaysSeen(path: string): boolean {
  return ALWAYS_SEEN.some((folder) => path.startsWith(`${folder}/`));
}

function firstLine(text: string): string {
  return text.split("\n")[0]?.trim() ?? "";
}

/**
 * Asks a program of the person's own about itself. It gets no keys, and its folder goes first on the PATH. Only
 * version managers are asked within the workspace: they read which version it wants. Clients load plugins and settings
 * from where they are started, so that none of the project's is loaded they are asked elsewhere.
 */
function ask(
  program: string,
  argv: readonly string[],
  { environment, signal }: ToolchainRequest,
  folder = "/",
  first: readonly string[] = [],
): Promise<string> {
  const passed: Record<string, string> = {
    RUSTUP_AUTO_INSTALL: "0",
    GOTOOLCHAIN: "local",
    YARN_IGNORE_PATH: "1",
  };
  for (const name of ["HOME", "PYENV_ROOT", "RUSTUP_HOME", "CARGO_HOME", "NVM_DIR", "LANG"]) {
    const value = environment[name];
    if (value !== undefined) passed[name] = value;
  }
  passed.PATH = [...first, environment.PATH ?? "/usr/bin:/bin"].join(":");
  const options = {
    cwd: folder,
    env: passed,
    signal,
    timeout: ANSWER_MS_MAX,
    maxBuffer: ANSWER_BYTES_MAX,
  };
  return new Promise((resolve, reject) => {
    execFile(program, [...argv], options, (error, stdout) => {
      if (error === null) return resolve(stdout.trim());
      if (signal.aborted) return reject(signal.reason);
      const message = `${program} ${argv.join(" ")} failed: ${messageOf(error)}`;
      reject(new NightshiftError("E_TOOLCHAIN_MISSING", message, { cause: error }));
    });
  });
}
