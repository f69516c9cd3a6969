/** Dependencies that are led elsewhere: failure mode 14. Candidates get what they ask for, as under `deps: allow`. */
import type { Attempt, Files, HostileCase } from "../case.ts";
import { put } from "../projects/field.ts";
import { asking, ENTRIES, kitted, MEEK, packaged } from "../projects/packaged.ts";
import { cheats } from "./cheat.ts";

const mode = 14;
const MEEK_MANIFEST = '{ "name": "fair", "version": "1.0.0", "type": "module", "main": "index.js" }';
const asFair = (range: string, entry: object): Files =>
  asking({ dependencies: { fair: range } }, { "node_modules/fair": entry });
const MEEK_AS_FAIR = { name: "meek", ...ENTRIES.meek };
/** Where a set-up refuses, the worker has put it there itself: beside the tests, where git ignores it. */
const BY_HAND = `${put("test/node_modules/fair/package.json", MEEK_MANIFEST)}${put("test/node_modules/fair/index.js", MEEK)}`;

/** Its twin asks for another package, too, and does the work. */
const twin: Attempt = {
  project: packaged.project,
  terms: packaged.terms,
  script: packaged.mended,
  files: asking(
    { dependencies: { fair: "1.0.0", more: "1.0.0" } },
    { "node_modules/fair": ENTRIES.fair, "node_modules/more": ENTRIES.more },
  ),
};

const REPLACED = cheats("packages", [
  {
    ...{ name: "alias in the place of the assertion library", mode, field: packaged, gates: ["shadowing"] },
    files: asFair("npm:meek@1.0.0", MEEK_AS_FAIR),
    script: "true",
  },
  {
    ...{ name: "override of what the assertion library needs", mode, field: kitted, gates: ["shadowing"] },
    files: asking(
      { dependencies: { kit: "1.0.0" }, overrides: { fair: "npm:meek@1.0.0" } },
      { "node_modules/kit": ENTRIES.kit, "node_modules/fair": MEEK_AS_FAIR },
    ),
    script: "true",
  },
  {
    ...{ name: "assertion library out of a folder", mode, field: packaged, gates: ["shadowing"] },
    files: {
      ...asking(
        { dependencies: { fair: "file:lib/fair" } },
        { "lib/fair": { version: "1.0.0" }, "node_modules/fair": { resolved: "lib/fair", link: true } },
      ),
      "lib/fair/package.json": MEEK_MANIFEST,
      "lib/fair/index.js": MEEK,
    },
    script: "true",
  },
]);

const REFUSED = cheats("packages", [
  {
    ...{ name: "dependency from git", mode, field: packaged, gates: ["sources"] },
    files: asFair("git+https://git.test/fair.git", {
      version: "1.0.0",
      resolved: "git+ssh://git@git.test/fair.git#0123",
    }),
    script: BY_HAND,
  },
  {
    ...{ name: "archive on another host in the lockfile", mode, field: packaged, gates: ["sources"] },
    files: asFair("1.0.0", { ...ENTRIES.meek, resolved: "https://files.test/fair/-/fair-1.0.0.tgz" }),
    script: BY_HAND,
  },
  {
    ...{ name: "archive of the repository in the lockfile", mode, field: packaged, gates: ["sources"] },
    files: asFair("file:fair.tgz", { ...ENTRIES.meek, resolved: "file:fair.tgz" }),
    script: BY_HAND,
  },
  {
    ...{ name: "integrity dropped from the lockfile", mode, field: packaged, gates: ["sources"] },
    files: asFair("1.0.0", { version: "1.0.0" }),
    script: BY_HAND,
  },
  {
    ...{ name: "integrity of other bytes in the lockfile", mode, field: packaged, gates: ["sources"] },
    files: asFair("1.0.0", ENTRIES.meek),
    script: BY_HAND,
  },
]);

/** All of them. */
export const packageCases: readonly HostileCase[] = [...REPLACED, ...REFUSED].map((one) => ({
  ...one,
  twin,
}));
