/**
 * Packs modules of the built package into one file. To find, read and link a hundred small modules takes node longer
 * than to run them until the first model call. Everything keeps its path: what was packed becomes a list of exports
 * of the pack, and everybody else imports from the pack.
 */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";
import { type OutputChunk, rolldown } from "rolldown";

const ENTRY = "pack-entry";

/** Which modules go into a pack. */
export interface Pack {
  /** Of the file, without ending; it lies beside the folders of the package. */
  readonly name: string;
  /** These, and all that they import statically. */
  readonly entries: readonly string[];
  /** These, and all that they import statically, stay outside: they have to load without the pack. */
  readonly apart: readonly string[];
}

/** Makes a pack of built modules, in place. @returns how many were packed */
export async function pack(dist: string, { name, entries, apart }: Pack): Promise<number> {
  const folder = resolve(dist);
  const file = join(folder, `${name}.js`);
  const modules = reachable(entries.map((entry) => join(folder, entry)));
  for (const path of reachable(apart.map((entry) => join(folder, entry))).keys()) modules.delete(path);
  for (const [path, { text }] of modules) if (!isMovable(text)) modules.delete(path);
  const names = new Map([...modules.keys()].map((path, index) => [path, `m${index}_`]));
  await bundle(file, modules, names);
  for (const path of globSync("**/*.js", { cwd: folder }).map((each) => join(folder, each))) {
    const prefix = names.get(path);
    if (prefix !== undefined) writeFileSync(path, stub(path, file, modules.get(path)?.exports ?? [], prefix));
    else if (path !== file) writeFileSync(path, redirected(path, file, names));
  }
  return modules.size;
}

/**
 * Puts a built program and all that it imports into one script beside it, `<program>.cjs`. A script, because whoever
 * imports a built-in module has all lazy parts of it evaluated, which takes Node a quarter of a start.
 */
export async function packAlone(dist: string, program: string): Promise<void> {
  const file = join(resolve(dist), program);
  const build = await rolldown({ input: file, platform: "node" });
  const { output } = await build.generate({ format: "cjs", codeSplitting: false, comments: false });
  await build.close();
  writeFileSync(file.replace(/js$/, "cjs"), output[0].code);
}

interface Module {
  readonly text: string;
  readonly exports: readonly string[];
}

/** A module that goes by its own place would look in the wrong one; what was packed before stays where it is. */
function isMovable(text: string): boolean {
  return !text.includes("import.meta") && !text.startsWith(MARK);
}

function reachable(paths: readonly string[]): Map<string, Module> {
  const modules = new Map<string, Module>();
  for (const path of paths) collect(path, modules);
  return modules;
}

function collect(path: string, modules: Map<string, Module>): void {
  if (modules.has(path)) return;
  const text = readFileSync(path, "utf8");
  const { staticImports, staticExports } = parseSync(path, text).module;
  const entries = staticExports.flatMap((statement) => statement.entries);
  modules.set(path, { text, exports: entries.flatMap(({ exportName }) => exportName.name ?? []) });
  const requests = [
    ...staticImports.map((statement) => statement.moduleRequest.value),
    ...entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
  ];
  for (const request of requests)
    if (request.startsWith(".")) collect(resolve(dirname(path), request), modules);
}

async function bundle(
  file: string,
  modules: ReadonlyMap<string, Module>,
  names: ReadonlyMap<string, string>,
): Promise<void> {
  const lines = [...modules].map(([path, { exports }]) => {
    const list = exports.map((each) => `${each} as ${names.get(path)}${each}`).join(", ");
    return `export { ${list} } from ${JSON.stringify(path)};`;
  });
  const resolveId = (source: string, importer: string | undefined): Resolution => {
    if (!/^[./]/.test(source)) return { id: source, external: true };
    const path = resolve(dirname(importer ?? file), source);
    return modules.has(path) ? path : { id: pathFrom(file, path), external: true };
  };
  const { code, imports, exports } = await rolled(lines.join("\n"), "cjs", resolveId);
  const script = file.replace(/js$/, "cjs");
  writeFileSync(script, scriptOf(code));
  writeFileSync(
    file,
    `${MARK} the code is in ${basename(script)}.\n${await starter(script, imports, exports)}`,
  );
}

