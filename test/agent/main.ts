/**
 * A real agent program as the worker, against a scripted provider on loopback: it mends a project to verified, also when
 * its harness is killed in the middle of a tool, and the key is nowhere but with the provider. The program is installed
 * from the registry into a temporary folder; it is no part of this project. Run with `npm run proof:agent`.
 */
import { strict as assert } from "node:assert";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { startScriptedServer } from "../../src/model/scripted-server.ts";
import { systemClock } from "../../src/runtime/system.ts";

const PACKAGE = "@anthropic-ai/claude-code";
const KEY = "key-canary-4711";
const folder = mkdtempSync(join(tmpdir(), "nightshift-agent-"));
const project = join(folder, "project");
const state = join(folder, "state");

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function install(): string | undefined {
  try {
    execFileSync("npm", ["install", "--silent", "--foreground-scripts", "--prefix", folder, PACKAGE], {
      stdio: "pipe",
    });
    const own = join(folder, "node_modules", PACKAGE);
    if (readdirSync(own).includes("install.cjs"))
      execFileSync(process.execPath, ["install.cjs"], { cwd: own, stdio: "pipe" });
    return join(folder, "node_modules", ".bin");
  } catch (error) {
    say(`skipped: ${PACKAGE} cannot be installed here (${String(error).split("\n")[0]})`);
    return undefined;
  }
}

function makeProject(): void {
  mkdirSync(project);
  writeFileSync(join(project, "math.mjs"), "export const add = (a, b) => a - b;\n");
  const test =
    'import assert from "node:assert";\nimport { test } from "node:test";\nimport { add } from "./math.mjs";\n\ntest("adds", () => assert.equal(add(1, 2), 3));\n';
  writeFileSync(join(project, "math.test.mjs"), test);
  const who = ["-c", "user.name=someone", "-c", "user.email=someone@example.test"];
  for (const words of [
    ["init", "-q"],
    ["add", "."],
    ["commit", "-qm", "base"],
  ])
    execFileSync("git", [...who, ...words], { cwd: project });
}

/** Everything of the sandbox that could hold a key: environment, arguments, files. The pattern does not match itself. */
const LOOK = [
  "look() { env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline; grep -rsa 'key[-]canary' /workspace /home /tmp /run /etc; }",
  "echo \"seen $(look 2>/dev/null | tr '\\0' '\\n' | grep -ac 'key[-]canary') times\"",
  "sleep 6",
].join("; ");

const TURNS = [
  { tools: [{ name: "Read", input: { file_path: "/workspace/math.mjs" } }] },
  { tools: [{ name: "Bash", input: { command: LOOK, description: "look around" } }] },
  {
    tools: [
      {
        name: "Edit",
        input: { file_path: "/workspace/math.mjs", old_string: "a - b", new_string: "a + b" },
      },
    ],
  },
  { text: "Done." },
];

interface Ending {
  readonly code: number | null;
  readonly output: string;
}

function start(words: readonly string[], bin: string) {
  const child = spawn(process.execPath, [resolve("bin/nightshift"), ...words], {
    cwd: project,
    env: {
      PATH: `${bin}:${process.env.PATH}`,
      HOME: folder,
      NIGHTSHIFT_STATE: state,
      ANTHROPIC_API_KEY: KEY,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (text: Buffer) => {
      output += text.toString();
    });
  const ended = new Promise<Ending>((done) => child.once("close", (code) => done({ code, output })));
  return { child, ended };
}

function events(): { readonly type: string; readonly body: Record<string, unknown> }[] {
  const words = [resolve("bin/nightshift"), "events", "--json"];
  const text = execFileSync(process.execPath, words, {
    cwd: project,
    env: { ...process.env, NIGHTSHIFT_STATE: state },
  });
  return text
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as never);
}

async function main(): Promise<void> {
  const bin = install();
  if (bin === undefined) return;
  makeProject();
  await using server = await startScriptedServer({ script: { turns: TURNS }, clock: systemClock, port: 0 });
  const program = [
    "claude",
    "-p",
    "{prompt}",
    "--output-format",
    "stream-json",
    "--verbose",
    "--dangerously-skip-permissions",
  ];
  const caps = ["--price", "3,15", "--max-cost", "20", "--max-verdicts", "2", "--attempt-timeout", "5m"];
  const model = ["--model", "anthropic:claude-sonnet-5", "--base-url", server.url];
  const first = start(["ralph", "--check", "node --test", ...model, ...caps, "--", ...program], bin);
  const over = first.ended.then(({ output }) => assert.fail(`it ended too early:\n${output}`));
  const midTool = async (): Promise<void> => {
    while (server.requests.length < 2 || server.openRequests > 0)
      await new Promise((done) => setTimeout(done, 50));
    await new Promise((done) => setTimeout(done, 1000));
  };
  await Promise.race([midTool(), over]);
  first.child.kill("SIGKILL");
  over.catch(() => undefined);
  say("the harness was killed in the middle of a tool");
  const { code, output } = await start(["resume", "--yes"], bin).ended;
  assert.equal(code, 0, output);
  const log = events();
  const of = (type: string) => log.filter((item) => item.type === type).map(({ body }) => body);
  assert.equal(of("attempt.started").length, 1, "the program was found again, not started anew");
  assert.equal(of("verdict.given").at(-1)?.outcome, "met");
  assert.equal(of("gateway.request_started").length, of("gateway.request_ended").length);
  assert.ok(!JSON.stringify(log).includes(KEY), "the key is not in the log");
  const bodies = server.requests.map(({ body }) => body.toString()).join("\n");
  assert.ok(bodies.includes("seen 0 times"), "the program has looked for the key");
  assert.ok(!bodies.includes(KEY), "nothing that the program has seen holds the key");
  say(
    `verified after ${of("gateway.request_started").length} requests; the key was seen by the provider only`,
  );
}

try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
