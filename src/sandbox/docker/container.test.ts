import { mkdtempSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { SandboxId } from "../../core/ids.ts";
import { DEFAULT_RESOURCES, type SandboxSpec } from "../contract.ts";
import { containerOptions, overlayVolume } from "./container.ts";
import { imageArchive, imageTag, readImageFacts } from "./image.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-container-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Options {
  readonly Env: readonly string[];
  readonly HostConfig: {
    readonly [name: string]: unknown;
    readonly Mounts: readonly {
      readonly Source: string;
      readonly Target: string;
      readonly ReadOnly: boolean;
    }[];
  };
}

function optionsFor(spec: Partial<SandboxSpec>, cores = 8): Options {
  const whole = {
    id: "sbox_a_0" as SandboxId,
    workspace: "/somewhere",
    noContactMs: 1,
    options: {},
    ...spec,
  };
  return containerOptions({
    spec: whole,
    folder,
    image: "image:1",
    user: "1000:1000",
    engine: {
      isRootless: false,
      remapsUsers: false,
      cores,
      limits: { memory: true, processes: true, cpus: true },
    },
    podFolder: join(folder, "pod"),
    tools: { node: "/tools/node", mkfifo: "/tools/mkfifo", reaper: "/tools/reaper" },
    code: { files: { "/package": "/nightshift/src" }, entry: "/nightshift/src/runner.ts" },
    volume: undefined,
  }) as unknown as Options;
}

test("a pod has no network, no rights, no way to get any, and limits", () => {
  const { HostConfig } = optionsFor({});
  expect(HostConfig).toMatchObject({
    NetworkMode: "none",
    ReadonlyRootfs: true,
    Privileged: false,
    CapDrop: ["ALL"],
    SecurityOpt: expect.arrayContaining(["no-new-privileges:true", expect.stringMatching(/^seccomp=\{/)]),
    Memory: DEFAULT_RESOURCES.memoryBytes,
    MemorySwap: DEFAULT_RESOURCES.memoryBytes,
    PidsLimit: DEFAULT_RESOURCES.processes,
    NanoCpus: DEFAULT_RESOURCES.cpus * 1e9,
  });
});

test("cores that the machine does not have are not asked for", () => {
  expect(optionsFor({}, 2).HostConfig).toMatchObject({ NanoCpus: 2e9 });
});

test("only the workspace, the wire's folder and what the spec says may be written", () => {
  const mounts = [
    { source: "/a", target: "/b", access: "read-only" },
    { source: "/c", target: "/d", access: "read-write" },
  ] as const;
  const { HostConfig } = optionsFor({ mounts, egress: "/way/out/proxy.sock" });
  const writable = HostConfig.Mounts.filter((mount) => !mount.ReadOnly).map(({ Target }) => Target);
  expect(writable.sort()).toEqual(["/d", "/run/nightshift/pod", "/workspace"]);
  expect(HostConfig.Mounts).toContainEqual(
    expect.objectContaining({ Source: "/way/out", Target: "/run/nightshift/egress", ReadOnly: true }),
  );
});

test("nothing of the harness's environment is passed on", () => {
  expect(optionsFor({}).Env.map((each) => each.split("=")[0])).toEqual(["PATH", "NIGHTSHIFT_EXEC"]);
});

test("no character of an overlay's paths means anything to the engine", () => {
  const overlay = { lower: ["/x,y:z", "/plain"], upper: "/u,p", work: "/w:k" };
  const volume = overlayVolume(folder, overlay, true) as { DriverOpts: { o: string } };
  const { o } = volume.DriverOpts;
  expect(o).not.toMatch(/x,y|u,p|w:k/);
  expect(o.split(",").at(-1)).toBe("userxattr");
  const [first = "", second = ""] = /lowerdir=([^,]*)/.exec(o)?.[1]?.split(":") ?? [];
  expect([readlinkSync(first), readlinkSync(second)]).toEqual(["/x,y:z", "/plain"]);
});

test("an overlay of more folders than the kernel takes is refused", () => {
  const lower = Array.from({ length: 200 }, (_each, index) => `/layer-${index}`);
  expect(() => overlayVolume(folder, { lower, upper: "/u", work: "/w" }, false)).toThrow(/too many folders/);
});

test("an image changes its name when, and only when, its content changes", () => {
  const [one, same, other] = [readImageFacts(1, 2), readImageFacts(1, 2), readImageFacts(3, 2)];
  expect(imageTag(one)).toBe(imageTag(same));
  expect(imageTag(one)).not.toBe(imageTag(other));
  expect(imageArchive(one).equals(imageArchive(same))).toBe(true);
});
