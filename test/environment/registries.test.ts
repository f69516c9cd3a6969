/** The registry that this machine's npm is set up with, and one that wants credentials. */
import { execFile } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import { discoverRegistries, ensureLayer } from "../../src/environment/index.ts";
import { readDecisions } from "../../src/gateway/egress/decisions.ts";
import { TEST_CERTIFICATE } from "../support/certificate.ts";
import { missing, openPlace, type Place } from "./place.ts";
import { REGISTRY_HOST } from "./registry.ts";

const SECRET = "Bearer secret-0a1b2c3d4e5f";

let place: Place | undefined;

afterEach(() => {
  place?.close();
  place = undefined;
});

test("a project is set up from the registry that npm is configured with", async (context) => {
  const reason = missing("npm");
  if (reason !== undefined) context.skip(reason);
  place = await openPlace();
  const manifest = { name: "project", version: "1.0.0", dependencies: { ms: "2.1.3" } };
  place.write({ "package.json": JSON.stringify(manifest) });
  try {
    const argv = ["install", "--package-lock-only", "--ignore-scripts", "--no-audit"];
    await promisify(execFile)("npm", argv, { cwd: place.project, timeout: 60_000 });
  } catch {
    context.skip("the registry of this machine's npm cannot be reached");
  }
  const neutral = join(place.root, "neutral");
  mkdirSync(neutral);
  const { signal } = place.tools;
  const registries = await discoverRegistries("npm", { environment: process.env, folder: neutral, signal });
  const plan = await place.plan(["npm", "test"], registries);
  const layer = await ensureLayer(plan, place.tools);
  const decided = readDecisions(join(place.root, "egress"), 0).lines;
  expect(decided.map(({ kind }) => kind)).toContain("transfer");
  const { output } = await place.run(layer, `node -p "require('ms')('2 days')"`);
  expect(output.trim()).toBe("172800000");
});

test("a registry that wants credentials gets them from the proxy; nothing inside does", async (context) => {
  const reason = missing("npm");
  if (reason !== undefined) context.skip(reason);
  place = await openPlace({ isSecure: true });
  const { resolved, integrity } = place.packages.addNpm(
    { name: "greeter", version: "1.2.3" },
    { "index.js": "module.exports = 'hello';" },
  );
  const manifest = { name: "project", version: "1.0.0", dependencies: { greeter: "1.2.3" } };
  const packages = { "": manifest, "node_modules/greeter": { version: "1.2.3", resolved, integrity } };
  place.write({
    "package.json": JSON.stringify(manifest),
    "package-lock.json": JSON.stringify({ name: "project", lockfileVersion: 3, packages }),
  });
  const registry = { ...place.registryFor("npm"), isInjected: true };
  const plan = await place.plan(["npm", "test"], [registry]);
  const [step] = plan.fetch;
  const spying = { ...step!, argv: ["sh", "-c", `env; cat package-lock.json; exec ${step!.argv.join(" ")}`] };
  let seen = "";
  const tools = place.toolsWith({
    injections: [{ host: REGISTRY_HOST, headers: { authorization: SECRET } }],
    certificateAuthorities: [TEST_CERTIFICATE],
  });
  const onOutput = (text: string): void => {
    seen += text;
  };
  const layer = await ensureLayer({ ...plan, fetch: [spying] }, { ...tools, onOutput });
  expect(place.packages.requests.length).toBeGreaterThan(0);
  for (const request of place.packages.requests) expect(request).toContain(SECRET);
  expect(seen).toContain("127.0.0.1:3128/.to/");
  expect(seen).not.toContain("secret-");
  expect((await place.run(layer, "node -p \"require('greeter')\"")).output.trim()).toBe("hello");
});
