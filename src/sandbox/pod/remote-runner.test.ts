import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Duplex, duplexPair } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isNightshiftError, NightshiftError } from "../../core/errors.ts";
import type { ExecId } from "../../core/ids.ts";
import type { Json } from "../../core/text.ts";
import type { ExecRequest, Operation } from "../contract.ts";
import type { RunHooks } from "../daemon/executions.ts";
import { FRAME_BYTES_MAX } from "../daemon/frames.ts";
import type { Pod } from "./contract.ts";
import { RemoteRunner } from "./remote-runner.ts";
import { RunnerHost } from "./runner-host.ts";
import type { RunnerConfig } from "./wire.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-wire-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Both ends of a wire, with a pod of which only the wire matters. */
class Setting {
  readonly far: Duplex;
  readonly runner: RemoteRunner;
  readonly losses: string[] = [];
  memoryKills = 0;
  readonly end: (reason: string) => void;

  constructor() {
    const [near, far] = duplexPair();
    this.far = far;
    const { promise, resolve } = Promise.withResolvers<{ readonly reason: string }>();
    this.end = (reason) => resolve({ reason });
    const pod: Pod = {
      wire: near,
      limits: { memory: "none", processes: "none", cpus: "none" },
      ended: promise,
      tookMemoryKill: () => this.memoryKills-- > 0,
      end: async () => undefined,
    };
    this.runner = new RemoteRunner(pod, (reason) => this.losses.push(reason));
  }

  /** Answers what the daemon asks as told, one line at a time. */
  answer(reply: (frame: { readonly type: string; readonly n: number }) => object | string | undefined): void {
    let text = "";
    this.far.setEncoding("utf8").on("data", (part: string) => {
      text += part;
      for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n")) {
        const answer = reply(JSON.parse(text.slice(0, end)));
        text = text.slice(end + 1);
        if (answer !== undefined)
          this.far.write(typeof answer === "string" ? answer : `${JSON.stringify(answer)}\n`);
      }
    });
  }
}

function request(operation: Operation, input: Json): ExecRequest {
  return {
    execId: "sesn_unit/c1_0/1" as ExecId,
    incarnation: "first",
    operation,
    input,
    limits: { wallMs: 10_000, outputBytes: 1000 },
  };
}

function hooks(changes: Partial<RunHooks> = {}): RunHooks {
  return { begun: async () => undefined, spawned: () => undefined, output: () => undefined, ...changes };
}

const codeOf = (error: unknown): string => (isNightshiftError(error) ? error.code : String(error));
const exited = (exitCode: number): Json => ({
  ending: "exited",
  exitCode,
  output: "",
  droppedBytes: 0,
  durationMs: 1,
});
const shell = request("shell", { command: "true" });

describe("what the kernel kills for want of memory", () => {
  test("makes the failure of whatever ran at that time one for want of memory, and of nothing later", async () => {
    const setting = new Setting();
    const frames: number[] = [];
    setting.answer(({ n }) => {
      frames.push(n);
      return undefined;
    });
    const runs = [await setting.runner.begin(shell, hooks()), await setting.runner.begin(shell, hooks())];
    setting.memoryKills = 1;
    await expect.poll(() => frames.length).toBe(2);
    for (const n of frames)
      setting.far.write(`${JSON.stringify({ type: "answer", n, value: exited(137) })}\n`);
    const results = await Promise.all(runs.map(({ done }) => done));
    expect(results.map(({ ending, exitCode }) => [ending, exitCode])).toEqual([
      ["out_of_memory", null],
      ["out_of_memory", null],
    ]);
    const later = await setting.runner.begin(shell, hooks());
    await expect.poll(() => frames.length).toBe(3);
    setting.far.write(`${JSON.stringify({ type: "answer", n: frames[2], value: exited(1) })}\n`);
    expect((await later.done).ending).toBe("exited");
  });

  test("is no failure of a command that ends well", async () => {
    const setting = new Setting();
    setting.memoryKills = 1;
    setting.answer(({ n }) => ({ type: "answer", n, value: exited(0) }));
    expect((await (await setting.runner.begin(shell, hooks())).done).ending).toBe("exited");
  });
});

