import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const MAIN = `
  process.on("SIGTERM", () => process.exit(7));
  console.log("main", process.argv.slice(2).join(" "));
  if (process.argv[2] === "wait") setInterval(() => {}, 1000);
  else if (process.argv[2] === "die") process.kill(process.pid, "SIGKILL");
  else process.exitCode = 3;
`;

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-launcher-"));
  cpSync("bin", join(folder, "bin"), { recursive: true });
  write("package.json", '{ "type": "module" }');
  write("outdated.cjs", 'Object.defineProperty(process, "versions", { value: { node: "20.20.2" } });');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(join(folder, dirname(path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function bundleNode(version: string): void {
  write("node_modules/node/package.json", JSON.stringify({ version }));
  mkdirSync(join(folder, "node_modules/node/bin"));
  symlinkSync(process.execPath, join(folder, "node_modules/node/bin/node"));
}

function launch(options: { outdated: boolean }, ...commandLine: string[]): ChildProcess {
  const preloaded = options.outdated ? ["--require", join(folder, "outdated.cjs")] : [];
  return spawn(process.execPath, [...preloaded, join(folder, "bin/nightshift"), ...commandLine], {
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function outcome(child: ChildProcess): Promise<{ output: string; code: number | null }> {
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk) => (output += chunk));
  const [code] = (await once(child, "close")) as [number | null];
  return { output, code };
}

test("it starts the built program and passes arguments and exit code on", async () => {
  write("dist/cli/main.js", MAIN);
  expect(await outcome(launch({ outdated: false }, "run", "--fast"))).toEqual({
    output: "main run --fast\n",
    code: 3,
  });
});

test("without a build it says how to build", async () => {
  const { output, code } = await outcome(launch({ outdated: false }));
  expect(output).toContain("npm run build");
  expect(code).toBe(70);
});

test("a program that fails to load exits with 70", async () => {
  write("dist/cli/main.js", 'import "./missing.js";');
  expect((await outcome(launch({ outdated: false }))).code).toBe(70);
});

test("on an outdated Node it uses the bundled one", async () => {
  write("dist/cli/main.js", MAIN);
  bundleNode("24.0.0");
  expect(await outcome(launch({ outdated: true }, "status"))).toEqual({ output: "main status\n", code: 3 });
});

test("on an outdated Node a death by signal becomes 128 and its number", async () => {
  write("dist/cli/main.js", MAIN);
  bundleNode("24.0.0");
  expect((await outcome(launch({ outdated: true }, "die"))).code).toBe(137);
});

test("on an outdated Node it forwards signals", async () => {
  write("dist/cli/main.js", MAIN);
  bundleNode("24.0.0");
  const child = launch({ outdated: true }, "wait");
  child.stdout?.once("data", () => child.kill("SIGTERM"));
  expect((await outcome(child)).code).toBe(7);
});

test.each(["", "18.0.0"])(
  "on an outdated Node with the bundled one being %j it names the Node it needs",
  async (version) => {
    if (version !== "") bundleNode(version);
    const { output, code } = await outcome(launch({ outdated: true }));
    expect(output).toMatch(/^nightshift needs Node 22\.13 or newer; this is .*\n$/);
    expect(code).toBe(2);
  },
);
