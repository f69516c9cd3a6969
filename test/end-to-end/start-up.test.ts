import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Place } from "./place.ts";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place[Symbol.asyncDispose]());

/** Writes down every module that a process loads. */
const RECORDER = `
  import { appendFileSync } from "node:fs";
  import { registerHooks } from "node:module";
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      appendFileSync(process.env.LOADED_MODULES, resolved.url + "\\n");
      return resolved;
    },
  });
`;

async function modulesLoadedBy(words: readonly string[]): Promise<string[]> {
  const recorder = place.write("recorder.mjs", RECORDER);
  const path = join(place.folder, "modules.txt");
  const { code, stderr } = await place.run(words, {
    env: { LOADED_MODULES: path },
    nodeFlags: ["--import", pathToFileURL(recorder).href],
  });
  expect(code, stderr).toBe(0);
  const lines = readFileSync(path, "utf8").split("\n");
  return [...new Set(lines.filter((line) => line !== ""))];
}

function packagesIn(modules: readonly string[]): string[] {
  const names = modules.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []);
  return [...new Set(names)].sort();
}

test("a whole run with the scripted model loads no package: no zod, no provider's SDK, no commander", async () => {
  const script = { turns: [{ tools: [{ name: "bash", input: { command: "true" } }] }, { text: "Done." }] };
  const modules = await modulesLoadedBy(["run", "x", "--model", place.script(script)]);
  expect(packagesIn(modules)).toEqual([]);
  expect(modules.some((url) => url.endsWith("/worker/loop.js"))).toBe(true);
});

test("--version loads next to nothing", async () => {
  const modules = await modulesLoadedBy(["--version"]);
  expect(packagesIn(modules)).toEqual([]);
  expect(modules.filter((url) => url.startsWith("file:")).length).toBeLessThan(20);
});

test("--help loads no command", async () => {
  const modules = await modulesLoadedBy(["run", "--help"]);
  expect(packagesIn(modules)).toEqual(["commander"]);
  expect(modules.filter((url) => /\/(store|worker|sandbox|cli\/commands)\//.test(url))).toEqual([]);
});

test("status loads no model, no worker and no sandbox backend", async () => {
  const model = place.script({ turns: [{ text: "Done." }] });
  await place.json(["run", "x", "--model", model, "--tools", "none"]);
  const modules = await modulesLoadedBy(["status", "sesn_"]);
  const heavy = /\/(worker\/loop|model\/(anthropic|scripted|openai)|sandbox\/process|cli\/demo)/;
  expect(modules.filter((url) => heavy.test(url))).toEqual([]);
  expect(packagesIn(modules)).toEqual([]);
});
