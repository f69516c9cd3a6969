/** Why bubblewrap does not work here. */
import type { Diagnosis, DiagnosisCode, DiagnosisHost } from "./contract.ts";

/** Every kind of namespace and mount that a pod needs, around a program that does nothing. */
function probeOf(program: string): string[] {
  const namespaces = ["--unshare-all", "--unshare-user", "--disable-userns"];
  const identity = ["--uid", "1000", "--gid", "1000", "--cap-drop", "ALL", "--clearenv", "--as-pid-1"];
  const system = [
    "--ro-bind",
    "/usr",
    "/usr",
    "--symlink",
    "usr/bin",
    "/bin",
    "--symlink",
    "usr/lib",
    "/lib",
  ];
  const kernel = ["--symlink", "usr/lib64", "/lib64", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"];
  return [program, ...namespaces, ...identity, ...system, ...kernel, "/bin/sh", "-c", "exit 42"];
}

/** What the probe exits with when everything works: no failure of bubblewrap has this number. */
const WORKED = 42;

const APPARMOR_SWITCH = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";
const NAMESPACES_MAX = "/proc/sys/user/max_user_namespaces";
const DEBIAN_SWITCH = "/proc/sys/kernel/unprivileged_userns_clone";
const OUTPUT_LENGTH_MAX = 300;

const INSTALL: readonly (readonly [distributions: RegExp, command: string])[] = [
  [/\b(debian|ubuntu)\b/, "sudo apt-get install bubblewrap"],
  [/\b(fedora|rhel|centos)\b/, "sudo dnf install bubblewrap"],
  [/\barch\b/, "sudo pacman -S bubblewrap"],
  [/\bsuse\b|opensuse/, "sudo zypper install bubblewrap"],
  [/\balpine\b/, "sudo apk add bubblewrap"],
];

/** Starts a pod of nothing; when that fails, finds out why. */
export async function diagnoseBubblewrap(host: DiagnosisHost): Promise<Diagnosis> {
  if (host.platform !== "linux") {
    return finding("not_linux", `bubblewrap is for Linux, and this is ${host.platform}`);
  }
  const program = host.findProgram("bwrap");
  if (program === undefined) {
    return finding("not_installed", "bubblewrap is not installed", installCommand(host));
  }
  const { exitCode, output } = await host.probe(probeOf(program));
  if (exitCode === WORKED) return finding("ready", `${program} makes sandboxes`);
  const said = output.trim().slice(-OUTPUT_LENGTH_MAX) || "it said nothing";
  if (/unknown option/i.test(output)) {
    return finding("too_old", `${program} lacks an option (${said})`, "install bubblewrap 0.8 or newer");
  }
  return causeOf(host, program, said);
}

/** Most certain first: a switch that is off explains everything; being in a container explains the rest. */
function causeOf(host: DiagnosisHost, program: string, said: string): Diagnosis {
  const off = namespacesOff(host, said);
  if (off !== undefined) return off;
  const isContainer = containerSign(host);
  if (isContainer !== undefined) {
    return finding(
      "nested_container",
      `this is a container itself (${isContainer}), whose engine forbids namespaces or mounts (${said})`,
      "start the container with --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined; or, as it isolates already, pass --sandbox process",
    );
  }
  if (!host.isRoot && host.read(APPARMOR_SWITCH)?.trim() === "1") {
    return {
      ...finding("apparmor", `AppArmor keeps ${program} from making user namespaces (${said})`),
      fix: "save the lines below as /etc/apparmor.d/nightshift-bwrap, then run: sudo apparmor_parser -r /etc/apparmor.d/nightshift-bwrap",
      verbatim: appArmorProfile(program),
    };
  }
  return finding("failed", `${program} does not work: ${said}`, `run: ${probeOf(program).join(" ")}`);
}

function namespacesOff(host: DiagnosisHost, said: string): Diagnosis | undefined {
  const text = "user namespaces are switched off";
  if (host.read(NAMESPACES_MAX)?.trim() === "0" || /max_\*?_?\w*namespaces exceeded/.test(said)) {
    return finding(
      "user_namespaces_off",
      `${text} (user.max_user_namespaces)`,
      "sudo sysctl -w user.max_user_namespaces=15000",
    );
  }
  if (!host.isRoot && host.read(DEBIAN_SWITCH)?.trim() === "0") {
    return finding(
      "user_namespaces_off",
      `${text} (kernel.unprivileged_userns_clone)`,
      "sudo sysctl -w kernel.unprivileged_userns_clone=1",
    );
  }
  return undefined;
}

/** What gives a container away. */
export function containerSign(host: DiagnosisHost): string | undefined {
  const files = ["/.dockerenv", "/run/.containerenv", "/run/systemd/container"];
  const found = files.find((path) => host.read(path) !== undefined);
  if (found !== undefined) return found;
  const groups = host.read("/proc/1/cgroup") ?? "";
  return /\/(docker|kubepods|lxc|libpod|containerd)[/-]/.exec(groups)?.[1];
}

/** For this one program; the switch for all programs stays as it is. */
function appArmorProfile(program: string): string[] {
  return [
    "abi <abi/4.0>,",
    "include <tunables/global>",
    `profile nightshift-bwrap ${program} flags=(unconfined) {`,
    "  userns,",
    "  include if exists <local/nightshift-bwrap>",
    "}",
  ];
}

function installCommand(host: DiagnosisHost): string {
  const release = host.read("/etc/os-release") ?? "";
  const ids = [...release.matchAll(/^ID(?:_LIKE)?=(.*)$/gm)].map((match) => match[1]).join(" ");
  const row = INSTALL.find(([pattern]) => pattern.test(ids));
  return row?.[1] ?? "install the package bubblewrap";
}

function finding(code: DiagnosisCode, text: string, fix?: string): Diagnosis {
  return { backend: "bubblewrap", code, text, ...(fix !== undefined && { fix }) };
}
