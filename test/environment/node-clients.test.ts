/** pnpm and both generations of Yarn: the real clients, on packages of a registry on loopback. */
import { execFile } from "node:child_process";
import { hash } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, type TestContext, test } from "vitest";
import { ensureLayer } from "../../src/environment/index.ts";
import { TEST_CERTIFICATE } from "../support/certificate.ts";
import { missing, openPlace, type Place } from "./place.ts";

let place: Place;
let dependency: { readonly resolved: string; readonly integrity: string; readonly path: string };

const MANIFEST = {
  name: "project",
  version: "1.0.0",
  private: true,
  workspaces: ["packages/*"],
  scripts: { test: "node test.js" },
  dependencies: { greeter: "1.2.3" },
};

async function setUp(context: TestContext, { isSecure = false } = {}): Promise<void> {
  const reason = missing("npm");
  if (reason !== undefined) context.skip(reason);
  place = await openPlace({ isSecure });
  dependency = place.packages.addNpm(
    { name: "greeter", version: "1.2.3", scripts: { postinstall: "echo built > built" } },
    { "index.js": "module.exports = 'hello';" },
  );
  place.write({
    "package.json": JSON.stringify(MANIFEST),
    "packages/a/package.json": JSON.stringify({
      name: "a",
      version: "1.0.0",
      dependencies: { greeter: "1.2.3" },
      scripts: { prepare: "exit 7" },
    }),
    "packages/a/index.js": "module.exports = require('greeter') + ' from a';",
    "test.js": "console.log(require('greeter'), require('./packages/a'));",
  });
}

afterEach(() => place?.close());

const BUILT = "cat node_modules/greeter/built";

describe("pnpm", () => {
  function writeLock(integrity: string): void {
    const lock = [
      "lockfileVersion: '9.0'",
      "settings:",
      "  autoInstallPeers: true",
      "  excludeLinksFromLockfile: false",
      "importers:",
      ...[".", "packages/a"].flatMap((folder) => [
        `  ${folder}:`,
        "    dependencies:",
        "      greeter:",
        "        specifier: 1.2.3",
        "        version: 1.2.3",
      ]),
      "packages:",
      "  greeter@1.2.3:",
      `    resolution: {integrity: ${integrity}}`,
      "snapshots:",
      "  greeter@1.2.3: {}",
      "",
    ];
    place.write({
      "pnpm-lock.yaml": lock.join("\n"),
      "pnpm-workspace.yaml": "packages:\n  - 'packages/*'\nonlyBuiltDependencies:\n  - greeter\n",
    });
  }

  beforeEach(async (context) => {
    await setUp(context);
    place.addClient("pnpm", "pnpm/bin/pnpm.cjs");
  });

  test("sets a workspace up and runs its check offline", async () => {
    writeLock(dependency.integrity);
    const layer = await place.ensure(["pnpm", "test"]);
    const { output, exitCode } = await place.run(layer, `pnpm test && ${BUILT}`);
    expect(output).toContain("hello hello from a");
    expect(output).toContain("built");
    expect(exitCode).toBe(0);
  });

  test("refuses bytes that are not what the lockfile promises, and other sources", async () => {
    writeLock(`sha512-${hash("sha512", "something else", "base64")}`);
    await expect(place.ensure(["pnpm", "test"])).rejects.toMatchObject({ code: "E_SOURCE_REFUSED" });
    for (const resolution of [
      "{tarball: https://evil.test/x.tgz, integrity: sha512-x}",
      "{type: git, repo: https://git.test/x.git, commit: abc}",
      "{directory: ../x, type: directory}",
      "{tarball: file:x.tgz}",
    ]) {
      place.write({
        "pnpm-lock.yaml": `importers:\n  .: {}\npackages:\n  x@1:\n    resolution: ${resolution}\n`,
      });
      await expect(place.plan(["pnpm", "test"]), resolution).rejects.toMatchObject({
        code: "E_SOURCE_REFUSED",
      });
    }
  });
});

