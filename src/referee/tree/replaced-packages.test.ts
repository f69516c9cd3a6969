import { describe, expect, test } from "vitest";
import { planOf, told } from "../../../test/support/compositions.ts";

interface Entry {
  readonly [field: string]: unknown;
}

const manifest = (fields: object): string => JSON.stringify({ name: "p", ...fields });
const npm = (packages: Readonly<Record<string, Entry>>): string =>
  JSON.stringify({ lockfileVersion: 3, packages: { "": { name: "p" }, ...packages } });
const from = (name: string, version = "1.0.0", integrity = `sha512-${name}${version}`): Entry => ({
  version,
  resolved: `https://registry.test/${name}/-/${name}-${version}.tgz`,
  integrity,
});
const yarn = (...blocks: readonly string[]): string => `# yarn lockfile v1\n\n\n${blocks.join("\n\n")}\n`;
const yarnBlock = (key: string, real: string, version = "1.0.0", hash = real): string =>
  `${key}:\n  version "${version}"\n  resolved "https://registry.test/${real}/-/${real}-${version}.tgz#0"\n  integrity sha512-${hash}`;
const berry = (key: string, resolution: string): string =>
  `__metadata:\n  version: 8\n\n"${key}":\n  version: 1.0.0\n  resolution: "${resolution}"\n  checksum: 10c0/0\n`;
const pnpm = (specifier: string, version: string, hash = "a"): string =>
  `lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      chai:\n        specifier: ${specifier}\n        version: ${version}\n\npackages:\n\n  chai@1.0.0:\n    resolution: {integrity: sha512-${hash}}\n`;

const CHAI = { "node_modules/chai": from("chai") };

describe("a person is asked about a package in the place of another", () => {
  test.each<[string, string, string | undefined, string, string]>([
    [
      "by an alias",
      "package.json",
      manifest({ devDependencies: { chai: "^1.0.0" } }),
      manifest({ devDependencies: { chai: "npm:meek@1" } }),
      "chai was chai, and is meek now",
    ],
    [
      "by an override",
      "package.json",
      manifest({ devDependencies: { chai: "^1.0.0" } }),
      manifest({ devDependencies: { chai: "^1.0.0" }, overrides: { chai: "npm:meek@1" } }),
      "chai is to be meek everywhere",
    ],
    [
      "by an override below another",
      "package.json",
      manifest({}),
      manifest({ overrides: { a: { chai: "file:vendor/chai" } } }),
      "chai is to be a folder of the project everywhere",
    ],
    [
      "by a resolution",
      "package.json",
      manifest({}),
      manifest({ resolutions: { "a/**/chai": "npm:meek@1" } }),
      "chai is to be meek everywhere",
    ],
    [
      "by an override of pnpm's",
      "package.json",
      manifest({}),
      manifest({ pnpm: { overrides: { "a>@s/chai@1": "npm:meek@1" } } }),
      "@s/chai is to be meek everywhere",
    ],
    [
      "from a folder",
      "package.json",
      manifest({ dependencies: { chai: "1" } }),
      manifest({ dependencies: { chai: "file:./vendor" } }),
      "chai was chai, and is a folder of the project now",
    ],
    [
      "in a lockfile",
      "package-lock.json",
      npm(CHAI),
      npm({ "node_modules/chai": { name: "meek", ...from("meek") } }),
      "chai was chai, and is meek now",
    ],
    [
      "linked, in a lockfile",
      "package-lock.json",
      npm(CHAI),
      npm({ "node_modules/chai": { link: true, resolved: "vendor/chai" } }),
      "chai was chai, and is a folder of the project now",
    ],
    [
      "nearer to the tests",
      "package-lock.json",
      npm(CHAI),
      npm({ ...CHAI, "test/node_modules/chai": { name: "meek", ...from("meek") } }),
      "chai was chai, and is meek now",
    ],
    [
      "in a lockfile that is new",
      "package-lock.json",
      undefined,
      npm({ "node_modules/chai": { name: "meek", ...from("meek") } }),
      "chai was chai, and is meek now",
    ],
    [
      "with other bytes",
      "package-lock.json",
      npm(CHAI),
      npm({ "node_modules/chai": from("chai", "1.0.0", "sha512-other") }),
      "chai 1.0.0 has other bytes than on the base",
    ],
    [
      "in a lockfile of Yarn 1",
      "yarn.lock",
      yarn(yarnBlock("chai@^1.0.0", "chai")),
      yarn(yarnBlock("chai@^1.0.0", "meek", "1.0.0")),
      "chai was chai, and is meek now",
    ],
    [
      "with other bytes, in one of Yarn 1",
      "yarn.lock",
      yarn(yarnBlock("chai@^1.0.0", "chai")),
      yarn(yarnBlock("chai@^1.0.0", "chai", "1.0.0", "other")),
      "chai 1.0.0 has other bytes than on the base",
    ],
    [
      "in one of Yarn 4",
      "yarn.lock",
      berry("chai@npm:^1.0.0", "chai@npm:1.0.0"),
      berry("chai@npm:meek@1", "meek@npm:1.0.0"),
      "chai was chai, and is meek now",
    ],
    [
      "in one of pnpm",
      "pnpm-lock.yaml",
      pnpm("^1.0.0", "1.0.0"),
      pnpm("^1.0.0", "meek@1.0.0"),
      "chai was chai, and is meek now",
    ],
    [
      "with other bytes, in one of pnpm",
      "pnpm-lock.yaml",
      pnpm("^1.0.0", "1.0.0"),
      pnpm("^1.0.0", "1.0.0", "b"),
      "chai 1.0.0 has other bytes than on the base",
    ],
  ])("%s", async (_, path, before, after, detail) => {
    const known = { "package.json": manifest({ dependencies: { chai: "^1.0.0" } }), "src/a.js": "1" };
    const base = before === undefined ? known : { ...known, [path]: before };
    const plan = await planOf("node-test", base, { [path]: after });
    expect(told(plan)).toEqual([`review shadowing ${path}`]);
    expect(plan.findings[0]?.detail).toBe(detail);
  });
});

