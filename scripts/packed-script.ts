/**
 * How a pack starts. Node's own compile cache holds what V8 has compiled when a module is loaded, and that is next to
 * nothing: a function is compiled at its first call. What is kept here at the end of a process holds every function
 * that this process has called, so that the next one compiles hardly anything.
 */

// Not by `import`, which evaluates every lazy part of a built-in module to export it: for `node:fs` that is the line
// editor of the REPL, for `node:crypto` all of Web Crypto.
const { createHash } = process.getBuiltinModule("node:crypto");
const { readFileSync, renameSync, writeFileSync } = process.getBuiltinModule("node:fs");
const nodeModule = process.getBuiltinModule("node:module");
const { basename, join } = process.getBuiltinModule("node:path");
const { Script } = process.getBuiltinModule("node:vm");

type Load = (name: string) => Promise<unknown>;
type Exports = Readonly<Record<string, unknown>>;

const DIGEST_BYTES = 32;

/**
 * Runs a pack: a function of its exports, of the way to what it imports, and of `import()`.
 * @param imports - modules of this package that the pack uses but does not hold
 */
export function runPackedScript(
  path: string,
  imports: Readonly<Record<string, Exports>>,
  load: Load,
): Exports {
  const source = readFileSync(path, "utf8");
  const cachePath = cachePathOf(path, source);
  const cachedData = cachePath === undefined ? undefined : readCache(cachePath);
  const script = new Script(source, {
    filename: path,
    ...(cachedData !== undefined && { cachedData }),
  });
  if (cachePath !== undefined && (cachedData === undefined || script.cachedDataRejected === true)) {
    process.once("exit", () => writeCache(cachePath, script.createCachedData()));
  }
  const pack: Record<string, unknown> = {};
  const required = (name: string): unknown => imports[name] ?? process.getBuiltinModule(name);
  const run = script.runInThisContext() as (exports: object, require: typeof required, load: Load) => void;
  run(pack, required, load);
  return pack;
}

/** Beside Node's own cache, which is used under the same conditions and has a folder for each release of Node. */
function cachePathOf(path: string, source: string): string | undefined {
  const folder = nodeModule.getCompileCacheDir?.();
  if (folder === undefined) return undefined;
  // The place too, because compiled code names it in stack traces.
  const digest = digestOf(`${path}\n${source}`).toString("hex", 0, 8);
  const name = `nightshift-${basename(path, ".cjs")}-${digest}.bin`;
  return join(folder, name);
}

/** V8 trusts what it is given, so half a file must not reach it. */
function readCache(path: string): Buffer | undefined {
  try {
    const bytes = readFileSync(path);
    const data = bytes.subarray(DIGEST_BYTES);
    return digestOf(data).equals(bytes.subarray(0, DIGEST_BYTES)) ? data : undefined;
  } catch {
    return undefined;
  }
}

/** Best effort: it is only about speed. */
function writeCache(path: string, data: Buffer): void {
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, Buffer.concat([digestOf(data), data]), { mode: 0o600 });
    renameSync(temporary, path);
  } catch {
    // Somebody may have removed the folder; the next process tries again.
  }
}

function digestOf(data: string | Buffer): Buffer {
  return createHash("sha256").update(data).digest();
}
