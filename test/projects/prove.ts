/** Real projects: sessions make what they need, change them and test them offline, driven by the built program. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, statSync, symlinkSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { beforeEach, expect, type TestContext, test } from "vitest";
import { removeTree } from "../../src/environment/store.ts";
import type { IsolatedBackend } from "../../src/sandbox/diagnosis/contract.ts";
import { createDiagnosisHost } from "../../src/sandbox/diagnosis/host.ts";
import { diagnose } from "../../src/sandbox/diagnosis/pick.ts";
import { bodiesOf, type Ending, Place } from "../end-to-end/place.ts";
import { missing } from "../environment/place.ts";
import { fingerprint } from "../support/fingerprint.ts";
import { settingsOfClients, unpackProject, WheelIndex, writeRequirements } from "./published.ts";
import { PROJECTS, type Project } from "./table.ts";

const { PATH: path, DOCKER_HOST: dockerHost } = process.env;
const host = createDiagnosisHost({ path, dockerHost });
/** Lines of output that the assertions, and a reader of their failure, are about. */
const SHOWN_LINES = 60;

let place: Place;
let index: WheelIndex | undefined;
let clients: Record<string, string | undefined>;

async function dispose(): Promise<void> {
  index?.close();
  index = undefined;
  removeTree(join(place.state, "layers"));
  await place[Symbol.asyncDispose]();
}

function git(...words: readonly string[]): void {
  const who = ["-c", "user.name=me", "-c", "user.email=me@example.org"];
  execFileSync("git", [...who, ...words], { cwd: place.project });
}

/** Makes the project's repository; nobody but the clients of this machine fetches anything. */
async function begin(context: TestContext, project: Project): Promise<void> {
  const reason = missing(...project.programs.filter((program) => program !== "pnpm"));
  if (reason !== undefined) context.skip(reason);
  const isPython = project.source === "pip";
  try {
    await unpackProject(project, place.project);
    index = await WheelIndex.start(join(place.folder, "wheels"), isPython);
    clients = await settingsOfClients();
  } catch (error) {
    context.skip(`the packages cannot be fetched: ${String(error).split("\n")[0]}`);
  }
  if (index === undefined) return context.skip("this machine has no address but loopback");
  if (isPython) {
    writeRequirements(place.project, index);
    clients.PIP_INDEX_URL = index.url;
  }
  const bin = join(place.folder, "clients", "bin");
  mkdirSync(bin, { recursive: true });
  const pnpm = resolve("node_modules/pnpm/bin/pnpm.cjs");
  chmodSync(pnpm, 0o755);
  symlinkSync(pnpm, join(bin, "pnpm"));
  clients.PATH = [bin, path].join(delimiter);
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "As published");
}

/** Lets a session change the project and run a command without a way out. */
function session(backend: string, project: Project, { change, command }: Project["good"]): Promise<Ending> {
  const { address, port } = index!;
  const edit = { file_path: change.path, old_string: change.before, new_string: change.after };
  const tests = `{ ${command}; } >/tmp/output 2>&1; echo "it ended with $?"; tail -n ${SHOWN_LINES} /tmp/output`;
  const way = `timeout 5 bash -c 'exec 3<>/dev/tcp/${address}/${port}' && echo reached || echo no route`;
  const turns = [
    { tools: [{ name: "edit", input: edit }] },
    { tools: [{ name: "bash", input: { command: tests, timeout_ms: 240_000 } }] },
    { tools: [{ name: "bash", input: { command: way } }] },
    { text: "Done." },
  ];
  const model = place.script({ turns }, "../script.json");
  const words = ["run", "go", "--sandbox", backend, "--setup", project.setup, "--model", model];
  return place.run(words, { env: clients });
}

/** What the tools of the newest session answered. */
async function answers(): Promise<string[]> {
  const { sessions } = (await place.json(["list"])) as { sessions: { session_id: string }[] };
  const bodies = bodiesOf(await place.events(sessions[0]?.session_id ?? ""), "agent.tool_result");
  return bodies.map(({ content }) => textOf(content));
}

function textOf(content: unknown): string {
  const blocks = Array.isArray(content) ? content : [];
  return blocks.map((block: { text?: string }) => block.text ?? "").join("\n");
}

/** Which layers there are, so that one that was made again would show. */
function layers(): string[] {
  const folder = join(place.state, "layers", "layers");
  return readdirSync(folder).map((key) => `${key} ${statSync(join(folder, key)).ino}`);
}

async function expectAnswers(ending: Ending, code: RegExp, says: readonly RegExp[]): Promise<void> {
  expect(ending.code, ending.stdout + ending.stderr).toBe(0);
  const [, tested = "", way = ""] = await answers();
  expect(tested).toMatch(code);
  for (const pattern of says) expect(tested).toMatch(pattern);
  expect(way).toContain("no route");
}

/** Declares the tests of every project in a sandbox; each backend has a file, so that they run side by side. */
export function proveProjects(backend: IsolatedBackend): void {
  beforeEach(async (context) => {
    const { code, text } = await diagnose(backend, host);
    if (code !== "ready") return context.skip(text);
    place = new Place();
    return dispose;
  });

  test.for(PROJECTS)("$name: $kind", async (project, context) => {
    await begin(context, project);
    const before = fingerprint(place.project);
    const first = await session(backend, project, project.good);
    await expectAnswers(first, /it ended with 0\n/, project.good.says);
    const made = layers();
    expect(made).toHaveLength(1);
    const heard = index!.heard.length;
    expect(heard > 0).toBe(project.source === "pip");

    const second = await session(backend, project, project.bad);
    await expectAnswers(second, /it ended with [1-9]/, project.bad.says);
    expect(layers()).toEqual(made);
    expect(index!.heard).toHaveLength(heard);
    expect(fingerprint(place.project)).toBe(before);
    const left = readdirSync(join(place.state, "sandboxes", backend));
    expect(left.filter((name) => name.startsWith("sbox_"))).toEqual([]);
    await place.expectSound();
  });
}
