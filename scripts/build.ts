// Compiles src into dist, then removes what a source file deleted since the last build left behind.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, globSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

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
process.exitCode = compilation.status ?? 1;
