import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pack } from "../../scripts/pack.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nightshift-pack-"));
  write("package.json", '{ "type": "module" }');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** Runs code beside the modules, in a process of its own, and reads what it prints. */
function printed(code: string): string {
  write("program.js", code);
  const env = { ...process.env, NODE_COMPILE_CACHE: join(folder, "cache") };
  return execFileSync(process.execPath, [join(folder, "program.js")], { encoding: "utf8", env }).trim();
}

const LOADED = `
  import { registerHooks } from "node:module";
  const loaded = [];
  registerHooks({
    load(url, context, next) {
      if (url.startsWith("file:")) loaded.push(url.split("/").at(-1));
      return next(url, context);
    },
  });
`;

/** A module with a name that another one has too, one in a folder, one that everybody shares. */
function writeModules(): void {
  write("common.js", "export const count = () => ++common.calls;\nexport const common = { calls: 0 };\n");
  write(
    "parts/name.js",
    'import { count } from "../common.js";\nexport const name = () => "part " + count();\n',
  );
  write(
    "main.js",
    `import { name as partName } from "./parts/name.js";
import { count } from "./common.js";
export { common as state } from "./common.js";
export const name = () => "main " + count() + ", " + partName();
export async function later() { return (await import("./parts/later.js")).later(); }
`,
  );
  write(
    "parts/later.js",
    'import { common } from "../common.js";\nexport const later = () => common.calls;\n',
  );
  write("own.js", "export const here = () => import.meta.url.split('/').at(-1);\n");
  write("user.js", 'import { here } from "./own.js";\nexport { here };\nexport { name } from "./main.js";\n');
}

describe("a pack", () => {
  test("leaves every module's exports where they were, and one state for all", async () => {
    writeModules();
    const program = `
      import { later, name, state } from "./main.js";
      import { name as part } from "./parts/name.js";
      import { common } from "./common.js";
      import { name as again } from "./user.js";
      console.log([name(), part(), again(), await later(), state === common, state.calls].join("; "));
    `;
    const before = printed(program);
    expect(await pack(folder, { name: "one", entries: ["main.js"], apart: [] })).toBe(3);
    expect(printed(program)).toBe(before);
    expect(before).toBe("main 1, part 2; part 3; main 4, part 5; 5; true; 5");
  });

  test("is loaded instead of the modules in it", async () => {
    writeModules();
    await pack(folder, { name: "one", entries: ["main.js"], apart: [] });
    const list = printed(`${LOADED} await import("./parts/later.js"); console.log(loaded.join(" "));`);
    expect(list).toBe("later.js one.js");
  });

  test("leaves alone what has to load without it, and what goes by its own place", async () => {
    writeModules();
    expect(await pack(folder, { name: "one", entries: ["user.js"], apart: ["parts/name.js"] })).toBe(2);
    expect(readFileSync(join(folder, "common.js"), "utf8")).toContain("calls: 0");
    expect(printed('import { here, name } from "./user.js"; console.log(here(), name());')).toBe(
      "own.js main 1, part 2",
    );
    const list = printed(`${LOADED} await import("./parts/name.js"); console.log(loaded.join(" "));`);
    expect(list).toBe("name.js common.js");
  });

  test("can use an earlier one, from another folder too", async () => {
    writeModules();
    write(
      "parts/tool.js",
      'import { name } from "../main.js";\nexport const tool = () => "tool of " + name();\n',
    );
    await pack(folder, { name: "one", entries: ["main.js"], apart: [] });
    expect(await pack(folder, { name: "parts/two", entries: ["parts/tool.js"], apart: [] })).toBe(1);
    expect(printed('import { tool } from "./parts/tool.js"; console.log(tool());')).toBe(
      "tool of main 1, part 2",
    );
  });

  test("keeps what a process has compiled for the next one, and does without when that is damaged", async () => {
    writeModules();
    await pack(folder, { name: "one", entries: ["main.js"], apart: [] });
    const program = 'import { name } from "./main.js"; console.log(name());';
    const caches = () => globSync("cache/*/nightshift-one-*.bin", { cwd: folder });
    expect(printed(program)).toBe("main 1, part 2");
    const [cache = ""] = caches();
    const bytes = readFileSync(join(folder, cache));
    expect(printed(program)).toBe("main 1, part 2");
    expect(readFileSync(join(folder, cache))).toEqual(bytes);

    const last = bytes.length - 1;
    for (const damaged of [
      bytes.subarray(0, last),
      bytes.with(last, (bytes[last] ?? 0) ^ 1),
      Buffer.alloc(0),
    ]) {
      writeFileSync(join(folder, cache), damaged);
      expect(printed(program)).toBe("main 1, part 2");
      const written = readFileSync(join(folder, cache));
      expect(createHash("sha256").update(written.subarray(32)).digest()).toEqual(written.subarray(0, 32));
    }

    // Another pack has another cache.
    write("parts/name.js", 'export const name = () => "another";\n');
    write("main.js", 'import { name as part } from "./parts/name.js";\nexport const name = () => part();\n');
    await pack(folder, { name: "one", entries: ["main.js"], apart: [] });
    expect(printed(program)).toBe("another");
    expect(caches()).toHaveLength(2);
  });
});
