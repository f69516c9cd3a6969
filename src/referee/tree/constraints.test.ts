import { describe, expect, test } from "vitest";
import { type Edits, JS, PY, planOf, told } from "../../../test/support/compositions.ts";
import type { Files } from "../../../test/support/trees.ts";

const NEVER = "never touch: vendor/**, *.lock";
const KEPT = "No new dependencies.";

const manifest = (fields: object): string => JSON.stringify({ name: "p", version: "1.0.0", ...fields });

async function findingsOf(base: Files, edits: Edits, ...constraints: readonly string[]): Promise<string[]> {
  const { findings } = await planOf(null, base, edits, { constraints: [...constraints] });
  return findings
    .filter(({ gate }) => gate === "constraints")
    .map(({ path, detail }) => `${path}: ${detail}`);
}

describe("files that are never touched, however it was done", () => {
  const base: Files = { ...JS, "vendor/a.js": "1", "sub/yarn.lock": "1" };
  const says = `it was changed, and the contract says "${NEVER}"`;

  test.each<[string, Edits, string[]]>([
    ["changed", { "vendor/a.js": "2" }, ["vendor/a.js"]],
    ["made executable", { "vendor/a.js": null, "vendor/a.js*": "1" }, ["vendor/a.js"]],
    ["removed", { "vendor/a.js": null }, ["vendor/a.js"]],
    ["added", { "vendor/deep/b.js": "" }, ["vendor/deep/b.js"]],
    ["replaced by a link", { "vendor/a.js": "link:../src/add.js" }, ["vendor/a.js"]],
    ["the folder replaced by a link", { "vendor/a.js": null, vendor: "link:src" }, ["vendor/a.js", "vendor"]],
    ["by a name in any folder", { "sub/yarn.lock": "2" }, ["sub/yarn.lock"]],
    ["others", { "src/add.js": "export const add = (a, b) => b + a;\n", "src/vendor.js": "" }, []],
  ])("%s", async (_how, edits, paths) =>
    expect((await findingsOf(base, edits, NEVER)).toSorted()).toEqual(
      paths.map((path) => `${path}: ${says}`),
    ),
  );

  test("they are refused, which nobody can approve", async () => {
    const plan = await planOf("vitest", base, { "vendor/a.js": "2" }, { constraints: [NEVER] });
    expect(told(plan)).toEqual(["refuse constraints vendor/a.js"]);
  });

  test("without the constraint they are the worker's", async () =>
    expect(await findingsOf(base, { "vendor/a.js": "2" })).toEqual([]));
});

