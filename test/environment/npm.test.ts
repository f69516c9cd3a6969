import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ensureLayer } from "../../src/environment/index.ts";
import { missing, openPlace, type Place } from "./place.ts";

const PROBE = `
const { createConnection } = require("node:net");
const socket = createConnection({ host: "127.0.0.1", port: 3128 });
const write = (text) => require("node:fs").writeFileSync(__dirname + "/built", text);
socket.once("connect", () => { write("a way out"); process.exit(0); });
socket.once("error", () => { write("no way out"); });`;

let place: Place;

beforeEach(async (context) => {
  const reason = missing("npm");
  if (reason !== undefined) context.skip(reason);
  place = await openPlace();
});

afterEach(() => place?.close());

interface Entry {
  readonly resolved?: string;
  readonly integrity?: string;
  readonly [field: string]: unknown;
}

function writeProject(packages: Readonly<Record<string, Entry>>, dependencies: Record<string, string>): void {
  const manifest = { name: "project", version: "1.0.0", scripts: { test: "node test.js" }, dependencies };
  const lock = {
    name: "project",
    version: "1.0.0",
    lockfileVersion: 3,
    packages: { "": manifest, ...packages },
  };
  place.write({ "package.json": JSON.stringify(manifest), "package-lock.json": JSON.stringify(lock) });
}

/** A project with one dependency that wants to run something at its installation. */
function writeUsualProject(): void {
  const { resolved, integrity } = place.packages.addNpm(
    {
      name: "greeter",
      version: "1.2.3",
      scripts: { preinstall: "echo pre > pre", postinstall: "node probe.js" },
    },
    { "index.js": "module.exports = 'hello';", "probe.js": PROBE },
  );
  writeProject(
    { "node_modules/greeter": { version: "1.2.3", resolved, integrity, hasInstallScript: true } },
    {
      greeter: "1.2.3",
    },
  );
  place.write({ "test.js": "if (require('greeter') !== 'hello') process.exit(1); console.log('fine');" });
}

