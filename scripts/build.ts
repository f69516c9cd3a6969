// Compiles src into dist, removes what a source file deleted since the last build left behind, and packs what every
// start loads.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, globSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Pack, pack, packAlone } from "./pack.ts";

/** What says a version or helps, and the process inside a sandbox: they load little, and fast. */
const LEAN_PROGRAMS: readonly string[] = ["cli/main.js", "cli/program.js", "sandbox/daemon/main.js"];

/** Runners see nothing else of this package; the others are waited for, and one file is found faster than fifty. */
const LONE_PROGRAMS: readonly string[] = [
  "sandbox/pod/runner.js",
  "sandbox/docker/runner.js",
  "sandbox/daemon/main.js",
  "sandbox/bubblewrap/launcher.js",
  "gateway/egress/main.js",
];

const PACKS: readonly Pack[] = [
  {
    name: "harness",
    entries: [
      "runtime/wake.js",
      "runtime/client.js",
      "runtime/system.js",
      "store/sqlite.js",
      "worker/loop.js",
      "core/redact.js",
    ],
    apart: LEAN_PROGRAMS,
  },
  { name: "cli/shift", entries: ["cli/commands/run.js", "cli/commands/resume.js"], apart: LEAN_PROGRAMS },
];

/** Anything in src that is neither TypeScript nor prose is an asset the program reads at run time. */
function copyAssets(): void {
  for (const asset of globSync("src/**/*.*", { exclude: (name) => /\.(ts|md)$/.test(name) })) {
    const target = join("dist", asset.slice("src/".length));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(asset, target);
  }
}

function removeStaleOutput(): void {
  for (const output of globSync("dist/**/*.{js,d.ts}")) {
    const source = join("src", output.slice("dist/".length).replace(/(\.d\.ts|\.js)$/, ".ts"));
    if (!existsSync(source)) rmSync(output);
  }
}

const compilation = spawnSync("tsc", ["-p", "tsconfig.build.json"], { stdio: "inherit" });
copyAssets();
removeStaleOutput();
if (compilation.status === 0) {
  for (const program of LONE_PROGRAMS) await packAlone("dist", program);
  for (const each of PACKS) await pack("dist", each);
}
process.exitCode = compilation.status ?? 1;
