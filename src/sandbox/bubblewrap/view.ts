/**
 * What is seen in a pod: the programs of the machine and the few files that they need, a workspace, temporary folders,
 * and what the spec mounts. Everything else of the machine is not there, so it need not be forbidden.
 */
import { existsSync, lstatSync, readlinkSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, normalize } from "node:path";
import { NightshiftError } from "../../core/errors.ts";
import { INNER_WORKSPACE, type Mount, type Resources, type SandboxSpec } from "../contract.ts";
import { INNER_EGRESS_FOLDER, INNER_GATEWAY_FOLDER } from "../pod/contract.ts";
import { INNER_HOME } from "../pod/environment.ts";
import type { PodTools } from "./tools.ts";

/** Where the runner's code is, outside and inside. */
export interface RunnerCode {
  /** Outside path → inside path; read-only. */
  readonly files: { readonly [source: string]: string };
  /** Inside. */
  readonly entry: string;
}

/** Where the tools are, inside. */
export const INNER_TOOLS: PodTools = {
  node: "/nightshift/bin/node",
  mkfifo: "/nightshift/bin/mkfifo",
  reaper: "/nightshift/bin/reaper",
};

/** User and group of everything in a pod, as seen from inside. */
export const INNER_USER = 1000;

/** Present on one system or the other; in most, links into `/usr`. */
const TOP_FOLDERS: readonly string[] = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];

/** What programs read of `/etc` and what holds no secret: no keys, no accounts, no settings of people. */
export const SETTINGS: readonly string[] = [
  "alternatives",
  "ca-certificates.conf",
  "crypto-policies",
  "debian_version",
  "fonts",
  "java-17-openjdk",
  "java-21-openjdk",
  "ld.so.cache",
  "ld.so.conf",
  "ld.so.conf.d",
  "localtime",
  "magic",
  "mime.types",
  "os-release",
  "pki/ca-trust",
  "pki/tls/certs",
  "protocols",
  "services",
  "ssl/certs",
  "ssl/openssl.cnf",
  "timezone",
];

/** The kernel's own files that a user who is root outside could write, or that tell of the whole machine. */
const KERNEL_FILES: readonly string[] = [
  "acpi",
  "asound",
  "driver",
  "fs",
  "mtrr",
  "pressure",
  "scsi",
  "sys",
  "sysrq-trigger",
];
const KERNEL_SECRETS: readonly string[] = ["kcore", "keys", "sched_debug", "timer_list"];

/** Where nothing may be mounted. */
const RESERVED: readonly string[] = ["/proc", "/dev", "/nightshift", "/run/nightshift", "/etc/passwd"];

/** Parts of a view that the launcher knows. */
export interface ViewParts {
  readonly spec: SandboxSpec;
  readonly resources: Resources;
  /** What is seen as the workspace, outside. */
  readonly workspace: string;
  readonly tools: PodTools;
  readonly code: RunnerCode;
  /** Files made for this pod: `passwd`, `group`, `hosts`, `nsswitch.conf`, `resolv.conf`. */
  readonly settings: { readonly [name: string]: string };
}

/** Options of bubblewrap that make the view, in order. @throws NightshiftError `E_SANDBOX_UNAVAILABLE` */
export function viewArguments(parts: ViewParts): string[] {
  const { spec, resources, workspace, tools, code, settings } = parts;
  const temporary = (path: string): string[] => ["--size", `${resources.temporaryBytes}`, "--tmpfs", path];
  return [
    ...programs(),
    ...SETTINGS.flatMap((name) => sameInside("/etc", name)),
    ...Object.entries(settings).flatMap(([name, source]) => ["--ro-bind", source, `/etc/${name}`]),
    ...["--proc", "/proc"],
    ...KERNEL_FILES.flatMap((name) => sameInside("/proc", name)),
    ...KERNEL_SECRETS.flatMap((name) =>
      existsSync(`/proc/${name}`) ? ["--ro-bind", "/dev/null", `/proc/${name}`] : [],
    ),
    ...["--dev", "/dev", ...temporary("/dev/shm"), "--remount-ro", "/dev"],
    ...["--perms", "1777", ...temporary("/tmp"), "--symlink", "../tmp", "/var/tmp"],
    ...["--perms", "0700", ...temporary(INNER_HOME)],
    ...["--ro-bind", tools.node, INNER_TOOLS.node, "--ro-bind", tools.mkfifo, INNER_TOOLS.mkfifo],
    ...["--ro-bind", tools.reaper, INNER_TOOLS.reaper],
    ...Object.entries(code.files).flatMap(([source, target]) => ["--ro-bind", source, target]),
    ...["--bind", workspace, INNER_WORKSPACE],
    ...(spec.egress === undefined ? [] : ["--ro-bind", dirname(spec.egress), INNER_EGRESS_FOLDER]),
    ...(spec.gateway === undefined ? [] : ["--ro-bind", dirname(spec.gateway), INNER_GATEWAY_FOLDER]),
    ...(spec.mounts ?? []).flatMap(mountArguments),
    // The root is in memory that nobody has limited.
    ...["--remount-ro", "/"],
  ];
}

function programs(): string[] {
  return [
    ...["--ro-bind", "/usr", "/usr"],
    ...TOP_FOLDERS.flatMap((name) => {
      const path = `/${name}`;
      const found = lstatSync(path, { throwIfNoEntry: false });
      if (found === undefined) return [];
      return found.isSymbolicLink() ? ["--symlink", readlinkSync(path), path] : ["--ro-bind", path, path];
    }),
  ];
}

function sameInside(folder: string, name: string): string[] {
  const path = join(folder, name);
  return existsSync(path) ? ["--ro-bind", path, path] : [];
}

function mountArguments({ source, target, access }: Mount): string[] {
  if (!isAbsolute(source) || statSync(source, { throwIfNoEntry: false }) === undefined) {
    throw unavailable(`there is no ${source} to mount`);
  }
  const inside = normalize(target);
  const isReserved = RESERVED.some((place) => inside === place || inside.startsWith(`${place}/`));
  if (!isAbsolute(target) || inside === "/" || isReserved) {
    throw unavailable(`nothing can be mounted at ${target} of a sandbox`);
  }
  return [access === "read-only" ? "--ro-bind" : "--bind", source, inside];
}

function unavailable(message: string): NightshiftError {
  return new NightshiftError("E_SANDBOX_UNAVAILABLE", message);
}
