/** What projects without packages of their own are run with: the modules of this repository. */
import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { INNER_LAYER } from "../../src/environment/contract.ts";
import type { Surroundings } from "../../src/referee/parts.ts";
import { INNER_WORKSPACE } from "../../src/sandbox/contract.ts";

const MODULES = resolve("node_modules");
const INNER_MODULES = join(INNER_LAYER, "node_modules");
const SCRATCH: readonly string[] = [".cache", ".vite", ".vite-temp"];

/** Puts the modules of this repository into a folder, as a layer has them: where tools write, it leads to `/tmp`. */
export function linkModules(folder: string, hasMounts: boolean): void {
  const links = join(folder, "node_modules");
  const modules = hasMounts ? INNER_MODULES : MODULES;
  mkdirSync(links);
  const names = readdirSync(MODULES).filter((name) => !SCRATCH.includes(name));
  for (const name of names) symlinkSync(join(modules, name), join(links, name));
  for (const name of SCRATCH) symlinkSync("/tmp", join(links, name));
}

/** What commands find. Where nothing can be mounted, modules are found in a folder above. */
export function surroundingsOf(folder: string, hasMounts: boolean): Surroundings {
  const links = join(folder, "node_modules");
  const inside = join(INNER_WORKSPACE, "node_modules");
  return {
    mounts: [
      { source: MODULES, target: INNER_MODULES, access: "read-only" },
      { source: links, target: inside, access: "read-only" },
    ],
    environment: {
      PATH: [join(hasMounts ? inside : links, ".bin"), "/usr/local/bin", "/usr/bin", "/bin"].join(delimiter),
      PYTHONDONTWRITEBYTECODE: "1",
    },
  };
}
