import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bodiesOf, type LoggedEvent, Place } from "./place.ts";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place[Symbol.asyncDispose]());

const SAYS_OK = { turns: [{ text: "All right." }] };

function sessionIn(stdout: string): string {
  return /sesn_[0-9a-z]+/.exec(stdout)?.[0] ?? "";
}

describe("run", () => {
  test("does the work, shows it in 80 columns without colour, and leaves a sound log", async () => {
    const model = place.script({
      turns: [
        { text: "I write.", tools: [{ name: "write", input: { file_path: "a.txt", content: "hello\n" } }] },
        { tools: [{ name: "bash", input: { command: `cat a.txt; printf '\\033[31m${"x".repeat(200)}'` } }] },
        { text: "Done." },
      ],
    });
    const { code, stdout, stderr } = await place.run(["run", "write", "a file", "--model", model]);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(
      /you {6}write a file\n[\s\S]*agent {4}I write\.\n[\s\S]*write {4}a\.txt\n[\s\S]*agent {4}Done\./,
    );
    expect(stderr).toMatch(/^warning: .*no isolation/m);
    const lines = stdout.split("\n").filter((line) => !/^(head|state) /.test(line));
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).not.toContain("\u001b");
    expect(readFileSync(join(place.project, "a.txt"), "utf8")).toBe("hello\n");
    const events = await place.events(sessionIn(stdout));
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)?.type).toBe("sandbox.destroyed");
    await place.expectSound();
  });

  test("with --json prints one value in the end", async () => {
    const result = await place.json(["run", "hello", "--model", place.script(SAYS_OK), "--tools", "none"]);
    expect(result).toMatchObject({
      phase: "idle",
      stop_reason: { type: "end_turn" },
      exit_code: 0,
      usage: { model_requests: 1, unsettled_requests: 0 },
    });
    expect(result.head).toMatch(/^\d+:[0-9a-f]{64}$/);
  });

  test("takes the prompt from standard input, and the model from environment or config", async () => {
    const model = place.script(SAYS_OK);
    const piped = await place.run(["run", "-", "--tools", "none"], {
      input: "from a pipe\n",
      env: { NIGHTSHIFT_MODEL: model },
    });
    expect(piped.code, piped.stderr).toBe(0);
    expect(piped.stdout).toContain("from a pipe");
    writeConfig({ model, system: "Be brief.", max_output_tokens: 99, tool_timeout: "7s", tools: ["bash"] });
    const { stdout } = await place.run(["run", "configured"]);
    const [created] = bodiesOf(await place.events(sessionIn(stdout)), "session.created");
    expect(created).toMatchObject({
      agent: { system: "Be brief.", tools: ["bash"], model: { max_output_tokens: 99 } },
      policy: { tool_wall_ms: 7000 },
    });
  });

  test("stores a script's path as it is from anywhere", async () => {
    place.script(SAYS_OK);
    const { stdout } = await place.run(["run", "x", "--model", "scripted:script.json", "--tools", "none"]);
    const [created] = bodiesOf(await place.events(sessionIn(stdout)), "session.created");
    expect(created).toMatchObject({ agent: { model: { id: join(place.project, "script.json") } } });
  });

  test("a cap on requests ends it with 3, and resume with a higher one goes on", async () => {
    const look = { tools: [{ name: "glob", input: { pattern: "*" } }] };
    const model = place.script({ turns: [look, look, { text: "Seen enough." }] });
    const first = await place.run(["run", "look", "--model", model, "--max-requests", "1"]);
    expect(first.code, first.stderr).toBe(3);
    const session = sessionIn(first.stdout);
    expect(first.stderr).toContain(`nightshift resume ${session} --max-requests`);
    const again = await place.run(["resume", session, "--max-requests", "10"]);
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toMatch(/stands {3}a cap was reached[\s\S]*Seen enough\./);
    await place.expectSound();
  });

  test("a cap on money is kept from reservations", async () => {
    const model = place.script(SAYS_OK);
    const words = ["run", "x", "--model", model, "--tools", "none", "--max-cost", "0.01"];
    const { code, stdout } = await place.run([...words, "--price", "3,15"]);
    expect(code).toBe(3);
    const events = await place.events(sessionIn(stdout));
    expect(bodiesOf(events, "budget.exhausted")).toMatchObject([{ cap: "cost_micro_usd", limit: 10_000 }]);
    expect(bodiesOf(events, "span.model_request_start")).toEqual([]);
  });
});

function writeConfig(config: unknown): void {
  mkdirSync(join(place.folder, "config/nightshift"), { recursive: true });
  const text = typeof config === "string" ? config : JSON.stringify(config);
  writeFileSync(join(place.folder, "config/nightshift/config.json"), text);
}

