import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ContractFlags, contractOptions } from "./contract-choice.ts";

let root = "";
beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "nightshift-choice-")));
  mkdirSync(join(root, "packages/web"), { recursive: true });
  for (const name of ["objects", "refs", "HEAD"]) mkdirSync(join(root, ".git", name), { recursive: true });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const check = ["npm test"];

test.each<readonly [string, ContractFlags, string, object]>([
  ["at the root, in no folder", { check }, "", { checksIn: undefined }],
  ["in a package, there", { check }, "packages/web", { checksIn: "packages/web" }],
  ["in a package, by the file of the root", { check, checksIn: "" }, "packages/web", { checksIn: undefined }],
  [
    "in another folder, by the file of a package",
    { check, checksIn: "packages" },
    "packages/web",
    { checksIn: "packages" },
  ],
  [
    "in a package, by a contract",
    { contract: "plan.md" },
    "packages/web",
    { contractFile: "packages/web/plan.md" },
  ],
  ["at the root, by a contract", { contract: "./plan.md" }, "", { contractFile: "./plan.md" }],
  [
    "in a package, by a contract with a whole path",
    { contract: "/plan.md" },
    "packages/web",
    { contractFile: "/plan.md" },
  ],
])("what is said %s", (_where, flags, folder, options) => {
  const { checksIn } = flags;
  const said = { ...flags, ...(checksIn !== undefined && { checksIn: join(root, checksIn) }) };
  const { checksIn: within, contractFile } = contractOptions(said, "Go", join(root, folder)) ?? {};
  expect({ checksIn: within, contractFile }).toEqual(options);
});
