/** What a pod is as a container: everything that the engine is told about it. */
import { existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { NightshiftError } from "../../core/errors.ts";
import type { PodTools } from "../bubblewrap/tools.ts";
import { INNER_TOOLS, type RunnerCode, SETTINGS } from "../bubblewrap/view.ts";
import { DEFAULT_RESOURCES, INNER_WORKSPACE, type Overlay, type SandboxSpec } from "../contract.ts";
import { MARKER_VARIABLE } from "../daemon/kill.ts";
import { sandboxKey } from "../daemon/record.ts";
import { INNER_EGRESS_FOLDER, INNER_GATEWAY_FOLDER } from "../pod/contract.ts";
import { INNER_HOME } from "../pod/environment.ts";
import type { EngineFacts } from "./engine.ts";
import { INNER_POD_FOLDER } from "./image.ts";
import { seccompProfile } from "./seccomp-profile.ts";

/** Marks what is ours; its value is the sandbox's key. */
export const LABEL = "nightshift.sandbox";
/** Path of the sandbox's folder: tells whose it is when that folder is gone. */
export const FOLDER_LABEL = "nightshift.folder";

/** What goes into a pod besides what the sandbox's specification says. */
export interface ContainerParts {
  readonly spec: SandboxSpec;
  /** Of the sandbox; absolute. */
  readonly folder: string;
  readonly image: string;
  /** `uid:gid`. */
  readonly user: string;
  readonly engine: EngineFacts;
  /** Holds the wire; absolute. */
  readonly podFolder: string;
  readonly tools: PodTools;
  readonly code: RunnerCode;
  /** Name of the volume that is the workspace, if one is. */
  readonly volume: string | undefined;
}

/** Mount data of one page is all that the kernel takes. */
const OVERLAY_OPTIONS_BYTES_MAX = 3_900;
const CPU_SHARE = 1e9;

/** The engine's own list, and the folder of devices, which is in memory and belongs to root. */
const READ_ONLY: readonly string[] = [
  "/proc/bus",
  "/proc/fs",
  "/proc/irq",
  "/proc/sys",
  "/proc/sysrq-trigger",
  "/dev",
];

/** The body of a request to make the container. */
export function containerOptions(parts: ContainerParts): object {
  const { spec, folder, image, user, code, engine } = parts;
  const key = sandboxKey(folder);
  const profile = seccompProfile(process.arch);
  const resources = spec.resources ?? DEFAULT_RESOURCES;
  const size = resources.temporaryBytes;
  return {
    name: containerName(key),
    Image: image,
    Labels: labelsOf(folder),
    User: user,
    WorkingDir: INNER_WORKSPACE,
    // The marker lets the machine find what belongs to a pod; it is no secret.
    Env: ["PATH=/usr/bin:/bin", `${MARKER_VARIABLE}=${key}.pod`],
    Hostname: "nightshift",
    Entrypoint: [
      ...[INNER_TOOLS.node, "--disable-sigusr1", "--disable-warning=ExperimentalWarning", code.entry],
      ...[INNER_POD_FOLDER, INNER_TOOLS.mkfifo, INNER_TOOLS.reaper],
    ],
    Tty: false,
    OpenStdin: false,
    HostConfig: {
      // Loopback only. Not disabled altogether: then the engine would leave `/etc/hosts` empty, and localhost unknown.
      NetworkMode: "none",
      // Else the pod would read which name servers the machine has.
      Dns: ["127.0.0.1"],
      IpcMode: "private",
      CgroupnsMode: "private",
      ...(engine.remapsUsers && { UsernsMode: "host" }),
      ReadonlyRootfs: true,
      ReadonlyPaths: READ_ONLY,
      Privileged: false,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges:true", ...(profile === undefined ? [] : [`seccomp=${profile}`])],
      Memory: resources.memoryBytes,
      MemorySwap: resources.memoryBytes,
      PidsLimit: resources.processes,
      // The engine refuses more cores than there are.
      NanoCpus: Math.round(Math.min(resources.cpus, engine.cores) * CPU_SHARE),
      ShmSize: size,
      Tmpfs: {
        "/tmp": `rw,exec,nosuid,nodev,mode=1777,size=${size}`,
        [INNER_HOME]: `rw,exec,nosuid,nodev,mode=0777,size=${size}`,
      },
      Ulimits: [
        { Name: "fsize", Soft: resources.fileBytes, Hard: resources.fileBytes },
        { Name: "core", Soft: 0, Hard: 0 },
      ],
      Mounts: mountsOf(parts),
      // Only the runner's own words, should it fail to start.
      LogConfig: { Type: "json-file", Config: { "max-size": "64k", "max-file": "1" } },
      RestartPolicy: { Name: "no" },
      AutoRemove: false,
    },
  };
}

/** Containers and volumes bear the sandbox's key. */
export function containerName(key: string): string {
  return `nightshift-${key}`;
}

function mountsOf({ spec, podFolder, tools, code, volume }: ContainerParts): object[] {
  const bind = (source: string, target: string, isReadOnly: boolean): object => ({
    Type: "bind",
    Source: source,
    Target: target,
    ReadOnly: isReadOnly,
    // What is mounted below it on the machine would be writable in spite of `ReadOnly`.
    BindOptions: { Propagation: "rprivate", NonRecursive: isReadOnly },
  });
  const workspace =
    volume === undefined
      ? bind(spec.workspace, INNER_WORKSPACE, false)
      : { Type: "volume", Source: volume, Target: INNER_WORKSPACE, VolumeOptions: { NoCopy: true } };
  return [
    bind("/usr", "/usr", true),
    ...SETTINGS.map((name) => `/etc/${name}`)
      .filter((path) => existsSync(path))
      .map((path) => bind(path, path, true)),
    bind(tools.node, INNER_TOOLS.node, true),
    bind(tools.mkfifo, INNER_TOOLS.mkfifo, true),
    bind(tools.reaper, INNER_TOOLS.reaper, true),
    ...Object.entries(code.files).map(([source, target]) => bind(source, target, true)),
    bind(podFolder, INNER_POD_FOLDER, false),
    workspace,
    ...(spec.egress === undefined ? [] : [bind(dirname(spec.egress), INNER_EGRESS_FOLDER, true)]),
    ...(spec.gateway === undefined ? [] : [bind(dirname(spec.gateway), INNER_GATEWAY_FOLDER, true)]),
    ...(spec.mounts ?? []).map(({ source, target, access }) => bind(source, target, access === "read-only")),
  ];
}

/**
 * The body of a request to make the volume that is an overlay. The engine mounts it when the container starts, so
 * its mount is as short-lived as the pod. Its folders get short names of ours, so that no character of a path means
 * anything to the kernel or the engine.
 * @param folder - of the sandbox; private
 * @param isUser - attributes of the overlay are kept where users other than root can read them
 * @throws NightshiftError `E_SANDBOX_UNAVAILABLE`
 */
export function overlayVolume(folder: string, overlay: Overlay, isUser: boolean): object {
  const place = join(folder, "overlay");
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { mode: 0o700 });
  const link = (name: string, target: string): string => {
    symlinkSync(target, join(place, name));
    return join(place, name);
  };
  const lower = overlay.lower.map((path, index) => link(`${index}`, path)).join(":");
  const paths = `lowerdir=${lower},upperdir=${link("upper", overlay.upper)},workdir=${link("work", overlay.work)}`;
  const options = isUser ? `${paths},userxattr` : paths;
  checkOverlay(place, options);
  return {
    Name: containerName(sandboxKey(folder)),
    Driver: "local",
    DriverOpts: { type: "overlay", device: "overlay", o: options },
    Labels: labelsOf(folder),
  };
}

function labelsOf(folder: string): object {
  return { [LABEL]: sandboxKey(folder), [FOLDER_LABEL]: folder };
}

function checkOverlay(place: string, options: string): void {
  const hint = "Use a state folder with another path, or --sandbox bubblewrap.";
  if (/[,:\\]/.test(place)) {
    const message = `the engine cannot make an overlay in ${place}: there is a comma, a colon or a backslash in its path`;
    throw new NightshiftError("E_SANDBOX_UNAVAILABLE", message, { hint });
  }
  if (Buffer.byteLength(options) > OVERLAY_OPTIONS_BYTES_MAX) {
    const message =
      "the engine cannot make the overlay: it has too many folders for the length of their paths";
    throw new NightshiftError("E_SANDBOX_UNAVAILABLE", message, { hint });
  }
}
