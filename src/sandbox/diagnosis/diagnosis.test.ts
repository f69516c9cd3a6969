import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isNightshiftError } from "../../core/errors.ts";
import { diagnoseBubblewrap } from "./bubblewrap.ts";
import type { DiagnosisCode, DiagnosisHost } from "./contract.ts";
import { diagnoseDocker } from "./docker.ts";
import { createDiagnosisHost } from "./host.ts";
import { pickBackend } from "./pick.ts";

interface Facts {
  readonly platform?: string;
  readonly isRoot?: boolean;
  readonly programs?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly exitCode?: number | null;
  readonly output?: string;
  readonly engine?: string;
  readonly engineError?: string;
}

function machine(facts: Facts): DiagnosisHost {
  const programs = facts.programs ?? ["bwrap"];
  const { engineError = "ENOENT" } = facts;
  return {
    platform: facts.platform ?? "linux",
    isRoot: facts.isRoot ?? false,
    engine: facts.engine ?? "unix:///run/engine.sock",
    findProgram: (name) => (programs.includes(name) ? `/usr/bin/${name}` : undefined),
    read: (path) => facts.files?.[path],
    probe: async () => ({ exitCode: facts.exitCode ?? 1, output: facts.output ?? "" }),
    ask: async () =>
      engineError === "none"
        ? { status: 200, body: '{"Version":"27.1"}' }
        : { error: engineError, message: "no" },
  };
}

const UBUNTU: Facts = {
  output: "bwrap: setting up uid map: Permission denied\n",
  files: { "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n" },
};

describe("bubblewrap, by what the machine says", () => {
  const table: readonly (readonly [DiagnosisCode, string, Facts])[] = [
    ["ready", "makes sandboxes", { exitCode: 42 }],
    ["not_linux", "darwin", { platform: "darwin" }],
    [
      "not_installed",
      "apt-get install bubblewrap",
      { programs: [], files: { "/etc/os-release": "ID=ubuntu" } },
    ],
    ["not_installed", "dnf install", { programs: [], files: { "/etc/os-release": 'ID_LIKE="rhel fedora"' } }],
    ["too_old", "0.8 or newer", { output: "bwrap: Unknown option --disable-userns" }],
    ["apparmor", "profile nightshift-bwrap /usr/bin/bwrap", UBUNTU],
    ["failed", "Permission denied", { ...UBUNTU, isRoot: true }],
    [
      "user_namespaces_off",
      "sysctl -w user.max_user_namespaces",
      { files: { "/proc/sys/user/max_user_namespaces": "0\n" } },
    ],
    [
      "user_namespaces_off",
      "sysctl -w kernel.unprivileged_userns_clone=1",
      { files: { "/proc/sys/kernel/unprivileged_userns_clone": "0\n" } },
    ],
    [
      "nested_container",
      "seccomp=unconfined",
      { output: "bwrap: Can't mount proc: Operation not permitted", files: { "/.dockerenv": "" } },
    ],
    [
      "nested_container",
      "kubepods",
      { isRoot: true, output: "bwrap: No permissions", files: { "/proc/1/cgroup": "0::/kubepods/pod1\n" } },
    ],
    ["nested_container", "apparmor", { ...UBUNTU, files: { ...UBUNTU.files, "/.dockerenv": "" } }],
    ["failed", "something new", { output: "bwrap: something new" }],
  ];
  test.each(table)("%s: %s", async (code, words, facts) => {
    const diagnosis = await diagnoseBubblewrap(machine(facts));
    expect(diagnosis.code).toBe(code);
    expect(JSON.stringify(diagnosis)).toContain(words);
  });

  test("the switch for all programs is never recommended", async () => {
    const diagnosis = await diagnoseBubblewrap(machine(UBUNTU));
    expect(JSON.stringify(diagnosis)).not.toMatch(/sysctl|apparmor_restrict/);
  });
});

