import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually, Place } from "./place.ts";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place[Symbol.asyncDispose]());

describe("doctor", () => {
  test("tries everything, names keys without showing them, and leaves nothing behind", async () => {
    const { code, stdout } = await place.run(["doctor"], { env: { ANTHROPIC_API_KEY: "not-to-be-shown" } });
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/^ok {3}nightshift +\d+\.\d+\.\d+ on Node \d+\.\d+\.\d+, SQLite 3\./m);
    expect(stdout).toMatch(/^ok {3}commit +written, synced and read back in/m);
    expect(stdout).toMatch(/^warn sandbox process +ready in .*; no isolation/m);
    expect(stdout).toMatch(/^ok {3}keys +ANTHROPIC_API_KEY set$/m);
    expect(stdout).not.toContain("not-to-be-shown");
    expect(readdirSync(place.folder)).toEqual(["project"]);
  });

  test("says what is missing and how to mend it", async () => {
    const { code, stdout } = await place.run(["doctor"], { env: { PATH: place.folder } });
    expect(code).toBe(69);
    expect(stdout).toMatch(/^FAIL bash +not found on the PATH\n +fix: install bash/m);
    expect(stdout).toMatch(/^warn keys[\s\S]*fix: set one of ANTHROPIC_API_KEY/m);
    mkdirSync(join(place.folder, "config/nightshift"), { recursive: true });
    const hook = { name: "phone", webhook: "https://a.example", secret_variable: "HOOK" };
    writeFileSync(join(place.folder, "config/nightshift/config.json"), JSON.stringify({ notify: [hook] }));
    const json = await place.run(["doctor", "--json"], { env: { PATH: place.folder } });
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: false,
      findings: expect.arrayContaining([
        expect.objectContaining({
          name: "notify",
          verdict: "warning",
          fix: expect.stringContaining("set HOOK"),
        }),
      ]),
    });
  });
});

describe("conformance", () => {
  test("runs the contract of a seam on a backend", async () => {
    const { code, stdout } = await place.run(["conformance", "store", "--backend", "memory"]);
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/^ok {4}store memory: .* \(\d+ ms\)\n/);
    expect(stdout).toMatch(/\n\d{2,} passed, 0 failed\n$/);
  });

  test.each([
    [["conformance", "moon"], "there are store, sandbox, model"],
    [["conformance", "store", "--backend", "moon"], "there are memory, sqlite"],
    [["conformance", "--backend", "memory"], "needs the seam"],
  ])("%j", async (words, message) => {
    const { code, stderr } = await place.run(words);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});

describe("demo", () => {
  function demoFolders(): string[] {
    return readdirSync(tmpdir()).filter((name) => name.startsWith("nightshift-demo-"));
  }

  test("claims, kills, asks, cheats, is verified and proves everything, and cleans up", async () => {
    const demo = place.start(["demo"]);
    const folder = await demo.says(/state {4}(\S+)\/state\n/);
    const { code, stdout, stderr } = await demo.ended;
    expect(code, stdout + stderr).toBe(0);
    expect(stdout.match(/^ {3}yes /gm)).toHaveLength(10);
    expect(stdout).toMatch(/kill -9[\s\S]*kill -9[\s\S]*All of it held/);
    // What is there to be copied is not cut, and a report that no terminal shows is Markdown.
    const told = stdout.replace(/^6\. [\s\S]*?(?=^7\. )/m, "").split("\n");
    const lines = told.filter((line) => !/^ {3}\| +(head|state) | --state /.test(line));
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  }, 300_000);

  test("Ctrl-C in the middle leaves nothing behind", async () => {
    const before = demoFolders();
    const demo = place.start(["demo"]);
    await demo.says(/echo "invoice/);
    demo.child.kill("SIGINT");
    const { code, stderr } = await demo.ended;
    expect(stderr).toContain("nothing is left behind");
    expect(code).toBe(130);
    await eventually(() => demoFolders().every((name) => before.includes(name)), "the clean-up");
  }, 120_000);
});

describe("model-server", () => {
  test("serves a script until it is ended", async () => {
    place.script({ turns: [{ text: "Served." }] }, "served.json");
    const server = place.start(["model-server", "served.json"]);
    const url = await server.says(/(http:\/\/127\.0\.0\.1:\d+)\n/);
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "any", messages: [{ role: "user", content: "hello" }] }),
    });
    expect(await response.text()).toContain("Served.");
    server.child.kill("SIGTERM");
    expect((await server.ended).code).toBe(0);
  });

  test("names a broken script and a taken port", async () => {
    place.write("bad.json", "{");
    const broken = await place.run(["model-server", "bad.json"]);
    expect(broken.stderr).toMatch(/^error\[E_SCRIPT_INVALID\]/);
    place.script({ turns: [] }, "served.json");
    const server = place.start(["model-server", "served.json"]);
    const port = await server.says(/127\.0\.0\.1:(\d+)\n/);
    const taken = await place.run(["model-server", "served.json", "--port", port]);
    expect(taken.stderr).toMatch(/^error\[E_USAGE\]: cannot listen/);
    expect(taken.code).toBe(2);
  });
});