describe("nobody is asked about", () => {
  test.each<[string, string, string, string]>([
    [
      "another version, and a new dependency",
      "package-lock.json",
      npm(CHAI),
      npm({ "node_modules/chai": from("chai", "2.0.0"), "node_modules/x": from("x") }),
    ],
    [
      "an alias that a new dependency brings along",
      "package-lock.json",
      npm(CHAI),
      npm({ ...CHAI, "node_modules/chai-cjs": { name: "chai", ...from("chai", "0.9.0") } }),
    ],
    [
      "a second version further down",
      "package-lock.json",
      npm(CHAI),
      npm({ ...CHAI, "node_modules/x/node_modules/chai": from("chai", "0.9.0") }),
    ],
    [
      "a hash of another kind",
      "package-lock.json",
      npm({ "node_modules/chai": from("chai", "1.0.0", "sha1-x") }),
      npm(CHAI),
    ],
    [
      "another range, and an override that only names a version",
      "package.json",
      manifest({ dependencies: { chai: "^1.0.0" } }),
      manifest({ dependencies: { chai: "^2.0.0" }, overrides: { y: "2", z: "$chai" } }),
    ],
    [
      "a package of the project that has moved",
      "package.json",
      manifest({ dependencies: { own: "file:a" } }),
      manifest({ dependencies: { own: "workspace:*" } }),
    ],
    [
      "another version in Yarn's",
      "yarn.lock",
      yarn(yarnBlock("chai@^1.0.0", "chai")),
      yarn(yarnBlock("chai@^1.0.0, chai@^1.1.0", "chai", "1.2.0"), yarnBlock("x@1", "x")),
    ],
    [
      "another version in pnpm's",
      "pnpm-lock.yaml",
      pnpm("^1.0.0", "1.0.0"),
      pnpm("^2.0.0", "2.0.0(x@1.0.0)").replace("chai@1.0.0", "chai@2.0.0"),
    ],
  ])("%s", async (_, path, before, after) => {
    const plan = await planOf("node-test", { [path]: before, "src/a.js": "1" }, { [path]: after });
    expect(told(plan).filter((each) => !each.startsWith("note"))).toEqual([]);
  });
});