describe("docker, by what the engine's socket says", () => {
  const table: readonly (readonly [DiagnosisCode, Facts])[] = [
    ["ready", { engineError: "none" }],
    ["not_installed", { engineError: "ENOENT" }],
    ["daemon_down", { engineError: "ENOENT", programs: ["docker"] }],
    ["daemon_down", { engineError: "ECONNREFUSED", programs: ["dockerd"] }],
    ["no_permission", { engineError: "EACCES" }],
    ["remote_engine", { engine: "tcp://build.example:2376", engineError: "none" }],
    ["failed", { engineError: "EPIPE" }],
    ["not_linux", { platform: "darwin", engineError: "none" }],
  ];
  test.each(table)("%s", async (code, facts) => {
    expect((await diagnoseDocker(machine(facts))).code).toBe(code);
  });
});

describe("the choice", () => {
  test("bubblewrap first, docker where it does not work", async () => {
    expect(await pickBackend(machine({ exitCode: 42, engineError: "none" }))).toBe("bubblewrap");
    expect(await pickBackend(machine({ exitCode: 1, engineError: "none" }))).toBe("docker");
  });

  const refusals: readonly (readonly [string, Facts])[] = [
    ["sudo apt-get install bubblewrap", { programs: [], files: { "/etc/os-release": "ID=debian" } }],
    ["profile nightshift-bwrap /usr/bin/bwrap flags=(unconfined) {", UBUNTU],
    ["sudo systemctl start docker", { programs: ["bwrap", "docker"], files: { "/.dockerenv": "" } }],
    ["--sandbox process", { platform: "darwin" }],
  ];
  test.each(refusals)("refuses, and names the step %s", async (step, facts) => {
    const error = await pickBackend(machine(facts)).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!isNightshiftError(error, "E_SANDBOX_UNAVAILABLE")) throw new Error(`refuses, not ${String(error)}`);
    expect(error.hint).toContain(step);
    expect(error.message).toMatch(/bubblewrap: .*docker: /);
  });
});

describe("this machine", () => {
  const real = createDiagnosisHost({ path: undefined, dockerHost: undefined });

  test("what bubblewrap says when user namespaces are used up is understood", async (context) => {
    if (real.findProgram("bwrap") === undefined) context.skip("bubblewrap is not installed");
    const script = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"';
    const wrap = (argv: readonly string[]): string[] => ["unshare", "-Ur", "sh", "-c", script, "sh", ...argv];
    if ((await real.probe(wrap(["true"]))).exitCode !== 0) context.skip("this user can make no namespaces");
    const host: DiagnosisHost = { ...real, probe: (argv) => real.probe(wrap(argv)) };
    const { code, fix } = await diagnoseBubblewrap(host);
    expect({ code, fix }).toEqual({
      code: "user_namespaces_off",
      fix: "sudo sysctl -w user.max_user_namespaces=15000",
    });
  });

  test("bubblewrap is ready when, and only when, it can be used", async (context) => {
    if (real.findProgram("bwrap") === undefined) context.skip("bubblewrap is not installed");
    const diagnosis = await diagnoseBubblewrap(real);
    const simple = ["bwrap", "--ro-bind", "/", "/", "--unshare-all", "--proc", "/proc", "true"];
    expect(diagnosis.code === "ready").toBe((await real.probe(simple)).exitCode === 0);
  });

  test("an engine is asked over its socket; one that is gone is down or not installed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "nightshift-engine-"));
    const socket = join(folder, "engine.sock");
    const server = createServer((_request, response) => response.end('{"Version":"1.2.3"}'));
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    const host = createDiagnosisHost({ path: undefined, dockerHost: `unix://${socket}` });
    try {
      expect(await diagnoseDocker(host)).toMatchObject({
        code: "ready",
        text: expect.stringContaining("1.2.3"),
      });
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
    expect((await diagnoseDocker(host)).code).toMatch(/daemon_down|not_installed/);
    rmSync(folder, { recursive: true });
  });

  test("a program that does not exist is no program", async () => {
    expect(real.findProgram("no-such-program")).toBeUndefined();
    expect((await real.probe(["no-such-program"])).exitCode).toBeNull();
  });
});
