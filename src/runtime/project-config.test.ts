import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadSettings, stateHome } from "./config.ts";
import { loadProject } from "./project-config.ts";
import { addTrust, removeTrust } from "./trust.ts";

let home = "";
let project = "";
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-project-")));
  project = join(home, "work/project");
  mkdirSync(join(project, ".git"), { recursive: true });
  mkdirSync(join(project, "packages/one"), { recursive: true });
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const environment = (): Record<string, string> => ({ HOME: home });
const write = (text: string): void => writeFileSync(join(project, "nightshift.yaml"), text);
const load = (folder = project) =>
  loadSettings({ environment: environment(), directory: folder, usesProject: true });

async function trust(): Promise<void> {
  const found = await loadProject(project, stateHome(environment()));
  if (found === undefined) throw new Error("there is no file");
  addTrust(stateHome(environment()), found);
}

test("what could run code, name hosts, loosen the sandbox or raise caps is refused until it is trusted", async () => {
  const powers = [
    "check: npm test",
    "contract: contract.json",
    "setup: npm test",
    "network: [example.com]",
    "sandbox: process",
    "model: anthropic:x",
    "system: obey",
    "deps: allow",
    "protection: additive",
    "idle_timeout: 9d",
    "rubric: fine",
    "breaker: { same-call: 1 }",
    "on_limit: wait",
    "fallback_model: openai:x",
    "max_outage: 9d",
    "max_failures: 1000",
  ];
  for (const line of powers) {
    write(`${line}\n`);
    const field = line.split(":")[0];
    await expect(load(), line).rejects.toMatchObject({
      code: "E_CONFIG_UNTRUSTED",
      data: { fields: [field] },
    });
    await trust();
    expect(Object.keys((await load()).file), line).toContain(field);
  }
});

test("what only narrows counts at once, and of two caps the smaller one", async () => {
  mkdirSync(join(home, ".config/nightshift"), { recursive: true });
  writeFileSync(
    join(home, ".config/nightshift/config.yaml"),
    "max_cost: 2\nmax_tokens: 10\nmax_cost_per_day: 9\n",
  );
  write(
    "protect: ['ci/**']\nprotection: strict\nmax_cost: 5\nmax_tokens: 5\nmax_requests: 7\nmax_cost_per_day: 20\n",
  );
  expect((await load()).file).toEqual({
    protect: ["ci/**"],
    protection: "strict",
    max_cost: 2,
    max_tokens: 5,
    max_requests: 7,
    max_cost_per_day: 9,
  });
  await trust();
  expect((await load()).file).toMatchObject({ max_cost: 5, max_tokens: 5, max_cost_per_day: 9 });
  write("max_cost_per_day: 3\n");
  expect((await load()).file).toMatchObject({ max_cost_per_day: 3 });
});

test("caps on costs, attempts and time are caps, too, whatever unit they are told in", async () => {
  mkdirSync(join(home, ".config/nightshift"), { recursive: true });
  const user = ["max_attempts: 9", "max_attempt_cost: 1", "max_duration: 90m", "max_active: 2h"];
  writeFileSync(join(home, ".config/nightshift/config.yaml"), user.join("\n"));
  const more = ["max_attempts: 10", "max_attempt_cost: 0.5", "max_criterion_cost: 3"];
  write([...more, "max_duration: 2h", "max_active: 119m"].join("\n"));
  expect((await load()).file).toEqual({
    max_attempts: 9,
    max_attempt_cost: 0.5,
    max_criterion_cost: 3,
    max_duration: "90m",
    max_active: "119m",
  });
});

test("trust is about exactly one text of one file, and can be taken back", async () => {
  write("check: npm test\n");
  await trust();
  expect((await load()).file).toEqual({ check: "npm test" });
  write("check: npm test # and more\n");
  await expect(load()).rejects.toMatchObject({ code: "E_CONFIG_UNTRUSTED" });
  write("check: npm test\n");
  expect((await load()).file).toEqual({ check: "npm test" });
  expect(removeTrust(stateHome(environment()), join(project, "nightshift.yaml"))).toBe(true);
  await expect(load()).rejects.toMatchObject({ code: "E_CONFIG_UNTRUSTED" });
});

test("a record of trust that is damaged trusts nothing, and is made anew", async () => {
  write("check: npm test\n");
  await trust();
  const record = join(stateHome(environment()), "trust.json");
  for (const text of ["", "{", '{"files": 1}', '{"files": [null, {"path": 1}]}', "null"]) {
    writeFileSync(record, text);
    await expect(load(), text).rejects.toMatchObject({ code: "E_CONFIG_UNTRUSTED" });
  }
  await trust();
  expect((await load()).file).toEqual({ check: "npm test" });
  expect(JSON.parse(readFileSync(record, "utf8"))).toMatchObject({ version: 1 });
});

test("the nearest file within the repository counts, and none above it", async () => {
  writeFileSync(join(home, "nightshift.yaml"), "check: npm test\n");
  expect((await load(join(project, "packages/one"))).file).toEqual({});
  write("protect: [a]\ncontract: plans/next.json\n");
  await trust();
  expect((await load(join(project, "packages/one"))).file).toEqual({
    protect: ["a"],
    contract: join(project, "plans/next.json"),
  });
  writeFileSync(join(project, "packages/one/nightshift.yaml"), "protect: [b]\n");
  expect((await load(join(project, "packages/one"))).file).toEqual({ protect: ["b"] });
});

test("a file that is a folder, or a broken one, is refused", async () => {
  mkdirSync(join(project, "nightshift.yaml"));
  await expect(load()).rejects.toMatchObject({ code: "E_CONFIG" });
  rmSync(join(project, "nightshift.yaml"), { recursive: true });
  write("check: [");
  await expect(load()).rejects.toMatchObject({
    code: "E_CONFIG",
    message: expect.stringContaining("line 1"),
  });
});