describe("what is wrong is said before anything is made", () => {
  test.each([
    ...["3x", "0", "-1", "1e99"].map((value) => [
      `--max-requests=${value}`,
      "--max-requests takes a whole number",
    ]),
    ["--max-cost=3x", "--max-cost takes an amount"],
    ["--max-tokens=", "--max-tokens takes a whole number"],
    ["--idle-timeout=10", "--idle-timeout takes a duration"],
    ["--tool-timeout=1ms", "--tool-timeout takes a duration"],
    ["--steering=later", "--steering takes one of enqueue, interrupt, reject"],
    ["--price=3", "--price takes two amounts"],
    ["--base-url=ftp://x", "--base-url takes an address"],
    ["--sandbox=moon", 'no sandbox backend "moon"; there are'],
    ["--tools=hammer", 'no tool "hammer"; there are bash'],
    ["--max-cost=5", "a cap in money needs the price"],
    ["--model=nonsense", "is not of the form provider:model"],
    ["--model=acme:one", 'no model provider "acme"'],
    ["--model=openai-compatible:one", "the address of model provider"],
    ["--state", "argument missing"],
    ["--nonsense", "unknown option '--nonsense'"],
    ["-C=nowhere", "does not exist"],
  ])("run %s", async (flag, message) => {
    const { code, stderr } = await place.run(["run", "x", "--model", place.script(SAYS_OK), flag]);
    expect(stderr).toMatch(/^error\[E_(USAGE|CONFIG|MODEL_UNKNOWN|BACKEND_UNKNOWN|TOOL_UNKNOWN)\]: /m);
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^next: ./m);
    expect(code).toBe(2);
    expect(existsSync(place.state)).toBe(false);
  });

  test("a missing key: 77, and it names the variable", async () => {
    const { code, stderr } = await place.run(["run", "x", "--model", "anthropic:claude-sonnet-5"]);
    expect(code).toBe(77);
    expect(stderr).toMatch(/error\[E_MODEL_KEY_MISSING\]: .*ANTHROPIC_API_KEY/);
    expect(existsSync(place.state)).toBe(false);
  });

  test.each([
    ["{", "E_SCRIPT_INVALID", "is not JSON"],
    ['{"turns": [{"text": 1}]}', "E_SCRIPT_INVALID", "turns[0].text"],
    [undefined, "E_SCRIPT_INVALID", "cannot be read"],
  ])("the script %s", async (text, errorCode, message) => {
    const path = text === undefined ? join(place.folder, "none.json") : place.write("bad.json", text);
    const { code, stderr } = await place.run(["run", "x", "--model", `scripted:${path}`]);
    expect(stderr).toContain(`error[${errorCode}]`);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(existsSync(place.state)).toBe(false);
  });

  test.each([
    ["{", "config.json, line 1"],
    [{ modle: "x" }, "modle"],
    [{ model: "x" }, "config.json, model: must be provider:model"],
    [{ idle_timeout: "soon" }, "config.json, idle_timeout: must be a duration"],
    [{ providers: { acme: { base_url: "nowhere" } } }, "config.json, providers.acme.base_url"],
  ])("the config file %j", async (config, message) => {
    writeConfig(config);
    const { code, stderr } = await place.run(["run", "x", "--model", place.script(SAYS_OK)]);
    expect(stderr).toMatch(/^error\[E_CONFIG\]: /);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(existsSync(place.state)).toBe(false);
  });

  test.each([
    ["thrown", "throw new Error('stray')"],
    ["rejected", "Promise.reject(new Error('stray'))"],
  ])("what is %s where nobody catches it: 70, for 1 is a verdict's", async (_how, code) => {
    const soon = `process.on("newListener", (name) => {
      if (name === "uncaughtException") setImmediate(() => { ${code} });
    });`;
    const nodeFlags = ["--import", `data:text/javascript,${encodeURIComponent(soon)}`];
    const ending = await place.run(["doctor", "--json"], { nodeFlags });
    expect(ending.code, ending.stderr).toBe(70);
    expect(JSON.parse(ending.stdout)).toMatchObject({ error: { code: "E_INTERNAL" } });
  });

  test("errors are one JSON value with --json", async () => {
    const { code, stdout } = await place.run(["run", "x", "--json", "--model", "anthropic:claude-sonnet-5"]);
    expect(code).toBe(77);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: "E_MODEL_KEY_MISSING", data: { variable: "ANTHROPIC_API_KEY" } },
    });
  });

  test.each([[[]], [["--help"]], [["run", "--help"]], [["--version"]], [["help", "run"]]])(
    "%j is answered at once",
    async (words) => {
      const { code, stdout } = await place.run(words);
      expect(code).toBe(0);
      expect(stdout).toMatch(words.includes("--version") ? /^\d+\.\d+\.\d+\n$/ : /^Usage: nightshift/);
    },
  );
});

describe("secrets", () => {
  test("no key of the environment gets into sandbox or log", async () => {
    const key = "sk-test-4f1d8a7b3c2e9f605a4b";
    const model = place.script({
      turns: [
        { tools: [{ name: "bash", input: { command: "env; echo $OPENAI_API_KEY $MY_TOKEN" } }] },
        { text: `The key is ${key}.` },
      ],
    });
    const { stdout, code } = await place.run(["run", `use ${key}`, "--model", model], {
      env: { OPENAI_API_KEY: key, MY_TOKEN: "another-secret-value" },
    });
    expect(code).toBe(0);
    const events: LoggedEvent[] = await place.events(sessionIn(stdout));
    const text = JSON.stringify(events) + stdout;
    expect(text).not.toContain(key);
    expect(text).not.toContain("another-secret-value");
    expect(JSON.stringify(bodiesOf(events, "agent.message"))).toContain("[redacted:");
  });
});