describe("npm", () => {
  test("a check runs offline, on what was fetched without and built offline", async () => {
    writeUsualProject();
    const layer = await place.ensure(["npm", "test"]);
    expect(layer.isReused).toBe(false);
    const { exitCode, output } = await place.run(layer, "npm test && cat node_modules/greeter/built");
    expect(output).toContain("fine");
    expect(output).toContain("no way out");
    expect(exitCode).toBe(0);
    const denied = await place.run(
      layer,
      "echo x >> node_modules/greeter/index.js; rm -rf node_modules/greeter; ls node_modules",
    );
    expect(denied.output).toMatch(/Read-only file system[\s\S]*greeter/);
    expect(
      (await place.run(layer, "mkdir -p node_modules/.cache/x && echo y > node_modules/.cache/x/z")).exitCode,
    ).toBe(0);
    expect(place.packages.requests.every((request) => request.startsWith("GET /greeter"))).toBe(true);
  });

  test("a package of a repository has its own layer, in its own folder", async () => {
    writeUsualProject();
    const files = ["package.json", "package-lock.json", "test.js"];
    for (const file of files)
      place.write({ [`apps/web/${file}`]: readFileSync(join(place.project, file), "utf8") });
    rmSync(join(place.project, "package-lock.json"));
    place.write({ "apps/web/src/a.js": "" });
    const plan = await place.plan(["npm", "test"], undefined, "apps/web/src");
    expect(plan.folder).toBe("apps/web");
    const layer = await ensureLayer(plan, place.tools);
    const { exitCode, output } = await place.run(
      layer,
      "cd apps/web && npm test; ls /workspace/node_modules",
    );
    expect(output).toContain("fine");
    expect(output).toMatch(/cannot access|No such file/);
    expect(exitCode).not.toBe(0);
    await expect(place.plan(["npm", "test"])).rejects.toThrow("there is nothing to set up");
  });

  test("what belongs to a check is looked for from its folder up; neither links nor what is not there count", async () => {
    writeUsualProject();
    place.write({ "apps/web/requirements.txt": "", "other/go.mod": "module x" });
    symlinkSync(join(place.project, "other"), join(place.project, "apps/linked"));
    const folderOf = async (argv: readonly string[], folder: string): Promise<string> =>
      (await place.plan(argv, undefined, folder)).folder;
    expect(await folderOf(["npm", "test"], "apps/web")).toBe("");
    expect(await folderOf(["npm", "test"], "apps/linked")).toBe("");
    expect(await folderOf(["npm", "test"], "apps/gone")).toBe("");
    expect(await folderOf(["npm", "test"], "../../etc")).toBe("");
  });

  test("a layer is made once, also by two at the same time, and again for another lockfile", async () => {
    writeUsualProject();
    const both = await Promise.all([place.ensure(["npm", "test"]), place.ensure(["npx", "x"])]);
    expect(both.map(({ isReused }) => isReused).sort()).toEqual([false, true]);
    expect(both[0].key).toBe(both[1].key);
    const asked = place.packages.requests.length;
    expect((await place.ensure(["npm", "test"])).isReused).toBe(true);
    expect(place.packages.requests).toHaveLength(asked);
    place.write({ "test.js": "process.exit(0)" });
    expect((await place.plan(["npm", "test"])).key).toBe(both[0].key);
    const lock = readFileSync(join(place.project, "package-lock.json"), "utf8");
    place.write({ "package-lock.json": `${lock}\n` });
    expect((await place.plan(["npm", "test"])).key).not.toBe(both[0].key);
  });

  test("the fetch sees manifests and nothing else, and runs nothing of theirs", async () => {
    writeUsualProject();
    place.write({ "secret.txt": "canary", "src/index.js": "canary" });
    const plan = await place.plan(["npm", "test"]);
    expect(plan.inputs.map(({ path }) => path)).toEqual(["package-lock.json"]);
    expect(Object.keys(plan.standIns)).toEqual(["package.json"]);
    const [step] = plan.fetch;
    const script = `${step!.argv.join(" ")} >&2 && ls -A . node_modules/greeter; exit 9`;
    const attempt = ensureLayer({ ...plan, fetch: [{ ...step!, argv: ["sh", "-c", script] }] }, place.tools);
    await expect(attempt).rejects.toMatchObject({ code: "E_LAYER_FAILED" });
    const lines = ((await attempt.catch((error: Error) => error.message)) as string).split("\n");
    for (const name of ["built", "pre", "secret.txt", "src"]) expect(lines).not.toContain(name);
    for (const name of ["node_modules", "package.json", "probe.js"]) expect(lines).toContain(name);
    expect(readdirSync(join(place.root, "layers", "making"))).toEqual([]);
    expect(readdirSync(join(place.root, "layers", "layers"))).toEqual([]);
  });

  test("members of a workspace get theirs", async () => {
    const one = place.packages.addNpm(
      { name: "dep", version: "1.0.0" },
      { "index.js": "module.exports = 1;" },
    );
    const two = place.packages.addNpm(
      { name: "dep", version: "2.0.0" },
      { "index.js": "module.exports = 2;" },
    );
    const root = {
      name: "root",
      version: "1.0.0",
      workspaces: ["packages/*"],
      dependencies: { dep: "1.0.0" },
    };
    const member = { name: "@scope/a", version: "1.0.0", dependencies: { dep: "2.0.0" } };
    const packages = {
      "": root,
      "node_modules/@scope/a": { resolved: "packages/a", link: true },
      "node_modules/dep": { version: "1.0.0", ...one, path: undefined },
      "packages/a": { name: "@scope/a", version: "1.0.0", dependencies: { dep: "2.0.0" } },
      "packages/a/node_modules/dep": { version: "2.0.0", ...two, path: undefined },
    };
    place.write({
      "package.json": JSON.stringify(root),
      "package-lock.json": JSON.stringify({ name: "root", lockfileVersion: 3, packages }),
      "packages/a/package.json": JSON.stringify(member),
      "packages/a/index.js": "module.exports = require('dep');",
    });
    const layer = await place.ensure(["npm", "test"]);
    const { output } = await place.run(layer, `node -p "require('dep') + ' ' + require('@scope/a')"`);
    expect(output.trim()).toBe("1 2");
  });
});