describe("no new dependencies", () => {
  const NODE: Files = {
    "package.json": manifest({
      dependencies: { chai: "^4.0.0", old: "npm:older@^1" },
      workspaces: ["packages/*"],
    }),
    "packages/b/package.json": JSON.stringify({ name: "b", devDependencies: { mocha: "1" } }),
  };
  const RUST: Files = { "Cargo.toml": '[package]\nname = "p"\n[dependencies]\nserde = "1"\n' };
  const GO: Files = { "go.mod": "module example.com/p\n\ngo 1.22\n\nrequire example.com/a v1.0.0\n" };
  const REQUIREMENTS: Files = { "requirements.txt": "# what it needs\nFoo-Bar>=1 # here\n" };
  const asks = (path: string, what: string): string[] => [
    `${path}: it asks for ${what}, and the contract says "${KEPT}"`,
  ];

  test.each<[string, Files, Edits, string[]]>([
    [
      "a package",
      NODE,
      { "package.json": manifest({ dependencies: { chai: "^4", left: "^1" } }) },
      asks("package.json", "left"),
    ],
    [
      "one for development",
      NODE,
      { "package.json": manifest({ devDependencies: { left: "^1" } }) },
      asks("package.json", "left"),
    ],
    [
      "a known name from elsewhere",
      NODE,
      { "package.json": manifest({ dependencies: { chai: "npm:chia@4", old: "npm:older@2" } }) },
      asks("package.json", "chai from npm:chia"),
    ],
    [
      "in a package of its own",
      NODE,
      { "packages/c/package.json": manifest({ dependencies: { left: "1" } }) },
      asks("packages/c/package.json", "left"),
    ],
    [
      "an unreadable manifest",
      NODE,
      { "package.json": "{" },
      [`package.json: it cannot be read any more, and the contract says "${KEPT}"`],
    ],
    [
      "a link",
      NODE,
      { "package.json": "link:other.json", "other.json": manifest({ dependencies: { left: "1" } }) },
      [
        `package.json: it cannot be read any more, and the contract says "${KEPT}"\na symbolic link is where a protected file was`,
      ],
    ],
    [
      "Rust",
      RUST,
      { "Cargo.toml": `${RUST["Cargo.toml"]}rand = { version = "1" }\n` },
      asks("Cargo.toml", "rand"),
    ],
    [
      "Rust, renamed",
      RUST,
      { "Cargo.toml": '[dependencies]\nserde = { package = "rand", version = "1" }\n' },
      asks("Cargo.toml", "rand"),
    ],
    [
      "Rust, from git",
      RUST,
      { "Cargo.toml": '[dependencies]\nserde = { git = "https://x.example" }\n' },
      asks("Cargo.toml", "serde from https://x.example"),
    ],
    [
      "Go",
      GO,
      {
        "go.mod":
          "module example.com/p\n\nrequire (\n\texample.com/a v1.1.0\n\texample.com/b v1.0.0 // indirect\n)\n",
      },
      asks("go.mod", "example.com/b"),
    ],
    [
      "Go, replaced",
      GO,
      { "go.mod": `${GO["go.mod"]}replace example.com/a => example.com/c v1.0.0\n` },
      asks("go.mod", "from example.com/c"),
    ],
    [
      "Python",
      PY,
      { "pyproject.toml": '[project]\nname = "calc"\ndependencies = ["numpy>=2", "pandas"]\n' },
      asks("pyproject.toml", "pandas"),
    ],
    [
      "Python, by groups",
      PY,
      {
        "pyproject.toml":
          '[project]\ndependencies = ["numpy"]\n[tool.poetry.group.dev.dependencies]\npython = "3"\nblack = "1"\n',
      },
      asks("pyproject.toml", "black"),
    ],
    [
      "requirements",
      REQUIREMENTS,
      { "requirements.txt": "foo_bar\nbaz==1 \\\n    --hash=sha256:0\n" },
      asks("requirements.txt", "baz"),
    ],
    [
      "requirements from an address",
      REQUIREMENTS,
      { "requirements-dev.txt": "-r requirements.txt\ngit+https://x.example/y\n" },
      asks("requirements-dev.txt", "git+https://x.example/y"),
    ],
  ])("%s", async (_what, base, edits, expected) =>
    expect(await findingsOf(base, edits, KEPT)).toEqual(expected),
  );

  test.each<[string, Files, Edits]>([
    [
      "other ranges",
      NODE,
      { "package.json": manifest({ dependencies: { chai: ">=4 <6", old: "npm:older@^2" } }) },
    ],
    ["one that another package has", NODE, { "package.json": manifest({ dependencies: { mocha: "2" } }) }],
    [
      "packages of the project",
      NODE,
      { "package.json": manifest({ dependencies: { b: "1.0.0", c: "workspace:*", d: "file:./d" } }) },
    ],
    ["fewer", NODE, { "package.json": manifest({}), "packages/b/package.json": null }],
    ["a path of the project", RUST, { "Cargo.toml": `${RUST["Cargo.toml"]}own = { path = "own" }\n` }],
    ["a folder in the place of a module", GO, { "go.mod": `${GO["go.mod"]}replace example.com/a => ./a\n` }],
    [
      "other ranges in Python",
      PY,
      { "pyproject.toml": '[project]\nname = "calc"\ndependencies = ["NumPy[x] >=1,<3"]\n' },
    ],
    ["files that are no manifests", JS, { "src/package.txt": "left", "requirements.md": "left" }],
  ])("are not: %s", async (_what, base, edits) => expect(await findingsOf(base, edits, KEPT)).toEqual([]));
});