describe("a wire that breaks", () => {
  test.each([
    ["because its other end is gone", (setting: Setting) => setting.far.end()],
    ["because the pod has ended", (setting: Setting) => setting.end("killed")],
    ["because of nonsense", (setting: Setting) => setting.far.write("nonsense\n")],
    ["because of a frame without a type", (setting: Setting) => setting.far.write("{}\n")],
    [
      "because of a frame without end",
      (setting: Setting) => setting.far.write("x".repeat(2 * FRAME_BYTES_MAX + 1)),
    ],
  ])("%s loses everything, once", async (_, damage) => {
    const setting = new Setting();
    setting.answer(() => undefined);
    const run = await setting.runner.begin(shell, hooks());
    damage(setting);
    expect(codeOf(await run.done.catch((error: unknown) => error))).toBe("E_SANDBOX_LOST");
    await run.stop("cancelled");
    expect(codeOf(await setting.runner.sweep(shell.execId).catch((error: unknown) => error))).toBe(
      "E_SANDBOX_LOST",
    );
    expect(setting.losses).toHaveLength(1);
  });
});

describe("with a runner at the other end", () => {
  function serve(setting: Setting): Promise<void> {
    const [pipeFolder, root] = [join(folder, "pipes"), join(folder, "workspace")];
    for (const path of [pipeFolder, root]) mkdirSync(path);
    const place = { wire: setting.far, pipeFolder, pipeMaker: { program: "mkfifo" }, reaper: undefined };
    const _host = new RunnerHost(place, () => undefined);
    const environment = { PATH: process.env["PATH"] ?? "" };
    const config: RunnerConfig = {
      key: "nsunit",
      root,
      environment,
      leftovers: [],
      egress: null,
      gateway: null,
    };
    return setting.runner.start(config);
  }

  test("commands run, and their output is shown meanwhile", async () => {
    const setting = new Setting();
    await serve(setting);
    let shown = "";
    const command = "echo seen; until test -e go; do sleep 0.01; done; exit 4";
    const run = await setting.runner.begin(
      request("shell", { command }),
      hooks({ output: (chunk) => (shown += chunk.toString()) }),
    );
    await expect.poll(() => shown).toBe("seen\n");
    await (await setting.runner.begin(request("shell", { command: "touch go" }), hooks())).done;
    expect(await run.done).toMatchObject({ ending: "exited", exitCode: 4, output: "seen\n" });
  });

  test("a command that cannot be noted down does not begin", async () => {
    const setting = new Setting();
    await serve(setting);
    const full = new NightshiftError("E_SANDBOX_UNAVAILABLE", "the disk is full");
    const begun = async (): Promise<void> => Promise.reject(full);
    await expect(
      setting.runner.begin(request("shell", { command: "touch made" }), hooks({ begun })),
    ).rejects.toBe(full);
    expect(readdirSync(join(folder, "workspace"))).toEqual([]);
  });

  test("a change waits until it is noted down, and is not made when that fails", async () => {
    const setting = new Setting();
    await serve(setting);
    const places: (string | undefined)[] = [];
    const write = request("write", { file_path: "file", content: "new" });
    const refusing = hooks({ begun: async () => Promise.reject(new Error("the disk is full")) });
    const failed = await (await setting.runner.begin(write, refusing)).done.catch((error: unknown) => error);
    expect(codeOf(failed)).toBe("E_SANDBOX_UNAVAILABLE");
    expect(readdirSync(join(folder, "workspace"))).toEqual([]);
    const run = await setting.runner.begin(
      write,
      hooks({
        begun: async (temporary) => {
          places.push(temporary);
          expect(readdirSync(join(folder, "workspace"))).toEqual([]);
        },
      }),
    );
    expect(await run.done).toMatchObject({ ending: "exited", exitCode: 0 });
    expect(places[0]).toMatch(/\.tmp$/);
    expect(readFileSync(join(folder, "workspace", "file"), "utf8")).toBe("new");
  });

  test("prepare looks and touches nothing", async () => {
    const setting = new Setting();
    await serve(setting);
    const reply = await setting.runner.prepare("write", { file_path: "file", content: "new" });
    expect(reply).toMatchObject({ status: "prepared", path: "file", before: null });
  });
});