describe("npm refuses", () => {
  test.each([
    ["a git dependency", { resolved: "git+ssh://git@git.test/x.git#abc" }],
    ["an address elsewhere", { resolved: "https://evil.test/x/-/x-1.0.0.tgz", integrity: "sha512-x" }],
    ["another package's file", { resolved: "OWN/y/-/y-1.0.0.tgz", integrity: "sha512-x" }],
    ["a file of another scope", { resolved: "OWN/@s/x/-/y-1.0.0.tgz", integrity: "sha512-x" }],
    ["a file", { resolved: "file:../x.tgz", integrity: "sha512-x" }],
    ["what has no integrity", {}],
    ["a link that leads out", { resolved: "../elsewhere", link: true }],
  ])("%s", async (_what, { resolved, ...entry }: Entry) => {
    const address = resolved?.replace("OWN", place.packages.origin);
    const told = address === undefined ? {} : { resolved: address };
    writeProject({ "node_modules/x": { version: "1.0.0", ...entry, ...told } }, { x: "1.0.0" });
    await expect(place.plan(["npm", "test"])).rejects.toMatchObject({ code: "E_SOURCE_REFUSED" });
  });

  test("nothing of an alias that says so, or of a registry whose addresses name no package", async () => {
    const { origin } = place.packages;
    const entry = { version: "1.0.0", integrity: "sha512-x" };
    writeProject(
      {
        "node_modules/x": { ...entry, name: "@s/y", resolved: `${origin}/@s%2fy/-/y-1.0.0.tgz` },
        "node_modules/z": { ...entry, resolved: `${origin}/download/z/1.0.0/0123` },
      },
      { x: "npm:@s/y@1.0.0", z: "1.0.0" },
    );
    expect((await place.plan(["npm", "test"])).ecosystem).toBe("npm");
  });

  test.each([
    ["git+https://git.test/x.git"],
    ["user/repository"],
    ["https://evil.test/x.tgz"],
    ["file:../x"],
  ])("a manifest that asks for %s", async (range) => {
    writeProject({}, { x: range });
    await expect(place.plan(["npm", "test"])).rejects.toMatchObject({ code: "E_SOURCE_REFUSED" });
  });

  test("settings that lead elsewhere", async () => {
    writeUsualProject();
    place.write({ ".npmrc": "@scope:registry=https://evil.test/\n" });
    await expect(place.plan(["npm", "test"])).rejects.toMatchObject({ code: "E_SOURCE_REFUSED" });
  });

  test("bytes that are not what the lockfile promises", async () => {
    writeUsualProject();
    const other = place.packages.addNpm({ name: "other", version: "1.0.0" }, { "index.js": "evil" });
    const response = await fetch(`http://127.0.0.1:${place.packages.port}${other.path}`);
    place.packages.replace("/greeter/-/greeter-1.2.3.tgz", Buffer.from(await response.arrayBuffer()));
    const attempt = place.ensure(["npm", "test"]);
    await expect(attempt).rejects.toMatchObject({ code: "E_SOURCE_REFUSED" });
    expect(readdirSync(join(place.root, "layers", "layers"))).toEqual([]);
  });

  test("files that have changed since the plan", async () => {
    writeUsualProject();
    const plan = await place.plan(["npm", "test"]);
    writeFileSync(join(place.project, "package-lock.json"), "{}");
    await expect(ensureLayer(plan, place.tools)).rejects.toMatchObject({ code: "E_LAYER_FAILED" });
    rmSync(join(place.project, "package-lock.json"));
    expect(existsSync(join(place.root, "layers", "layers", plan.key))).toBe(false);
  });
});
