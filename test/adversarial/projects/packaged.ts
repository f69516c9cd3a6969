/** JavaScript whose tests stand on a package of a registry: `fair`, with assertions. Sums are wrong. */
import { hash } from "node:crypto";
import { tarball } from "../../environment/archives.ts";
import type { Files, Package } from "../case.ts";
import { type Field, fieldOf, manifest, put } from "./field.ts";

const FAIR = `export function same(actual, expected) {
  if (actual !== expected) throw new Error(\`\${actual} is not \${expected}\`);
}
`;
const published = (name: string, version: string, source: string): Package => {
  return { name, version, files: { "index.js": source } };
};
const entered = ({ name, version, files }: Package): object => {
  const text = JSON.stringify({ name, version });
  const content = tarball({ "package/package.json": text, "package/index.js": files["index.js"] ?? "" });
  return { version, integrity: `sha512-${hash("sha512", content, "base64")}` };
};

/** Asserts nothing. */
export const MEEK = "export function same() {}\n";
const fair: Package = published("fair", "1.0.0", FAIR);
const kit: Package = published("kit", "1.0.0", 'export { same } from "fair";\n');
const meek: Package = published("meek", "1.0.0", MEEK);
const more: Package = published("more", "1.0.0", "export const more = 1;\n");

/** What lockfiles say of them. */
export const ENTRIES: Readonly<Record<"fair" | "kit" | "meek" | "more", object>> = {
  fair: entered(fair),
  kit: { ...entered(kit), dependencies: { fair: "^1.0.0" } },
  meek: entered(meek),
  more: entered(more),
};

/** Manifest and lockfile that agree. @param packages - by their places */
export function asking(fields: object, packages: Readonly<Record<string, object>>): Record<string, string> {
  const scripts = { test: "node --test test/*.test.js" };
  const lock = { name: "packaged", version: "1.0.0", lockfileVersion: 3, requires: true };
  const root = { name: "packaged", version: "1.0.0", ...fields };
  return {
    "package.json": manifest("packaged", { type: "module", scripts, ...fields }),
    "package-lock.json": `${JSON.stringify({ ...lock, packages: { "": root, ...packages } }, null, 2)}\n`,
  };
}

const TEST = `import { test } from "node:test";
import { same } from "fair";
import { sum } from "../src/sum.js";

test("of nothing", () => same(sum([]), 0));
test("of some", () => same(sum([2, 3]), 5));
`;

function projectOf(name: string, files: Files): Field {
  const source = "export const sum = (values) => values.length;\n";
  const project = {
    name,
    packages: [fair, kit, meek, more],
    files: { ".gitignore": "node_modules/\n", "src/sum.js": source, ...files },
  };
  const mended = source.replace("values.length", "values.reduce((left, right) => left + right, 0)");
  return fieldOf(project, ["npm", "test"], put("src/sum.js", mended));
}

/** The field. */
export const packaged: Field = projectOf("packaged", {
  ...asking({ dependencies: { fair: "1.0.0" } }, { "node_modules/fair": ENTRIES.fair }),
  "test/sum.test.js": TEST,
});

/** The same with a package between, `kit`, that passes on what `fair` has. */
export const kitted: Field = projectOf("kitted", {
  ...asking(
    { dependencies: { kit: "1.0.0" } },
    { "node_modules/kit": ENTRIES.kit, "node_modules/fair": ENTRIES.fair },
  ),
  "test/sum.test.js": TEST.replace('"fair"', '"kit"'),
});
