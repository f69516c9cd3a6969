/**
 * Packs modules of the built package into one file. To find, read and link a hundred small modules takes node longer
 * than to run them until the first model call. Everything keeps its path: what was packed becomes a list of exports
 * of the pack, and everybody else imports from the pack.
 */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseSync } from "oxc-parser";
import { type Plugin, rolldown } from "rolldown";

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
  const plugin: Plugin = {
    name: "pack",
    resolveId: (source, importer) => {
      if (source === ENTRY) return ENTRY;
      if (!/^[./]/.test(source)) return { id: source, external: true };
      const path = resolve(dirname(importer ?? file), source);
      return modules.has(path) ? path : { id: pathFrom(file, path), external: true };
    },
    load: (id) => (id === ENTRY ? lines.join("\n") : null),
  };
  const build = await rolldown({
    input: ENTRY,
    platform: "neutral",
    plugins: [plugin],
    makeAbsoluteExternalsRelative: false,
  });
  const { output } = await build.generate({ format: "esm", codeSplitting: false });
  await build.close();
  writeFileSync(file, `${MARK} many modules of this package in one file.\n${output[0].code}`);
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
