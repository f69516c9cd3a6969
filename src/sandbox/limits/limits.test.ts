import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, type TestContext, test } from "vitest";
import { DEFAULT_RESOURCES, type Resources } from "../contract.ts";
import { JOIN_FAILED, type Limits } from "./contract.ts";
import { createLimitKeeper, LIMITS_FILE, sweepLimits } from "./limits.ts";
import { readFacts } from "./means.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-limits-"));
});
afterEach(async () => {
  await sweepLimits(folder);
  rmSync(folder, { recursive: true, force: true });
});

const MEBIBYTE = 1024 ** 2;

function open(context: TestContext, resources: Partial<Resources>): Limits {
  const keeper = createLimitKeeper();
  if (!keeper.means.memory.startsWith("cgroup") || !keeper.means.processes.startsWith("cgroup")) {
    context.skip("this user may make no control groups here");
  }
  return keeper.open(folder, { ...DEFAULT_RESOURCES, ...resources });
}

function run(limits: Limits, script: string): { code: number | null; output: string } {
  const [program = "", ...rest] = limits.wrap(["/bin/bash", "-c", script]);
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: "utf8", timeout: 60_000 });
  return { code: status, output: `${stdout}${stderr}` };
}

async function start(limits: Limits, script: string): Promise<ChildProcess> {
  const [program = "", ...rest] = limits.wrap(["/bin/bash", "-c", `echo started; ${script}`]);
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "ignore"] });
  await once(child.stdout!, "data");
  return child;
}

function groupsOf(path: string): string[] {
  return (JSON.parse(readFileSync(join(path, LIMITS_FILE), "utf8")) as { groups: string[] }).groups;
}

test("a command becomes the wrapped one, with its arguments as they were", (context) => {
  const limits = open(context, {});
  const [program = "", ...rest] = limits.wrap(["/bin/echo", "--", "a b", "$c", ""]);
  expect(spawnSync(program, rest, { encoding: "utf8" }).stdout).toBe("-- a b $c \n");
});

test("a memory bomb is killed by the kernel, what runs beside it lives on, and it is told once", async (context) => {
  const limits = open(context, { memoryBytes: 64 * MEBIBYTE });
  const bystander = await start(limits, "sleep 600");
  expect(limits.tookMemoryKill()).toBe(false);
  const { output } = run(limits, "(head -c 1000000000 /dev/zero | tail); echo after");
  expect(output).toContain("after");
  expect(limits.tookMemoryKill()).toBe(true);
  expect(limits.tookMemoryKill()).toBe(false);
  expect(bystander.exitCode).toBeNull();
  expect(bystander.signalCode).toBeNull();
});

test("a fork bomb stays below the limit, and dies as a whole", async (context) => {
  const limits = open(context, { processes: 40 });
  const bomb = await start(limits, "bomb() { bomb | bomb & }; bomb; sleep 600");
  let peak = 0;
  for (let looks = 0; looks < 500 && peak < 40; looks++) {
    peak = Math.max(peak, limits.members().length);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(peak).toBeGreaterThan(20);
  expect(peak).toBeLessThanOrEqual(40);
  const groups = groupsOf(folder);
  const ended = once(bomb, "exit");
  await limits.end();
  await ended;
  expect(groups.filter((group) => existsSync(group))).toEqual([]);
  expect(existsSync(join(folder, LIMITS_FILE))).toBe(false);
});

test("what has ended, but was never waited for, takes nobody's place", async (context) => {
  const limits = open(context, { processes: 24 });
  // A process that becomes one that waits for nothing, with twenty children that end.
  const script = "for each in {1..20}; do sleep 1.5 & done; exec sleep 600";
  await start(limits, script);
  // Bash waits and tries again; this shell does not.
  const crowd = (count: number, seconds = 2): string =>
    `exec sh -c 'for each in $(seq ${count}); do sleep ${seconds} & done; wait; echo all'`;
  for (let looks = 0; limits.members().length > 1 && looks < 3000; looks++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(run(limits, crowd(10)).output).toMatch(/cannot fork/i);
  limits.tookMemoryKill();
  expect(run(limits, crowd(10, 0.1)).output).toBe("all\n");
  expect(run(limits, crowd(40)).output).toMatch(/cannot fork/i);
});

test("cores are shared out", (context) => {
  const limits = open(context, { cpus: 0.2 });
  if (!limits.inForce.cpus.startsWith("cgroup")) context.skip("no control group holds cores here");
  const script =
    "const end = performance.now() + 1000; while (performance.now() < end); console.log(process.cpuUsage().user)";
  const [program = "", ...rest] = limits.wrap([process.execPath, "-e", script]);
  const { stdout } = spawnSync(program, rest, { encoding: "utf8" });
  expect(Number(stdout)).toBeGreaterThan(0);
  expect(Number(stdout)).toBeLessThan(600_000);
});

test("a file cannot grow beyond its limit", (context) => {
  const limits = open(context, { fileBytes: MEBIBYTE });
  const { code } = run(limits, `head -c 3000000 /dev/zero > ${join(folder, "big")}`);
  expect(code).not.toBe(0);
  expect(readFileSync(join(folder, "big")).length).toBe(MEBIBYTE);
});

test("what cannot join does not run", async (context) => {
  const limits = open(context, {});
  await limits.end();
  expect(run(limits, "echo ran").code).toBe(JOIN_FAILED);
  expect(run(limits, "echo ran").output).not.toContain("ran\n");
});

test("limits are found again by their record, from any process, twice", async (context) => {
  const limits = open(context, {});
  const child = await start(limits, "sleep 600 & sleep 600");
  const again = open(context, {});
  expect(again.members()).toEqual(limits.members());
  const groups = groupsOf(folder);
  const ended = once(child, "exit");
  await sweepLimits(folder);
  await ended;
  expect(child.signalCode).toBe("SIGKILL");
  await sweepLimits(folder);
  expect(groups.filter((group) => existsSync(group))).toEqual([]);
});

test("a record that names a group of somebody else leads to nothing", async (context) => {
  const limits = open(context, {});
  const child = await start(limits, "sleep 600");
  const other = mkdtempSync(join(tmpdir(), "nightshift-limits-"));
  try {
    writeFileSync(join(other, LIMITS_FILE), JSON.stringify({ groups: groupsOf(folder) }));
    await sweepLimits(other);
    expect(limits.members()).toEqual([child.pid]);
  } finally {
    rmSync(other, { recursive: true });
  }
});

test("where no group can be made, a process cannot have more memory for its data than the limit", (context) => {
  const { prlimit } = readFacts();
  if (prlimit === undefined) context.skip("prlimit (util-linux) is not installed");
  const keeper = createLimitKeeper({ mountInfo: "", membership: "", prlimit, isRoot: true });
  expect(keeper.means).toEqual({ memory: "prlimit", processes: "none", cpus: "none" });
  const small = keeper.open(folder, { ...DEFAULT_RESOURCES, memoryBytes: 256 * MEBIBYTE });
  expect(run(small, "head -c 1000000000 /dev/zero | tail").output).toMatch(
    /memory exhausted|cannot allocate/i,
  );
  const limits = keeper.open(folder, { ...DEFAULT_RESOURCES, memoryBytes: 1024 * MEBIBYTE });
  // Reserving addresses is not using memory: an engine that reserves more than the limit starts.
  const wasm = "new WebAssembly.Memory({ initial: 1 }); console.log('fine')";
  expect(run(limits, `'${process.execPath}' -e "${wasm}"`).output).toBe("fine\n");
});