describe("Yarn 1", () => {
  const lockOf = (resolved: string, integrity: string): string =>
    `# yarn lockfile v1\n\n\ngreeter@1.2.3:\n  version "1.2.3"\n  resolved "${resolved}"\n  integrity ${integrity}\n`;

  beforeEach(async (context) => {
    await setUp(context);
    place.addClient("yarn", "yarn-classic/bin/yarn.js");
  });

  test("sets a workspace up and runs its check offline, whatever `.yarnrc` wants to run", async () => {
    place.write({
      "yarn.lock": lockOf(dependency.resolved, dependency.integrity),
      ".yarnrc": 'yarn-path "./evil.js"\n',
      "evil.js": "throw new Error('it ran')",
    });
    const layer = await place.ensure(["yarn", "test"]);
    const { output, exitCode } = await place.run(layer, `YARN_IGNORE_PATH=1 yarn test && ${BUILT}`);
    expect(output).toContain("hello hello from a");
    expect(output).toContain("built");
    expect(exitCode).toBe(0);
  });

  test("refuses bytes that are not what the lockfile promises, and other sources", async () => {
    const other = `sha512-${hash("sha512", "something else", "base64")}`;
    place.write({ "yarn.lock": lockOf(dependency.resolved, other) });
    await expect(place.ensure(["yarn", "test"])).rejects.toMatchObject({ code: "E_SOURCE_REFUSED" });
    for (const resolved of [
      "https://evil.test/x.tgz#abc",
      "git+ssh://git@git.test/x.git#abc",
      "file:x.tgz",
      `${place.packages.origin}/other/-/other-1.2.3.tgz#abc`,
    ]) {
      place.write({ "yarn.lock": lockOf(resolved, other) });
      await expect(place.plan(["yarn", "test"]), resolved).rejects.toMatchObject({
        code: "E_SOURCE_REFUSED",
      });
    }
  });
});

describe("Yarn 4", () => {
  const CLIENT = "@yarnpkg/cli-dist/bin/yarn.js";

  /** It asks proxies for tunnels only, so its registry speaks TLS, under an authority of the person's own. */
  beforeEach(async (context) => {
    await setUp(context, { isSecure: true });
    place.addClient("yarn", CLIENT);
    const authority = join(place.root, "authority.pem");
    writeFileSync(authority, TEST_CERTIFICATE);
    place.variables.NODE_EXTRA_CA_CERTS = authority;
  });

  /** Its checksums are of archives that only it can make, so it writes the lockfile, from the same registry. */
  async function lock(): Promise<void> {
    place.write({ ".yarnrc.yml": "nodeLinker: node-modules\nenableGlobalCache: false\n", "yarn.lock": "" });
    const origin = `https://127.0.0.1:${place.packages.port}`;
    place.packages.replace("/greeter", rewritten(origin));
    const client = resolve("node_modules", CLIENT);
    await promisify(execFile)(process.execPath, [client, "install", "--mode=update-lockfile"], {
      cwd: place.project,
      env: {
        PATH: process.env.PATH,
        HOME: place.root,
        YARN_NPM_REGISTRY_SERVER: origin,
        NODE_EXTRA_CA_CERTS: join(place.root, "authority.pem"),
        YARN_ENABLE_TELEMETRY: "0",
        YARN_ENABLE_IMMUTABLE_INSTALLS: "false",
        YARN_CACHE_FOLDER: join(place.root, "yarn-cache"),
      },
    });
    place.packages.replace("/greeter", rewritten(place.packages.origin));
    rmSync(join(place.project, ".yarn"), { recursive: true, force: true });
  }

  function rewritten(origin: string): string {
    const { integrity, path } = dependency;
    const version = { name: "greeter", version: "1.2.3", dist: { tarball: `${origin}${path}`, integrity } };
    return JSON.stringify({
      name: "greeter",
      "dist-tags": { latest: "1.2.3" },
      versions: { "1.2.3": version },
      // Yarn takes nothing that was published a moment ago.
      time: { "1.2.3": "2020-01-01T00:00:00.000Z" },
    });
  }

  test("sets a workspace up and runs its check offline, without plugins", async () => {
    await lock();
    const settings =
      "nodeLinker: node-modules\nenableGlobalCache: false\nplugins:\n  - path: ./evil.cjs\n    spec: x\n";
    const plan = await place.plan(["yarn", "test"]);
    place.write({ ".yarnrc.yml": settings, "evil.cjs": "throw new Error('it ran')" });
    const withPlugins = await place.plan(["yarn", "test"]);
    expect(withPlugins.key).not.toBe(plan.key);
    const layer = await ensureLayer(withPlugins, place.tools);
    const { output, exitCode } = await place.run(layer, `node test.js && ${BUILT}`);
    expect(output).toContain("hello hello from a");
    expect(output).toContain("built");
    expect(exitCode).toBe(0);
  });

  test("refuses other linkers and other sources", async () => {
    place.write({ "yarn.lock": "__metadata:\n  version: 8\n", ".yarnrc.yml": "nodeLinker: pnp\n" });
    await expect(place.plan(["yarn", "test"])).rejects.toMatchObject({ code: "E_SOURCE_REFUSED" });
    place.write({ ".yarnrc.yml": "nodeLinker: node-modules\n" });
    for (const resolution of ["x@https://git.test/x.git#commit=abc", "x@file:../x.tgz#x", "x@portal:../x"]) {
      place.write({
        "yarn.lock": `__metadata:\n  version: 8\n\n"x@1":\n  version: 1\n  resolution: "${resolution}"\n`,
      });
      await expect(place.plan(["yarn", "test"]), resolution).rejects.toMatchObject({
        code: "E_SOURCE_REFUSED",
      });
    }
  });
});
