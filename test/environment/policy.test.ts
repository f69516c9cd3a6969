/** What a changed lockfile comes to, under each policy: with real plans of each package manager. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  type DependencyPolicy,
  decideLayer,
  type Ecosystem,
  ensureLayer,
  type LayerDecision,
  type LayerPlan,
} from "../../src/environment/index.ts";
import type { Tree } from "./archives.ts";
import { missing, openPlace, type Place } from "./place.ts";

let place: Place;

beforeEach(async (context) => {
  const reason = missing("npm", "python3");
  if (reason !== undefined) context.skip(reason);
  place = await openPlace();
});
afterEach(() => place?.close());

/** One dependency, in the words of each package manager. */
interface Kind {
  readonly name: Ecosystem;
  readonly argv: readonly string[];
  readonly client?: readonly [string, string];
  readonly lockfile: string;
  /** @param address - where the package comes from */
  lock(version: string, address: string): string;
  readonly manifest: Tree;
  /** The same dependencies, and something else that is of no interest to a set-up. */
  readonly otherManifest: Tree;
}

const NODE = { name: "project", version: "1.0.0", dependencies: { dep: "^1.0.0" } };
const manifest = { "package.json": JSON.stringify(NODE) };
const otherManifest = { "package.json": JSON.stringify({ ...NODE, scripts: { test: "true" }, jest: {} }) };

const KINDS: readonly Kind[] = [
  {
    name: "npm",
    argv: ["npm", "test"],
    lockfile: "package-lock.json",
    lock: (version, resolved) =>
      JSON.stringify({
        lockfileVersion: 3,
        packages: { "": NODE, "node_modules/dep": { version, resolved, integrity: "sha512-AA==" } },
      }),
    manifest,
    otherManifest,
  },
  {
    name: "pnpm",
    argv: ["pnpm", "test"],
    client: ["pnpm", "pnpm/bin/pnpm.cjs"],
    lockfile: "pnpm-lock.yaml",
    lock: (version, tarball) =>
      `lockfileVersion: '9.0'\nimporters:\n  .: {}\npackages:\n  dep@${version}:\n    resolution: {integrity: sha512-AA==, tarball: ${tarball}}\n`,
    manifest,
    otherManifest,
  },
  {
    name: "yarn",
    argv: ["yarn", "test"],
    client: ["yarn", "yarn-classic/bin/yarn.js"],
    lockfile: "yarn.lock",
    lock: (version, resolved) =>
      `# yarn lockfile v1\n\ndep@^1.0.0:\n  version "${version}"\n  resolved "${resolved}"\n`,
    manifest,
    otherManifest,
  },
  {
    name: "pip",
    argv: ["python3", "-m", "pytest"],
    lockfile: "requirements.txt",
    lock: (version, address) => (address.includes("evil") ? `dep @ ${address}\n` : `dep==${version}\n`),
    manifest: { "setup.cfg": "" },
    otherManifest: { "setup.cfg": "[tool:pytest]\n", "new.py": "" },
  },
];

async function planOf(kind: Kind, files: Tree): Promise<LayerPlan> {
  place.write(files);
  return place.plan(kind.argv);
}

describe.each(KINDS)("$name", (kind) => {
  const lockfile = (version: string, origin: string): Tree => ({
    [kind.lockfile]: kind.lock(version, `${origin}/dep/-/dep-${version}.tgz`),
  });
  let base: LayerPlan;
  const decide = (candidate: LayerPlan, policy: DependencyPolicy, ...allowed: string[]): LayerDecision =>
    decideLayer({ base, candidate, policy, allowed: new Set(allowed) });

  beforeEach(async () => {
    if (kind.client !== undefined) place.addClient(...kind.client);
    base = await planOf(kind, { ...kind.manifest, ...lockfile("1.0.0", place.packages.origin) });
  });

  test("what does not bear on dependencies needs no new layer", async () => {
    const candidate = await planOf(kind, { ...kind.otherManifest, "src/index.txt": "new" });
    for (const policy of ["allow", "ask", "deny"] as const)
      expect(decide(candidate, policy)).toEqual({ status: "same" });
  });

  test("a changed lockfile is made, asked about, or denied", async () => {
    const candidate = await planOf(kind, lockfile("1.0.1", place.packages.origin));
    const changes = [{ path: kind.lockfile, change: "modified" }];
    expect(decide(candidate, "allow")).toEqual({ status: "make", plan: candidate, changes });
    expect(decide(candidate, "ask")).toEqual({ status: "ask", plan: candidate, changes });
    expect(decide(candidate, "deny")).toEqual({ status: "deny", plan: candidate, changes });
  });

  test("an answer is to exactly one layer", async () => {
    const candidate = await planOf(kind, lockfile("1.0.1", place.packages.origin));
    expect(decide(candidate, "ask", candidate.key).status).toBe("make");
    const another = await planOf(kind, lockfile("1.0.2", place.packages.origin));
    expect(decide(another, "ask", candidate.key).status).toBe("ask");
  });

  test("what comes from elsewhere is refused under every policy", async () => {
    const refused = planOf(kind, lockfile("1.0.1", "https://evil.test"));
    await expect(refused).rejects.toMatchObject({ code: "E_SOURCE_REFUSED" });
  });
});

test("dependencies where there were none, and none where there were some", async () => {
  const [npm] = KINDS;
  const plan = await planOf(npm!, {
    ...manifest,
    "package-lock.json": npm!.lock("1.0.0", `${place.packages.origin}/dep.tgz`),
  });
  const allowed = new Set<string>();
  const first = decideLayer({ base: undefined, candidate: plan, policy: "ask", allowed });
  expect(first).toMatchObject({
    status: "ask",
    changes: [{ path: "package-lock.json", change: "added" }, {}],
  });
  expect(decideLayer({ base: plan, candidate: undefined, policy: "deny", allowed })).toEqual({
    status: "none",
  });
  expect(decideLayer({ base: undefined, candidate: undefined, policy: "deny", allowed })).toEqual({
    status: "same",
  });
});

test("the layer that is to be made holds what the candidate asks for", async () => {
  for (const version of ["1.0.0", "1.0.1"])
    place.packages.addWheel("dep", version, { "dep.py": `VERSION = '${version}'\n` });
  const pip = KINDS.find(({ name }) => name === "pip")!;
  const base = await planOf(pip, { "requirements.txt": "dep==1.0.0\n" });
  const before = await ensureLayer(base, place.tools);
  const candidate = await planOf(pip, { "requirements.txt": "dep==1.0.1\n" });
  const decision = decideLayer({ base, candidate, policy: "allow", allowed: new Set() });
  expect(decision.status).toBe("make");
  const layer = await ensureLayer(candidate, place.tools);
  const look = "python3 -c 'import dep; print(dep.VERSION)'";
  expect((await place.run(layer, look)).output).toContain("1.0.1");
  expect((await place.run(before, look)).output).toContain("1.0.0");
});
