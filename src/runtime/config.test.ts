import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { injectionsOf, loadSettings, secretsOf } from "./config.ts";
import { parseDuration } from "./duration.ts";
import { accessOf, missingKey, parseModelName } from "./providers.ts";
import { sessionConfig } from "./session-config.ts";

let folder = "";
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-config-")));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function writeConfig(config: unknown): void {
  mkdirSync(join(folder, ".config/nightshift"), { recursive: true });
  writeFileSync(join(folder, ".config/nightshift/config.json"), JSON.stringify(config));
}

type Flags = { state?: string; model?: string; judgeModels?: string[] };

function load(environment: Record<string, string> = {}, flags: Flags = {}) {
  return loadSettings({ environment: { HOME: folder, ...environment }, directory: folder, ...flags });
}

describe("settings", () => {
  test("work without anything set", async () => {
    const settings = await load();
    expect(settings).toMatchObject({ workspace: folder, model: undefined, file: {} });
    expect(settings.stateFolder.startsWith(join(folder, ".local/state/nightshift/"))).toBe(true);
  });

  test("an empty --state, of a variable that is not set, say, is not the current folder", async () => {
    await expect(load({}, { state: "" })).rejects.toMatchObject({ code: "E_USAGE" });
    expect((await load({ NIGHTSHIFT_STATE: "" })).stateFolder).toContain(".local/state/nightshift/");
  });

  test("come from flags, then the environment, then the file", async () => {
    writeConfig({ model: "anthropic:file", state: "/from-file" });
    expect(await load()).toMatchObject({ model: "anthropic:file", stateFolder: "/from-file" });
    const environment = { NIGHTSHIFT_MODEL: "openai:environment", NIGHTSHIFT_STATE: "from-environment" };
    expect(await load(environment)).toMatchObject({
      model: "openai:environment",
      stateFolder: join(folder, "from-environment"),
    });
    expect(await load(environment, { model: "scripted:flag", state: "/from-flag" })).toMatchObject({
      model: "scripted:flag",
      stateFolder: "/from-flag",
    });
    expect(await load({ NIGHTSHIFT_MODEL: "" })).toMatchObject({ model: "anthropic:file" });
  });

  test("name the judge's model apart from the model", async () => {
    expect(await load({ NIGHTSHIFT_MODEL: "openai:worker" })).toMatchObject({ judgeModels: [] });
    writeConfig({ judge_model: "anthropic:file" });
    expect(await load()).toMatchObject({ model: undefined, judgeModels: ["anthropic:file"] });
    const environment = { NIGHTSHIFT_JUDGE_MODEL: "openai:environment" };
    expect(await load(environment)).toMatchObject({ judgeModels: ["openai:environment"] });
    expect(
      await load(environment, { judgeModels: ["openai:flag", "openai:flag", "google:other"] }),
    ).toMatchObject({
      judgeModels: ["openai:flag", "google:other"],
    });
  });

  test("are YAML as well, and say in which line a mistake is", async () => {
    mkdirSync(join(folder, ".config/nightshift"), { recursive: true });
    const path = join(folder, ".config/nightshift/config.yaml");
    writeFileSync(path, "model: anthropic:yaml\nmax_cost: 2.5\n");
    expect(await load()).toMatchObject({ model: "anthropic:yaml", file: { max_cost: 2.5 } });
    writeFileSync(path, "model: anthropic:yaml\nmodel: anthropic:other\n");
    await expect(load()).rejects.toMatchObject({
      code: "E_CONFIG",
      message: expect.stringContaining("line 2"),
    });
    writeFileSync(path, "max_costs: 1\n");
    await expect(load()).rejects.toMatchObject({
      code: "E_CONFIG",
      message: expect.stringContaining("max_costs"),
    });
    writeFileSync(path, "# nothing yet\n");
    expect(await load()).toMatchObject({ file: {} });
    writeConfig({});
    await expect(load()).rejects.toMatchObject({ code: "E_CONFIG", hint: "Keep one of them." });
  });

  test.each([
    ["max_duration", "999ms"],
    ["max_active", "24d"],
    ["max_outage", 5],
    ["idle_timeout", "50ms"],
    ["max_attempts", 0],
    ["max_cost", 0],
    ["max_attempt_cost", 0.000_000_1],
    ["max_criterion_cost", -1],
    ["on_limit", "later"],
    ["fallback_model", "x"],
    ["max_failures", 1001],
    ["breaker", { "same-call": 0 }],
    ["breaker", { "same-cal": 3 }],
    ["breaker", { resets: "on" }],
  ])("take for %s what the flag takes, and not %j", async (field, value) => {
    writeConfig({ [field]: value });
    const message = expect.stringContaining(`config.json, ${field}`);
    await expect(load()).rejects.toMatchObject({ code: "E_CONFIG", message });
  });

  test.each([
    [{ secret_variable: "HOOK", on: ["nope"] }, /notify\.0\.on\.0: .*blocked/],
    [{}, /notify\.0\.secret_variable: /],
  ])("name what is wrong with a web hook that has %j", async (told, message) => {
    writeConfig({ notify: [{ webhook: "https://hook.example", ...told }] });
    await expect(load()).rejects.toMatchObject({ code: "E_CONFIG", message: expect.stringMatching(message) });
  });

  test("do not let aliases grow beyond measure", async () => {
    const lines = ["a: &a [x, x, x, x, x, x, x, x, x]"];
    for (let index = 0; index < 8; index++)
      lines.push(`l${index}: &${"bcdefghi"[index]} [${Array(9).fill(`*${"abcdefgh"[index]}`).join(", ")}]`);
    mkdirSync(join(folder, ".config/nightshift"), { recursive: true });
    writeFileSync(join(folder, ".config/nightshift/config.yaml"), lines.join("\n"));
    await expect(load()).rejects.toMatchObject({ code: "E_CONFIG" });
  });

  test("follow the XDG folders, but not relative ones", async () => {
    const given = await load({ XDG_STATE_HOME: "/xdg" });
    expect(given.stateFolder).toMatch(/^\/xdg\/nightshift\//);
    const relative = await load({ XDG_STATE_HOME: "xdg" });
    expect(relative.stateFolder).toMatch(new RegExp(`^${folder}/\\.local/state/`));
  });
});

describe("secrets of the environment", () => {
  test("are keys of models and whatever is named like one", () => {
    const secrets = secretsOf(
      {
        ANTHROPIC_API_KEY: "anthropic-value",
        OPENAI_API_KEY: "",
        GITHUB_TOKEN: "github-value",
        db_password: "password-value",
        AWS_SECRET_ACCESS_KEY: "aws-value",
        ACME_KEY_2: "acme-value",
        SSH_AUTH_SOCK: "/tmp/agent.sock",
        KEYBOARD: "us-layout",
        MONKEY: "banana-value",
        PATH: "/usr/bin",
        MY_PROVIDER: "custom-value",
      },
      { providers: { mine: { key_variable: "MY_PROVIDER" } } },
    );
    expect(secrets.sort()).toEqual(
      ["anthropic-value", "github-value", "password-value", "aws-value", "acme-value", "custom-value"].sort(),
    );
  });
});

describe("models", () => {
  test("are named provider:model; the model may have colons of its own", () => {
    expect(parseModelName("ollama:qwen3:32b")).toEqual({ provider: "ollama", id: "qwen3:32b" });
    for (const text of ["", "anthropic", ":x", "anthropic:", "acme:x", "toString:x", "__proto__:x"])
      expect(() => parseModelName(text), text).toThrowError(
        expect.objectContaining({ code: "E_MODEL_UNKNOWN" }),
      );
  });

  test("of a provider in the config file speak the compatible wire format", () => {
    const file = { providers: { acme: { base_url: "http://acme/v1", key_variable: "ACME" } } };
    expect(accessOf("acme", file)).toEqual({
      adapter: "openai-compatible",
      variable: "ACME",
      baseUrl: "http://acme/v1",
    });
    expect(accessOf("anthropic", { providers: { anthropic: { base_url: "http://gateway" } } })).toMatchObject(
      {
        adapter: "anthropic",
        variable: "ANTHROPIC_API_KEY",
        baseUrl: "http://gateway",
      },
    );
  });

  test("need their key, unless only the user knows the server", () => {
    expect(missingKey("anthropic", {})).toBe("ANTHROPIC_API_KEY");
    expect(missingKey("anthropic", { ANTHROPIC_API_KEY: "x" })).toBe(undefined);
    expect(missingKey("ollama", {})).toBe(undefined);
    expect(missingKey("openai-compatible", {})).toBe(undefined);
    expect(missingKey("scripted", {})).toBe(undefined);
  });
});

test.each([
  ["500ms", 500],
  ["90s", 90_000],
  ["10m", 600_000],
  ["2h", 7_200_000],
  ["1d", 86_400_000],
  ["0s", undefined],
  ["01s", undefined],
  ["1.5h", undefined],
  ["10", undefined],
  ["s", undefined],
])("the duration %j is %j ms", (text, ms) => expect(parseDuration(text)).toBe(ms));

test("a session's first event has everything that its schema asks for", async () => {
  const { CATALOGUE } = await import("../core/events/catalogue.ts");
  const config = sessionConfig({ model: "scripted:/x.json", workspace: "/w", limits: { tokens: 5 } });
  expect(CATALOGUE["session.created"].parse(config)).toEqual(config);
  expect(() => sessionConfig({ model: "scripted:/x", workspace: "/w", tools: ["hammer"] })).toThrowError(
    expect.objectContaining({ code: "E_TOOL_UNKNOWN" }),
  );
});

test("the tools that a session may name are the ones there are", async () => {
  const { builtinTools } = await import("../tool/builtin.ts");
  const { TOOL_NAMES } = await import("./session-config.ts");
  expect(builtinTools().map(({ name }) => name)).toEqual([...TOOL_NAMES]);
});

describe("headers that the egress proxy adds", () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the text is what a person writes
  const file = { inject: { "api.acme.example": { authorization: "Bearer ${ACME_TOKEN}" } } };
  test("are filled in from the environment, and are secrets", () => {
    const environment = { ACME_TOKEN: "acme-secret-value" };
    expect(injectionsOf(environment, file)).toEqual([
      { host: "api.acme.example", headers: { authorization: "Bearer acme-secret-value" } },
    ]);
    expect(secretsOf(environment, file)).toContain("acme-secret-value");
  });
  test("are refused when a variable is not set", () => {
    expect(() => injectionsOf({}, file)).toThrow(/authorization names ACME_TOKEN, which is not set/);
  });
});
