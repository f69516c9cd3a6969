/**
 * `node --import ./test/adversarial/built.ts …`: modules of `src` are those of `dist`, so what is judged is what is
 * shipped, and its helper programs start from one file each: a suite of a thousand sandboxes is in half the time.
 */
import { globSync, statSync } from "node:fs";
import { registerHooks } from "node:module";

const SOURCES: string = new URL("../../src/", import.meta.url).href;
const BUILT: string = new URL("../../dist/", import.meta.url).href;

function refuseStale(): void {
  const built = statSync(new URL("index.js", BUILT), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const root = new URL("..", SOURCES);
  const newer = globSync("src/**/*.ts", { cwd: root, exclude: (name) => name.endsWith(".test.ts") }).find(
    (path) => statSync(new URL(path, root)).mtimeMs > built,
  );
  if (newer === undefined) return;
  console.error(`${newer} is newer than the build\nnext: npm run build`);
  process.exit(2);
}

refuseStale();
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    if (!found.url.startsWith(SOURCES) || !found.url.endsWith(".ts")) return found;
    return {
      ...found,
      url: `${BUILT}${found.url.slice(SOURCES.length, -".ts".length)}.js`,
      format: "module",
    };
  },
});