/** A script cannot import by itself; whoever runs it does that for it. */
function scriptOf(code: string): string {
  let text = code;
  for (const { start } of parseSync("pack.js", code).module.dynamicImports.toReversed()) {
    text = `${text.slice(0, start)}load${text.slice(start + "import".length)}`;
  }
  return `(function (exports, require, load) {${text}})\n`;
}

/** The module that runs a script and gives its exports to whoever imports it. */
async function starter(
  script: string,
  imports: readonly string[],
  exports: readonly string[],
): Promise<string> {
  const own = imports.filter((name) => name.startsWith("."));
  const loader = fileURLToPath(new URL("./packed-script.ts", import.meta.url));
  const lines = [
    `import { runPackedScript } from ${JSON.stringify(loader)};`,
    ...own.map((name, index) => `import * as own${index} from ${JSON.stringify(name)};`),
    `const imports = { ${own.map((name, index) => `${JSON.stringify(name)}: own${index}`).join(", ")} };`,
    `const path = \`\${import.meta.dirname}/${basename(script)}\`;`,
    `const load = (name) => import(name);`,
    `export const { ${exports.join(", ")} } = runPackedScript(path, imports, load);`,
  ];
  const { code } = await rolled(lines.join("\n"), "esm", (source) =>
    source === loader ? loader : { id: source, external: true },
  );
  return code;
}

type Resolution = string | { readonly id: string; readonly external: true };

/** Without comments: with them the text has letters that double its size in memory. */
async function rolled(
  entry: string,
  format: "cjs" | "esm",
  resolveId: (source: string, importer: string | undefined) => Resolution,
): Promise<OutputChunk> {
  const build = await rolldown({
    input: ENTRY,
    platform: "neutral",
    plugins: [
      {
        name: "pack",
        resolveId: (source, importer) => (source === ENTRY ? ENTRY : resolveId(source, importer)),
        load: (id) => (id === ENTRY ? entry : null),
      },
    ],
    makeAbsoluteExternalsRelative: false,
  });
  const { output } = await build.generate({ format, codeSplitting: false, comments: false });
  await build.close();
  return output[0];
}

/** How a pack begins, and what is left of a module that is in one. */
const MARK = "// Packed:";

function stub(path: string, file: string, exports: readonly string[], prefix: string): string {
  const list = exports.map((name) => `${prefix}${name} as ${name}`).join(", ");
  return `${MARK} the code is in the file named below.\nexport { ${list} } from "${pathFrom(path, file)}";\n`;
}

/** The module with its imports from packed modules made imports from the pack. */
function redirected(path: string, file: string, names: ReadonlyMap<string, string>): string {
  const text = readFileSync(path, "utf8");
  const { staticImports, staticExports } = parseSync(path, text).module;
  const changes: { readonly start: number; readonly end: number; readonly text: string }[] = [];
  const prefixOf = (request: string | undefined): string | undefined =>
    request?.startsWith(".") ? names.get(resolve(dirname(path), request)) : undefined;
  for (const { start, end, moduleRequest, entries } of staticImports) {
    const prefix = prefixOf(moduleRequest.value);
    if (prefix === undefined) continue;
    const list = entries.map(
      ({ importName, localName }) => `${prefix}${importName.name} as ${localName.value}`,
    );
    changes.push({ start, end, text: `import { ${list.join(", ")} } from "${pathFrom(path, file)}";` });
  }
  for (const { start, end, entries } of staticExports) {
    const prefix = prefixOf(entries[0]?.moduleRequest?.value);
    if (prefix === undefined) continue;
    const list = entries.map(
      ({ importName, exportName }) => `${prefix}${importName.name} as ${exportName.name}`,
    );
    changes.push({ start, end, text: `export { ${list.join(", ")} } from "${pathFrom(path, file)}";` });
  }
  return changes
    .sort((left, right) => right.start - left.start)
    .reduce((rest, { start, end, text: change }) => rest.slice(0, start) + change + rest.slice(end), text);
}

function pathFrom(path: string, target: string): string {
  const between = relative(dirname(path), target);
  return between.startsWith(".") ? between : `./${between}`;
}
